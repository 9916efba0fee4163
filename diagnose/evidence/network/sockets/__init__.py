"""Sockets and connections: listeners, waiting clients, losses."""
