"""Broken networks: ports that are taken, bridges that are down, subnets in the way."""
