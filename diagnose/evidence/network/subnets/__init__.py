"""Subnets and addresses: which overlap, which have two owners, and which are left."""
