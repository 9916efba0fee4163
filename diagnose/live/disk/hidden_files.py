"""Files in the layers of an image that an empty mount hides."""

import os
import stat
from collections.abc import Iterator

from diagnose.live import Refused
from diagnose.live.disk.opening import open_folder
from diagnose.model import Json

_PROGRAMS = (
    ".class", ".dll", ".htm", ".html", ".jar", ".js", ".jsp", ".mjs", ".node", ".php", ".pl", ".py",
    ".rb", ".so", ".wasm", ".war",
)  # fmt: skip
"""How the names of files end that a program runs, or a web server shows."""
_MOST_ENTRIES = 300
_SHOWN = 5


def hidden_files(args: Json) -> Json:
    """See `files.hidden_files`."""
    hidden: list[Json] = []
    for place in args["places"]:
        if _is_empty_folder(place["source"]):
            files = list(_program_files(place["target"], place["layers"]))
            if files:
                hidden.append(
                    {"source": place["source"], "target": place["target"], "files": files}
                )
    return hidden


def _is_empty_folder(path: str) -> bool:
    try:
        folder = open_folder(path)
    except OSError:
        return False
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    finally:
        os.close(folder)


def _program_files(target: str, layers: list[str]) -> Iterator[str]:
    """The names of some of them, from the upper layer down; what an upper one hides is left out."""
    known_paths: set[str] = set()
    shown = 0
    for layer in layers:
        names: dict[str, bool] = {}
        for entry in _entries(target, layer):
            if entry.name not in known_paths:
                names[entry.name] = entry.is_dir(follow_symlinks=False)
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISREG(mode) and entry.name.endswith(_PROGRAMS):
                    shown += 1
                    yield entry.name
        for name in [name for name, is_folder in names.items() if is_folder]:
            for entry in _entries(f"{target}/{name}", layer):
                if entry.name.endswith(_PROGRAMS) and entry.is_file(follow_symlinks=False):
                    shown += 1
                    yield f"{name}/{entry.name}"
                if shown >= _SHOWN:
                    return
        known_paths |= names.keys()


def _entries(target: str, layer: str) -> Iterator[os.DirEntry[str]]:
    """The entries of a folder of a layer, which is resolved inside of it."""
    try:
        folder = open_folder(target, layer)
    except (OSError, Refused):
        return
    try:
        with os.scandir(folder) as entries:
            for entry, _ in zip(entries, range(_MOST_ENTRIES), strict=False):
                yield entry
    except OSError:
        return
    finally:
        os.close(folder)
