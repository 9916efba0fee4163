"""Reverse proxies in containers: what they should serve, and to whom they redirect."""
