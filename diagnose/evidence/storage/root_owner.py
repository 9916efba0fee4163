"""The owners of the folders of the data root, where they are not the engine's own user."""

import posixpath

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.starting.temp_folder import TempFolder
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.files import StatPaths
from diagnose.registry import evidence

_OWN = ("containers", "volumes", "image", "overlay2")
"""Folders that the engine creates itself, and that belong to its user or to root."""


class RootOwner(msgspec.Struct, frozen=True):
    """The user who owns the data root and all that the engine has created in it."""

    path: str
    uid: int | None = None
    """None where it is the engine's user, root or the remapped root, as it should be."""


@evidence
def root_owner(
    host: Host,
    data_root: DataRoot,
    info: Info,
    daemon: Daemon | None,
    temp_folder: TempFolder | None,
) -> RootOwner | Unavailable:
    """The owner of the data root, where it is not root.

    The folders below it are looked at only where the data root itself has another owner. A user may
    have created the data root before the engine took it: the engine's own folders in it belong to
    root all the same.
    """
    root = info.docker_root_dir or data_root.path
    paths = [root, temp_folder.path if temp_folder else posixpath.join(root, "tmp")]
    statuses = host.require(StatPaths(paths))
    status = statuses.get(root)
    engine = daemon.processes.engine if daemon is not None else None
    expected = {0, _remapped_first_id(root), engine.uid if engine is not None else None}
    if info.is_rootless or status is None:
        return RootOwner(root)
    if status.failed or status.uid in expected:
        return RootOwner(root)
    below = host.require(StatPaths([posixpath.join(root, name) for name in _OWN]))
    owners = {entry.uid for entry in below.values() if not entry.failed}
    return RootOwner(root, status.uid if owners == {status.uid} else None)


def _remapped_first_id(root: str) -> int | None:
    """The first id of `userns-remap`, after which the engine names its folder: 165536.165536."""
    uid = posixpath.basename(root).partition(".")[0]
    return int(uid) if uid.isdecimal() else None
