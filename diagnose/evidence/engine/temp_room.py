"""The folder that DOCKER_TMPDIR gives the engine for its temporary files, and the room there."""

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.starting.temp_folder import chosen_folder
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.filesystems import StatFilesystem, Usage
from diagnose.registry import evidence


class TempRoom(msgspec.Struct, frozen=True):
    """The room of the temporary folder; empty where it shares the data root's file system."""

    folder: str = ""
    usage: Usage | None = None
    root: str = ""
    """The data root."""
    left_in_root: int = 0
    """Bytes that are available in the data root."""


@evidence
def temp_room(host: Host, daemon: Daemon, info: Info | None) -> TempRoom | Unavailable:
    """The room in the folder that DOCKER_TMPDIR gives the engine.

    Two questions where the engine's environment has the variable, and none elsewhere.
    """
    folder = chosen_folder(daemon)
    if not folder or info is None:
        return TempRoom()
    usage = host.require(StatFilesystem(folder))
    of_root = host.ask(StatFilesystem(info.docker_root_dir))
    if isinstance(of_root, Failed) or of_root.dev == usage.dev:
        return TempRoom()
    return TempRoom(folder, usage, info.docker_root_dir, of_root.available)
