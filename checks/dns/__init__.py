"""Name resolution: the host's own, and the way from containers to the servers they ask."""

from checks.dns import embedded, files, names, queries, refusals, services, without

__all__ = ["embedded", "files", "names", "queries", "refusals", "services", "without"]
