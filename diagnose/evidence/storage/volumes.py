"""Volumes that no container mounts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.model import Failed, Subject, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")


class Volume(msgspec.Struct, frozen=True, rename="pascal"):
    """One volume as `GET /volumes` lists it."""

    name: str
    driver: str = ""
    mountpoint: str = ""
    created_at: str = ""
    labels: dict[str, str] | None = None
    options: dict[str, str] | None = None

    @property
    def subject(self) -> Subject:
        return Subject("volume", self.name)

    @property
    def is_anonymous(self) -> bool:
        """Nobody named it: 64 digits, or the label that engines set from 23.0 on."""
        return bool(_ANONYMOUS.fullmatch(self.name)) or "com.docker.volume.anonymous" in (self.labels or {})


class _Answer(msgspec.Struct, rename="pascal"):
    volumes: list[Volume] | None = None


class UnusedVolumes(msgspec.Struct, frozen=True):
    """Volumes without a container, running or not, by name."""

    items: tuple[Volume, ...]

    def __iter__(self) -> Iterator[Volume]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@evidence
def unused_volumes(host: Host, root: DataRoot, containers: Containers | Unavailable) -> UnusedVolumes | Unavailable:
    """The engine's own filter (dangling) counts stopped containers as users; without it, its folders are
    counted against the containers that were read from disk."""
    answer = host.ask(question("api.volumes", filters={"dangling": ["true"]}))
    if isinstance(answer, Failed):
        if isinstance(containers, Containers) and containers.source == "disk" and not containers.unexamined:
            return _by_folders(host, root.path, containers)
        return Unavailable.of(answer)
    found = msgspec.convert(answer, _Answer).volumes or []
    return UnusedVolumes(tuple(sorted(found, key=lambda each: each.name)))


def _by_folders(host: Host, root: str, containers: Containers) -> UnusedVolumes | Unavailable:
    answer = host.ask(question("file.list", path=f"{root}/volumes"))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    used = {mount.name for each in containers for mount in each.mounts or () if mount.type == "volume"}
    names = sorted(entry["name"] for entry in answer["entries"] if entry["type"] == "folder")
    return UnusedVolumes(tuple(Volume(name) for name in names if name not in used))
