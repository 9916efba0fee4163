"""Names in the `.env` of a compose project that nothing in its folder mentions.

Compose reads that file to replace `${NAME}` in its own files. It passes none of it to a container.
"""

import os
from collections.abc import Iterator, Mapping

from diagnose.lazy_pattern import LazyPattern
from diagnose.live.disk.compose.env_files import names_in_text, paths_of
from diagnose.live.disk.compose.variables import assigned_values
from diagnose.live.disk.opening import read_text

_LONGEST = 1 << 16
"""Bytes of a file that are searched."""
_MOST_FILES = 60
_MOST = 40
"""Names of one project."""
_NO_USER = LazyPattern(
    r"(?i)\.env|readme|.*(?:\.(?:md|txt|bak|old|orig|log)|example|sample|template)"
)
"""Files that list the names without a use of them: copies, examples, documents."""
_WORD = LazyPattern(r"[A-Za-z_]\w{0,99}")


def unused_keys(texts: Mapping[str, str], folder: str) -> list[str]:
    """The names with a value in `.env` that no other file of the folder mentions.

    None where a service names `.env` as its env file. texts: the compose files of the project.
    """
    dotenv = f"{folder}/.env"
    values = assigned_values(read_text(dotenv, _LONGEST) or "")
    names = {name for name, value in values.items() if value}
    env_files = [name for text in texts.values() for name in names_in_text(text)]
    if not names or dotenv in paths_of(env_files, folder):
        return []
    for text in texts.values():
        names -= set(_WORD.findall(text))
    if not names:
        return []
    for text in _other_texts(folder):
        names -= set(_WORD.findall(text))
    return [name for name in values if name in names][:_MOST]


def _other_texts(folder: str) -> Iterator[str]:
    """The texts of scripts and settings in the folder, which may use the names."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - as its neighbours
    except OSError:
        return
    for name in names[:_MOST_FILES]:
        if not _NO_USER.match(name):
            yield read_text(f"{folder}/{name}", _LONGEST) or ""
