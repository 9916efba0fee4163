"""Disks, layers and volumes: what is full, lost, left behind or dead.

A module is named like its check. Modules with several checks:

- leftovers: d-type-missing, deleted-files-held, overlay-orphans, store-leftover, volumes-unused,
  writable-layer-large
- volumes: disk-not-mounted, filesystem-unsupported, volume-source-missing
"""
