"""Ports of UDP, which no connection shows to be served."""
