"""The engine's socket files on this host, and the users who may write to them."""

from collections.abc import Iterator
from typing import Any

import msgspec

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.items import Items
from diagnose.model import DAEMON, Failed, Unavailable, Unexamined
from diagnose.questions import Host
from diagnose.questions.endpoint import Endpoint, FindEndpoint
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.registry import evidence


class SocketFile(msgspec.Struct, frozen=True):
    """A socket file: mode holds the permission bits."""

    path: str
    mode: int
    uid: int
    gid: int


class EngineSockets(Items[SocketFile], frozen=True):
    """The sockets that exist; a path that is not there is left out."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def engine_sockets(host: Host, config: DaemonConfig | Unavailable) -> EngineSockets | Unavailable:
    """The socket that the tool asks, and those that the daemon is configured to listen on."""
    endpoint = host.ask(FindEndpoint())
    paths = list(dict.fromkeys(_paths(endpoint, config)))
    if not paths:
        return Unavailable.of(endpoint) if isinstance(endpoint, Failed) else EngineSockets(())
    statuses = host.require(StatPaths(paths))
    sockets = {}
    missing = []
    for path in paths:
        status = statuses.get(path, PathStatus())
        if status.failed and status.failed != "missing":
            missing.append(Unexamined(DAEMON, f"{path}: {status.failed}"))
        elif status.type == "socket":
            sockets[path] = SocketFile(path, status.mode, status.uid, status.gid)
    return EngineSockets(tuple(_distinct_sockets(sockets)), tuple(missing))


def _paths(endpoint: Endpoint | Failed, config: DaemonConfig | Unavailable) -> Iterator[str]:
    """The paths of sockets that the endpoint and the configuration name."""
    hosts: Any = config.value("hosts") if isinstance(config, DaemonConfig) else None
    addresses = [] if isinstance(endpoint, Failed) else [endpoint.url]
    for address in (*addresses, *map(str, hosts or ())):
        if address.startswith("unix://"):
            yield address.removeprefix("unix://")


def _distinct_sockets(files: dict[str, SocketFile]) -> list[SocketFile]:
    """The sockets without second names of one: /var/run is /run."""
    sockets_by_path: dict[str, SocketFile] = {}
    for path, socket in files.items():
        sockets_by_path.setdefault(path.replace("/var/run/", "/run/"), socket)
    return list(sockets_by_path.values())
