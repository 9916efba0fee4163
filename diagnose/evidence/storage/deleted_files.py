"""Files that are deleted, but still open: their space comes back only when they are closed."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

LEAST = 16 << 20
"""Smaller ones are everyday: journals, temporary files, libraries after an upgrade."""


class DeletedFile(msgspec.Struct, frozen=True):
    """One such file. path: as its opener saw it. bytes: its blocks on disk. container: the opener's, by its
    cgroup."""

    pid: int
    fd: int
    path: str
    bytes: int
    dev: str
    fstype: str | None = None
    comm: str | None = None
    container: str | None = None


class _Answer(msgspec.Struct):
    files: list[DeletedFile]
    unseen: int = 0


class DeletedFiles(msgspec.Struct, frozen=True):
    """Biggest first. unseen: processes whose open files the caller may not see."""

    items: tuple[DeletedFile, ...]
    unseen: int = 0

    def __iter__(self) -> Iterator[DeletedFile]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@evidence
def deleted_files(host: Host) -> DeletedFiles | Unavailable:
    """One scan of every process's descriptors."""
    answer = host.ask(question("deleted_files", min_bytes=LEAST))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    found = msgspec.convert(answer, _Answer)
    if found.unseen and not found.files:
        return Unavailable("forbidden", f"the open files of {found.unseen} processes may be seen by root only")
    return DeletedFiles(tuple(found.files), found.unseen)
