"""Containers that do not start, do not stay, or do not work: one module per phase of a container's life."""

from checks.container import health, life, mounts, start, state

__all__ = ["health", "life", "mounts", "start", "state"]
