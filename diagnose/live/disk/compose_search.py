"""Compose files of projects that no container may be of."""

# Called for hundreds of folders; pathlib triples their cost.
# ruff: noqa: PTH116, PTH118

import os
import stat
from collections.abc import Iterator, Mapping

from diagnose.live.kernel.mountinfo import MountEntry, by_point, holding, mounts
from diagnose.model import Json

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""In the order in which compose looks for them."""
_MOST_FOLDERS = 150
"""Folders below one of those that are asked about."""
_MOST = 100


def found_compose_files(args: Json) -> Json:
    """See `compose.found_compose_files`. A folder that cannot be listed has none."""
    points = by_point(mounts())
    found: dict[str, Json] = {}
    here = args.get("here") or "/"
    if here != "/" and _is_own(here, points):
        found |= {file["path"]: {**file, "is_here": True} for file in _file_in(here)}
    for place in args["folders"]:
        parents = [place]
        if place.endswith("/*"):
            parents = list(_below(place.removesuffix("/*"), points))
        for parent in parents:
            for folder in _below(parent, points):
                for file in _file_in(folder):
                    found.setdefault(file["path"], file)
    return list(found.values())[:_MOST]


def _is_own(path: str, points: Mapping[str, MountEntry]) -> bool:
    """Whether a path is on a disk of this machine, by the table of mounts alone."""
    mount = holding(path, points)
    return mount is not None and not mount.may_hang and mount.fstype != "autofs"


def _below(parent: str, points: Mapping[str, MountEntry]) -> Iterator[str]:
    """The folders in a folder, but for links and mount points."""
    if not _is_own(parent, points):
        return
    try:
        with os.scandir(parent) as entries:
            for entry, _ in zip(entries, range(_MOST_FOLDERS), strict=False):
                if entry.path not in points and entry.is_dir(follow_symlinks=False):
                    yield entry.path
    except OSError:
        return


def _file_in(folder: str) -> Iterator[dict[str, Json]]:
    """The file that compose would take there."""
    for name in NAMES:
        path = os.path.join(folder, name)
        try:
            status = os.stat(path, follow_symlinks=False)
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(status.st_mode):
            yield {"path": path, "mtime": status.st_mtime}
            return
