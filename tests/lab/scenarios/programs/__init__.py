"""Containers whose program objects to something: real programs of the machine, run inside a
container of the lab."""
