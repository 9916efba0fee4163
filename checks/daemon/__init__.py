"""The engine itself: alive or not and why, its configuration, its doors, its age."""

from checks.daemon import configuration, containerd, life, posture, start

__all__ = ["configuration", "containerd", "life", "posture", "start"]
