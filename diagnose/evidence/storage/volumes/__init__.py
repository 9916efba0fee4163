"""Volumes and mounted folders: left behind, replaced, refused, and about to be removed."""
