"""The folder in the data root that the engine makes at its start for what it loads and builds."""

from __future__ import annotations

import posixpath

import msgspec

from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import StatPaths
from diagnose.registry import evidence


class TempFolder(msgspec.Struct, frozen=True):
    """path: of the folder. is_missing: the data root is there, and the folder is not."""

    path: str
    is_missing: bool


@evidence
def temp_folder(host: Host, data_root: DataRoot, info: Info) -> TempFolder | Unavailable:
    """Asked only for an engine that runs: a stopped one makes the folder when it starts."""
    root = info.docker_root_dir or data_root.path
    path = posixpath.join(root, "tmp")
    answer = host.ask(StatPaths([root, path]))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    has_root = root in answer and not answer[root].failed
    return TempFolder(path, has_root and path in answer and answer[path].failed == "missing")
