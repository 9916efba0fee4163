"""Pulls and pushes: what the engine says of one that failed, and what kept it from its registry."""
