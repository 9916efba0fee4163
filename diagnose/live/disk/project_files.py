"""What workers of the helper process do with the files of a compose project."""

# Called by many questions; pathlib triples their cost.
# ruff: noqa: PTH116

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable

from diagnose.live import Refused
from diagnose.live.disk.opening import open_regular, read_all
from diagnose.model import Json

_LONGEST = 1 << 18


def lost_dollars(args: Json) -> Json:
    """See `files.lost_dollars`. A file that cannot be read has none."""
    from diagnose.live.disk.dollars import env_files, lost  # only where a program refuses a secret

    texts = _texts(args["paths"])
    named = _texts(env_files(texts, args.get("folder", "")))
    return lost({**named, **texts})


def blank_references(args: Json) -> Json:
    """See `files.blank_references`. A file that cannot be read has none."""
    from diagnose.live.disk.references import blank  # only where a container of compose failed

    return blank(_texts(args["paths"]))


def compose_files(args: Json) -> Json:
    """See `files.compose_files`. A file that cannot be looked at is left out."""
    from diagnose.live.disk.env_files import named  # only where a container of compose runs

    folder = args["folder"]
    texts = _texts(args["paths"])
    names = [name for text in texts.values() for name in named(text)]
    places = [posixpath.normpath(posixpath.join(folder, name)) for name in names]
    found = []
    for path in dict.fromkeys([*texts, f"{folder}/.env", *places]):
        try:
            found.append({"path": path, "mtime": os.stat(path).st_mtime})
        except OSError:
            continue
    return found


def compose_variables(args: Json) -> Json:
    """See `files.compose_variables`. A file that cannot be read gives nothing."""
    from diagnose.live.disk.compose_variables import variables  # only where such a file is newer

    texts = _texts(args["paths"])
    if len(texts) < len(args["paths"]):
        return []
    return variables(
        texts, args["folder"], args["service"], lambda path: _texts([path]).get(path, "")
    )


def _texts(paths: Iterable[str]) -> dict[str, str]:
    """The beginnings of the files that can be read, by path."""
    texts = {}
    for path in paths:
        try:
            descriptor = open_regular(path)
        except (OSError, Refused):
            continue
        try:
            texts[path] = read_all(descriptor, _LONGEST).decode("utf-8", "replace")
        finally:
            os.close(descriptor)
    return texts
