"""Broken name resolution: queries that are lost, servers that are missing, stubs that containers
cannot reach."""
