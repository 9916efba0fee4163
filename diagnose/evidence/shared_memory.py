"""How full /dev/shm is in each running container."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from diagnose.evidence.containers import Container, Containers
from diagnose.evidence.filesystems import Usage
from diagnose.host import Host, question
from diagnose.model import Failed, Unavailable, Unexamined
from diagnose.registry import evidence


class SharedMemory(msgspec.Struct, frozen=True):
    """Running containers with a /dev/shm of their own."""

    items: tuple[tuple[Container, Usage], ...]
    unexamined: tuple[Unexamined, ...] = ()

    def __iter__(self) -> Iterator[tuple[Container, Usage]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@evidence
def shared_memory(host: Host, containers: Containers) -> SharedMemory | Unavailable:
    """One question for all; those that share the host's or another container's are left out."""
    paths = {
        f"/proc/{each.state.pid}/root/dev/shm": each
        for each in containers.running
        if each.host_config.ipc_mode in ("", "private", "shareable")
    }
    if not paths:
        return SharedMemory(())
    answer = host.ask(question("fs.usages", paths=sorted(paths)))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    found, missing = [], []
    for path, said in msgspec.convert(answer, dict[str, dict[str, Any]]).items():
        if "failed" not in said:
            found.append((paths[path], msgspec.convert(said, Usage)))
        elif said["failed"] not in ("missing", "gone"):
            missing.append(Unexamined(paths[path].subject, f"its shared memory: {said['failed']}"))
    return SharedMemory(tuple(found), tuple(missing))
