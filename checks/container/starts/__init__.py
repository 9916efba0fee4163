"""The engine cannot start the container."""
