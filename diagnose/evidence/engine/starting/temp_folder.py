"""The engine's temporary folder in the data root, which it creates at its start."""

import posixpath

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.files import StatPaths
from diagnose.registry import evidence

_VARIABLE = "DOCKER_TMPDIR="


class TempFolder(msgspec.Struct, frozen=True):
    """The folder for images that the engine loads and builds."""

    path: str
    is_missing: bool
    """The data root is there, and the folder is not."""


@evidence
def temp_folder(
    host: Host, data_root: DataRoot, info: Info, daemon: Daemon | None
) -> TempFolder | Unavailable:
    """The temporary folder, of a running engine only: a stopped one creates it when it starts.

    DOCKER_TMPDIR in the engine's environment names another folder (daemon/daemon.go).
    """
    root = info.docker_root_dir or data_root.path
    path = chosen_folder(daemon) or posixpath.join(root, "tmp")
    answer = host.require(StatPaths([root, path]))
    has_root = root in answer and not answer[root].failed
    return TempFolder(
        path, is_missing=has_root and path in answer and answer[path].failed == "missing"
    )


def chosen_folder(daemon: Daemon | None) -> str:
    """The folder that the engine was given by its environment; "" if none, or not known."""
    engine = daemon.processes.engine if daemon is not None else None
    entries = (engine.environ or []) if engine is not None else []
    chosen = (entry.removeprefix(_VARIABLE) for entry in entries if entry.startswith(_VARIABLE))
    return next((path for path in chosen if path.startswith("/")), "")
