"""Name resolution: the host's own, and the way from containers to the servers they ask."""

from checks.dns import (
    embedded,
    files,
    host_servers,
    losses,
    names,
    refusals,
    search,
    services,
    stale_files,
    upstreams,
    wildcards,
    without,
)

__all__ = [
    "embedded",
    "files",
    "host_servers",
    "losses",
    "names",
    "refusals",
    "search",
    "services",
    "stale_files",
    "upstreams",
    "wildcards",
    "without",
]
