"""Addresses and host names in the settings of containers, and the proxies between them."""
