"""Compose files of projects that no container may be of."""

# Called for hundreds of folders; pathlib triples their cost.
# ruff: noqa: PTH114, PTH116, PTH118

import os
import re
import stat
from collections.abc import Iterator, Mapping

from diagnose.file_paths import COMPOSE_FILES
from diagnose.live.disk.opening import read_text
from diagnose.live.kernel.mountinfo import MountEntry, by_point, holding, mounts
from diagnose.model import Json

_OTHERS = re.compile(r"(?:docker-)?compose[.-].*\.ya?ml")
_NAMES_FILES = re.compile(r"^[ \t]*(?:export[ \t]+)?COMPOSE_FILE[ \t]*=", re.MULTILINE)
"""A line of `.env` that names the files of the project."""
_MOST_FOLDERS = 150
"""Folders below one of those that are asked about."""
_MOST = 100
_MOST_NAMES = 500
"""Names in the folder of a file that are looked at."""
_LONGEST = 1 << 14
"""Bytes of `.env` that are read."""


def found_compose_files(args: Json) -> Json:
    """See `compose.found_compose_files`. A folder that cannot be listed has none."""
    points = by_point(mounts())
    files_by_folder: dict[str, Json] = {}
    working_dir = args.get("here") or "/"
    if working_dir != "/" and _is_own(working_dir, points):
        files_by_folder |= {
            file["path"]: {**file, "is_here": True} for file in _file_in(working_dir)
        }
    for place in args["folders"]:
        parents = [place]
        if place.endswith("/*"):
            parents = list(_folders_below(place.removesuffix("/*"), points))
        for parent in parents:
            for folder in _folders_below(parent, points):
                for file in _file_in(folder):
                    files_by_folder.setdefault(file["path"], file)
    return list(files_by_folder.values())[:_MOST]


def _is_own(path: str, points: Mapping[str, MountEntry]) -> bool:
    """Whether a path is on a disk of this machine, by the table of mounts alone."""
    mount = holding(path, points)
    return mount is not None and not mount.may_hang and mount.fstype != "autofs"


def _folders_below(parent: str, points: Mapping[str, MountEntry]) -> Iterator[str]:
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
    """The file that compose would take there; none where `.env` names others."""
    for name in COMPOSE_FILES:
        path = os.path.join(folder, name)
        try:
            status = os.stat(path, follow_symlinks=False)
        except (OSError, ValueError):
            continue
        if not stat.S_ISREG(status.st_mode):
            continue
        if not _names_files(os.path.join(folder, ".env")):
            yield {"path": path, "mtime": status.st_mtime, "has_others": _has_others(folder)}
        return


def _names_files(dotenv: str) -> bool:
    """Whether the variables of a folder say which files compose takes. A link is not followed."""
    if os.path.islink(dotenv):
        return False
    return _NAMES_FILES.search(read_text(dotenv, _LONGEST) or "") is not None


def _has_others(folder: str) -> bool:
    """Whether a folder has an override, or a file for one stage, such as compose.prod.yaml."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry, _ in zip(entries, range(_MOST_NAMES), strict=False)]
    except OSError:
        return False
    return any(map(_OTHERS.fullmatch, names))
