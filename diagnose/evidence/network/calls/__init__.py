"""Calls that fail: who makes them, to whom, and what their logs say."""
