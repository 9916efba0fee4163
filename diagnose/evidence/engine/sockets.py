"""The engine's socket files on this host, and who may write to them."""

from __future__ import annotations

from typing import Any

import msgspec

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.model import DAEMON, Failed, Unavailable, Unexamined
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence


class _Stat(msgspec.Struct):
    type: str = ""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    failed: str = ""


class SocketFile(msgspec.Struct, frozen=True):
    """One socket: mode holds the permission bits."""

    path: str
    mode: int
    uid: int
    gid: int


class EngineSockets(msgspec.Struct, frozen=True):
    """The sockets that exist; a path that is not there is left out."""

    items: tuple[SocketFile, ...]
    unexamined: tuple[Unexamined, ...] = ()

    def __len__(self) -> int:
        return len(self.items)


class _Endpoint(msgspec.Struct):
    url: str = ""


@evidence
def engine_sockets(host: Host, config: DaemonConfig | Unavailable) -> EngineSockets | Unavailable:
    """The socket that the tool asks, and those that the daemon was told to listen on."""
    paths: dict[str, None] = {}
    answer = host.ask(question("endpoint"))
    if not isinstance(answer, Failed):
        url = msgspec.convert(answer, _Endpoint).url
        paths.update(dict.fromkeys([url.removeprefix("unix://")] if url.startswith("unix://") else []))
    hosts: Any = config.value("hosts") if isinstance(config, DaemonConfig) else None
    for each in hosts or ():
        if str(each).startswith("unix://"):
            paths.setdefault(str(each).removeprefix("unix://"))
    if not paths:
        return Unavailable.of(answer) if isinstance(answer, Failed) else EngineSockets(())
    told = host.ask(question("file.stats", paths=list(paths)))
    if isinstance(told, Failed):
        return Unavailable.of(told)
    found, missing = {}, []
    for path in paths:
        stat = msgspec.convert(told.get(path, {}), _Stat)
        if stat.failed and stat.failed != "missing":
            missing.append(Unexamined(DAEMON, f"{path}: {stat.failed}"))
        elif stat.type == "socket":
            found[path] = SocketFile(path, stat.mode, stat.uid, stat.gid)
    return EngineSockets(tuple(_distinct(found)), tuple(missing))


def _distinct(found: dict[str, SocketFile]) -> list[SocketFile]:
    """/var/run is /run: one socket under two names is one."""
    seen: dict[str, SocketFile] = {}
    for path, each in found.items():
        seen.setdefault(path.replace("/var/run/", "/run/"), each)
    return list(seen.values())
