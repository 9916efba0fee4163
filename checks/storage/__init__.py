"""Disks, layers and volumes: what is full, lost, left behind or dead."""

from checks.storage import disks, leftovers

__all__ = ["disks", "leftovers"]
