"""Databases, brokers, caches, search servers and stores: their data, clusters and clients."""
