"""Engines that are badly configured, do not start, are too old, too open, or wrong about the
time."""
