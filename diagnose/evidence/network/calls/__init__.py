"""Calls that fail: their callers, their targets, and the lines about them."""
