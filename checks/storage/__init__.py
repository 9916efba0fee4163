"""Disks, layers and volumes: what is full, lost, left behind or dead.

A module is named like its check. Modules with several checks:

- leftovers: overlay-orphans, store-leftover, volumes-unused
- volumes: disk-not-mounted, filesystem-unsupported, volume-source-missing
"""
