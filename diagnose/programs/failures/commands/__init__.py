"""Errors of commands: docker, compose, builds, pulls, and visits of a server."""
