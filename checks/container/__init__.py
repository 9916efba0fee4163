"""Containers that do not start, do not stay, or do not work: one module per phase of a container's life."""

from checks.container import ends, health, life, mounts, refused, start, state, without

__all__ = ["ends", "health", "life", "mounts", "refused", "start", "state", "without"]
