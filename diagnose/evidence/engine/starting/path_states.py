"""The states of the paths at which an engine has files."""

from collections.abc import Iterable, Mapping

import msgspec

from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import PathStatus


class FileState(msgspec.Struct, frozen=True):
    """The stat of a path: type, mode, owner."""

    type: str = ""
    mode: int = 0
    """Permission bits with the type's."""
    uid: int = 0
    gid: int = 0


class PathStates(msgspec.Struct, frozen=True):
    """The answers by path; empty where the question as a whole had none."""

    by_path: Mapping[str, PathStatus]

    def at(self, path: str) -> FileState | None:
        """The state of a path; None where nothing was seen there."""
        status = self.by_path.get(path)
        if status is None or status.failed:
            return None
        return FileState(status.type, status.mode, status.uid, status.gid)

    def is_missing(self, path: str) -> bool:
        """Whether certainly nothing exists at a path."""
        return path in self.by_path and self.by_path[path].failed == "missing"

    def lack(self, paths: Iterable[str]) -> bool:
        """Whether certainly nothing exists at any of these paths."""
        return all(map(self.is_missing, paths))


def path_states(host: Host, *paths: str) -> PathStates:
    """Ask the host for these paths."""
    statuses = path_statuses(host, paths)
    return PathStates(statuses)
