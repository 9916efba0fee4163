"""Packet filters that stand in the way of containers, and some that only look so."""
