"""Sockets and connections: who listens, who waits, what was lost."""
