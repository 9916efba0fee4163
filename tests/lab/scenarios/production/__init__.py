"""Healthy hosts as they stand in production: whole stacks, started by compose, by swarm or by a
script, with the lines that the real programs log while they are well."""
