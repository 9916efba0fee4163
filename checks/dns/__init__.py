"""Name resolution: the host's own, and the way from containers to the servers they ask."""
