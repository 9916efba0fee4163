"""Swarm nodes, managers without a majority, services that lack tasks, and stuck updates.

A module is named like its check. Modules with several checks:

- nodes: address-gone, node-down, quorum-lost
"""
