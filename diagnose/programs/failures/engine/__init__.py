"""Errors of the engine when it cannot start, or refuses a request."""
