"""Servers that are members of a cluster, by their settings. Pure."""

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern

_OF_SET = LazyPattern(r"^--?replSet\b|^MONGO\w{0,20}_REPLICA_SET_(?:MODE|NAME)$")
"""The option of mongod, and how images call the variable that sets it."""


def is_of_replica_set(server: Container) -> bool:
    """Whether a server of MongoDB is configured to be a member of a replica set."""
    variables = (name for name, _ in server.config.environment)
    return any(_OF_SET.search(word) for word in (*server.config.words, *variables))
