"""Gateways and other neighbours: whether they are known, and whether the host uses them."""
