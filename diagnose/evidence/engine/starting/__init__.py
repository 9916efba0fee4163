"""Reasons why an engine does not start, and how one has ended."""
