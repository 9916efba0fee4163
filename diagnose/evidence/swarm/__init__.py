"""The swarm: this node, and on a manager the nodes and services."""
