"""Packets that are too large for a part of their path."""
