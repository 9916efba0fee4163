"""The calls of containers, and where they lead."""
