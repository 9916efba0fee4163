"""Containers that do not start, do not stay, or do not work: one module per phase of a container's life."""

from checks.container import health, life, start

__all__ = ["health", "life", "start"]
