"""A source on the host that is meant as a path of another container, which commands the engine.

Jenkins, runners and other programs with the engine's socket start containers beside themselves.
The engine reads the sources of their mounts on the host, and not in the container that asked.
"""

from __future__ import annotations

from msgspec.structs import replace

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.model import Finding

_SOCKET = "docker.sock"
_OF_THE_HOST = ("emptied", "folder", "incomplete", "missing")
"""What the page offers where the file is to come to that path of the host."""


def with_owner(finding: Finding, container: Container, containers: Containers) -> Finding:
    """The finding with the container that has what is missing at that path, where one has."""
    source = finding.variables.get("source", "")
    mount = next((mount for mount in container.mounts if _is_at(source, mount)), None)
    if mount is None:
        return finding
    for other in containers.running:
        place = next((each for each in other.mounts if _holds(each, mount.source)), None)
        if other.id == container.id or place is None or not commands_engine(other):
            continue
        owned = place.on_host(mount.source)
        if owned == mount.source:
            continue
        where = f"{other} has {mount.source} in {place.place}, and the engine looks on the host"
        named = replace(
            finding,
            summary=f"{finding.summary}; {where}",
            evidence={**finding.evidence, f"that path of {other.name}": f"{owned} on the host"},
        )
        for cure in _OF_THE_HOST:
            named = named.without_variable(cure)
        steps = {"owned": owned, "moved": mount.destination}
        return named.with_variables({**steps, "owned_mount": f"{owned}:{mount.destination}"})
    return finding


def _is_at(source: str, mount: Mount) -> bool:
    """Whether a path of the host is what a bind mount mounts, or lies below it."""
    is_bind = mount.type == "bind" and bool(mount.source.strip("/"))
    return is_bind and f"{source}/".startswith(f"{mount.source.rstrip('/')}/")


def _holds(mount: Mount, path: str) -> bool:
    """Whether a path of a container is, or lies below, what is mounted from a place of its own."""
    has_source = mount.source.startswith("/") and mount.destination != "/"
    return has_source and (mount.destination == path or mount.holds(path))


def commands_engine(container: Container) -> bool:
    """Whether it has the engine's socket."""
    return any(mount.destination.endswith(f"/{_SOCKET}") for mount in container.mounts)
