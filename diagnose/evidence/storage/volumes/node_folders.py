"""Data of RabbitMQ that a container left when it got another host name.

RabbitMQ names the folder of its data by its node, `rabbit@HOST`. Without a configured host name the
host is the beginning of the container's id: each container that takes its place starts with no
data.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, StatPaths
from diagnose.registry import evidence

_NODES = "mnesia"
_HOMES = ("/var/lib/rabbitmq", "/bitnami/rabbitmq")
_PREFIX = "rabbit@"
MOST = 10


class LeftNode(msgspec.Struct, frozen=True):
    """A folder of data that a node of RabbitMQ has left under its former name."""

    container: Container
    destination: str
    host: str
    """The node whose data is beside the container's own."""
    gap: float
    """Seconds from the last change of that folder to the creation of the container."""


class LeftNodes(Items[LeftNode], frozen=True):
    """The left data of nodes, one for each container that started with no data."""


@evidence
def left_nodes(host: Host, containers: Containers) -> LeftNodes:
    """The left data of RabbitMQ nodes.

    The collector asks only where a container without a host name of its own mounts RabbitMQ's
    folder.
    """
    homes = list(_home_folders(containers))
    nodes_left = []
    for home, answer in host.ask_about(
        host.first(homes, MOST, "data folders of RabbitMQ"), lambda home: ListFolder(home.folder)
    ):
        if isinstance(answer, Failed):
            continue
        folders = {entry.name for entry in answer.entries if entry.type == "folder"}
        nodes = {name for name in folders if _is_node(name)}
        own_folder = f"{_PREFIX}{home.container.config.hostname}"
        other_nodes = nodes - {own_folder} if own_folder in nodes else set()
        newest_node = _newest_node(host, home, other_nodes) if other_nodes else None
        if newest_node is not None:
            nodes_left.append(newest_node)
    return LeftNodes(tuple(nodes_left))


class _Home(msgspec.Struct, frozen=True):
    """The folder of a container's node data."""

    container: Container
    destination: str
    folder: str
    """The folder on the host that holds the data of all nodes."""


def _home_folders(containers: Containers) -> Iterator[_Home]:
    """The folders of containers that were given no name of their own, as a host or as a node."""
    for container in containers:
        homes = [
            _Home(container, mount.destination, folder)
            for mount in container.mounts
            if (folder := _folder(mount.destination, mount.source))
        ]
        is_named = container.config.hostname != container.id[:12]
        if homes and not is_named and not container.config.sets("RABBITMQ_NODENAME"):
            yield from homes


def _folder(destination: str, source: str) -> str:
    """The host's folder of all nodes; "" for another mount."""
    for home in _HOMES:
        if destination == home:
            return f"{source}/{_NODES}"
        if destination == f"{home}/{_NODES}":
            return source
    return ""


def _is_node(name: str) -> bool:
    return name.startswith(_PREFIX) and not name.endswith("-plugins-expand")


def _newest_node(host: Host, home: _Home, nodes: set[str]) -> LeftNode | None:
    """The node that was changed last before the container was created."""
    answer = host.ask(StatPaths(sorted(f"{home.folder}/{node}" for node in nodes)))
    created = home.container.created_at
    if isinstance(answer, Failed) or created is None:
        return None
    times = {path: status.mtime for path, status in answer.items() if status.mtime is not None}
    earlier = {path: at for path, at in times.items() if at <= created}
    if not earlier:
        return None
    path = max(earlier, key=lambda path: earlier[path])
    name = path.rpartition(_PREFIX)[2]
    return LeftNode(home.container, home.destination, name, created - earlier[path])
