"""The folders of layers in a data root, beside what the engine's records name."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from diagnose.model import Json

REMOVAL_S = 0.4
"""The engine removes the folder of a layer at most so long before it forgets the layer."""
DATABASE_MAX = 64 << 20


ID_LENGTH = 64
"""A record that is being removed has a longer name."""


def layers(args: Json) -> Json:
    """See `files.layers`."""
    answer = _layers(args)
    passing = ("lost", "unreadable")
    if any(answer[kind] for kind in passing):
        # the engine removes a folder a moment before its record
        time.sleep(REMOVAL_S)
        second_look = _layers(args)
        for kind in passing:
            answer[kind] = [name for name in answer[kind] if name in second_look[kind]]
    return answer


def _layers(args: Json) -> Json:
    """The folders of overlay2 beside the engine's records, which name those that are in use."""
    root = Path(args["path"])
    folders = {
        entry.name: entry.stat(follow_symlinks=False).st_mtime
        for entry in os.scandir(root / "overlay2")
        if entry.is_dir(follow_symlinks=False) and entry.name != "l"
    }
    records = _Records(root / "image/overlay2/layerdb")
    layer_names = sorted(records.referenced - {""})
    loose = [name for name in folders if name not in records.referenced]
    return {
        "folders": [{"name": name, "mtime": mtime} for name, mtime in folders.items()],
        "referenced": layer_names,
        "mentioned": _named_in_databases(root, loose),
        "mounts": {id_: folder for id_, folder in records.mount_of.items() if folder},
        "lost": [
            name
            for name in layer_names
            if name not in folders and not (root / "overlay2" / name).exists()
        ],
        "unreadable": sorted(records.unreadable),
    }


class _Records:
    """The records of the engine's database of layers.

    referenced: the folders that it names, "" where a record is empty. mount_of: the folder of each
    container's writable layer, by the container's id. unreadable: ids of image layers whose record
    names no folder.
    """

    def __init__(self, database: Path) -> None:
        self.mount_of: dict[str, str] = {}
        folder_of = {
            layer.name: _word(f"{layer.path}/cache-id") for layer in _folders(database / "sha256")
        }
        self.referenced = {*folder_of.values()}
        self.unreadable = [
            id for id, folder in folder_of.items() if not folder and len(id) == ID_LENGTH
        ]
        for container in _folders(database / "mounts"):
            mount = _word(f"{container.path}/mount-id")
            self.mount_of[container.name] = mount
            self.referenced |= {mount, _word(f"{container.path}/init-id")}


def _named_in_databases(root: Path, folders: Sequence[str]) -> list[str]:
    """The folders that a database of BuildKit names. No database is read for no folder."""
    if not folders:
        return []
    databases = [file.read_bytes()[:DATABASE_MAX] for file in (root / "buildkit").glob("*.db")]
    named_layers = []
    for name in folders:
        layer = name.removesuffix("-init").encode()
        if any(layer in database for database in databases):
            named_layers.append(name)
    return named_layers


def _folders(path: Path) -> list[os.DirEntry[str]]:
    """The folders in a folder; none where there is no such folder."""
    try:
        return [entry for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _word(path: str) -> str:
    """The one word of a small file of the engine's; empty where there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        return os.read(descriptor, 4096).decode("utf-8", "replace").strip()
    finally:
        os.close(descriptor)
