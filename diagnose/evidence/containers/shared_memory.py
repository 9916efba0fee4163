"""How full the file systems are that running containers have in memory: /dev/shm, and what `--tmpfs` gives them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.storage.filesystems import Usage
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence
from diagnose.shapes import convert

SHM = "/dev/shm"  # noqa: S108 - a name


class InMemory(msgspec.Struct, frozen=True):
    """One of them. path: as the container names it."""

    container: Container
    path: str
    usage: Usage

    @property
    def is_shm(self) -> bool:
        return self.path == SHM


class SharedMemory(msgspec.Struct, frozen=True):
    """Those of running containers that are their own."""

    items: tuple[InMemory, ...]
    unexamined: tuple[Unexamined, ...] = ()

    def __iter__(self) -> Iterator[InMemory]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@evidence
def shared_memory(host: Host, containers: Containers) -> SharedMemory | Unavailable:
    """One question for all; a /dev/shm that is the host's or another container's is left out."""
    paths = {f"/proc/{each.state.pid}/root{path}": (each, path) for each in containers.running for path in _own(each)}
    if not paths:
        return SharedMemory(())
    answer = host.ask(question("fs.usages", paths=sorted(paths)))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    found, missing = [], []
    for asked, said in convert(answer, dict[str, dict[str, Any]]).items():
        each, path = paths[asked]
        if "failed" not in said:
            found.append(InMemory(each, path, convert(said, Usage)))
        elif said["failed"] not in ("missing", "gone"):
            missing.append(Unexamined(each.subject, f"its {path}: {said['failed']}"))
    return SharedMemory(tuple(found), tuple(missing))


def _own(each: Container) -> set[str]:
    scratch = {
        *(each.host_config.tmpfs or ()),
        *(mount.destination for mount in each.mounts or () if mount.type == "tmpfs"),
    }
    return scratch | ({SHM} if each.host_config.ipc_mode in ("", "private", "shareable") else set())
