"""Connections that containers want to open, to the host and to each other."""
