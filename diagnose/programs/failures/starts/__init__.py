"""Errors of the engine or the runtime when they refuse to start a container."""
