"""Disks, layers and volumes: what is full, lost, left behind or dead."""
