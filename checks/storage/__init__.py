"""Disks, layers and volumes: what is full, lost, left behind or dead."""

from checks.storage import disks, leftovers, volumes, without

__all__ = ["disks", "leftovers", "volumes", "without"]
