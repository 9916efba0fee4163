"""Calls between containers, and the names by which containers are reached."""
