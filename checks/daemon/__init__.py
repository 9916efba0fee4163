"""The engine itself: alive or not and why, its configuration, its doors, its age."""

from checks.daemon import containerd, life, start

__all__ = ["containerd", "life", "start"]
