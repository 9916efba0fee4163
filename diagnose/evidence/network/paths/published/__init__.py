"""The ways in to published ports, and the ways of their answers."""
