"""Whom containers call, and by which names they serve."""
