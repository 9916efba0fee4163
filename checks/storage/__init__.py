"""Disks, layers and volumes: what is full, lost, left behind or dead."""

from checks.storage import disks, full, leftovers, quotas, volumes, without

__all__ = ["disks", "full", "leftovers", "quotas", "volumes", "without"]
