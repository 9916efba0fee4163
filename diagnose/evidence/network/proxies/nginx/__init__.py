"""Locations of nginx that forward requests, and symptoms of missing headers."""
