"""Checks of the servers that a container calls: they refuse the call, or are not there."""
