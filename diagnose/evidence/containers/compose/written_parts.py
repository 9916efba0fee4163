"""Settings of a service in a compose file that its container lacks. Pure."""

import re
from collections.abc import Iterator

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container
from diagnose.questions.compose import WrittenMount, WrittenService

_PORT = re.compile(
    r"(?:(?P<address>\d+\.[\d.]+|\[[\da-fA-F:]+\]):)?(?:"
    r"(?P<published>\d+):)?(?P<target>\d+)(?:/(?P<protocol>\w+))?"
)
"""An entry of `ports` that is neither a range nor a variable."""


def missing_parts(container: Container, service: WrittenService) -> Iterator[str]:
    """The ports and the mounts of a service that its container lacks, as a sentence says them."""
    for port in service.ports:
        if not _has_port(container, port):
            yield f"port {port}"
    for mount in service.mounts:
        if not _has_mount(container, mount):
            yield f"mount {mount.source or 'of a volume'} at {mount.target}"


def other_image(container: Container, service: WrittenService) -> str:
    """The image that the file names, where the container has another one; else ""."""
    image = service.image
    is_named = image and "$" not in image and not service.builds
    return image if is_named and image != container.config.image else ""


def _has_port(container: Container, entry: str) -> bool:
    """Whether the container asks for an entry of `ports`; True for an unreadable entry."""
    match = _PORT.fullmatch(entry)
    if match is None or container.shares_host_network:
        return True
    written_port = (int(match["published"] or 0), int(match["target"]), match["protocol"] or "tcp")
    return any(
        written_port in ((port.host_port, *rest), (0, *rest))
        for port in container.wanted_ports
        for rest in [(port.number, port.protocol)]
    )


def _has_mount(container: Container, written_mount: WrittenMount) -> bool:
    """Whether that is mounted there."""
    mount = container.mount_at(written_mount.target)
    return mount is not None and _is_from(mount, written_mount.source, container.compose_project)


def _is_from(mount: Mount, source: str, project: str) -> bool:
    if source.startswith("/"):
        return mount.source == source.rstrip("/")
    if not source or source.startswith("~"):
        return True
    # a volume may have a name of its own, in another part of the file
    is_renamed = not mount.name.startswith(f"{project}_")
    return mount.type == "volume" and (mount.name.endswith(source) or is_renamed)
