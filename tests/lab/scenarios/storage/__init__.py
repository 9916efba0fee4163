"""Disks that are full, layers and volumes that nobody uses, mounts that are dead."""
