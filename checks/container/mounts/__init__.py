"""Checks of mounts whose source is missing, forbidden, stale or in use."""
