"""A mount source that is a path of another container, which commands the engine.

Jenkins, runners and other programs with the engine's socket start containers beside themselves.
The engine reads the sources of their mounts on the host, and not in the container that asked.
"""

from msgspec.structs import replace

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.bind_mounts import BindSources, owned_sources
from diagnose.model import Finding

_OF_THE_HOST = ("emptied", "folder", "incomplete", "kept_folder", "kept_missing", "missing")
"""Variables of the page that offer to put the missing file at the path on the host."""


def with_owner(
    finding: Finding, container: Container, containers: Containers, bind_sources: BindSources | None
) -> Finding:
    """The finding, with the container that has the missing file at that path, if there is one."""
    source = finding.variables.get("source", "")
    mount = next((mount for mount in container.mounts if _is_at(source, mount)), None)
    if mount is None or bind_sources is None:
        return finding
    commanding = (other for other in containers.running if other.commands_engine)
    for other, place, owned in owned_sources(container, mount, commanding):
        if owned not in bind_sources.owned:
            continue
        place_clause = f"{other} has it in {place.place}, but the engine looks for it on the host"
        named_item = replace(
            finding,
            summary=f"{finding.summary}; {place_clause}",
            evidence={**finding.evidence, f"that path of {other.name}": f"{owned} on the host"},
        )
        for cure in _OF_THE_HOST:
            named_item = named_item.without_variable(cure)
        steps = {"owned": owned, "moved": mount.destination}
        return named_item.with_variables({**steps, "owned_mount": f"{owned}:{mount.destination}"})
    return finding


def _is_at(source: str, mount: Mount) -> bool:
    """Whether a path of the host is the source of a bind mount, or lies below it."""
    is_bind = mount.type == "bind" and bool(mount.source.strip("/"))
    return is_bind and f"{source}/".startswith(f"{mount.source.rstrip('/')}/")
