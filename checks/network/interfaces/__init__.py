"""Bridges, interfaces, subnets and addresses of networks."""
