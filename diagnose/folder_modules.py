"""The modules of a folder by name."""

from __future__ import annotations

import os
import pkgutil
from collections.abc import Iterable, Iterator


def modules_in(folders: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """The names of the sources in these folders, and whether each is a package, sorted by folder.

    `pkgutil.iter_modules` lists each folder in a folder, and tries seven endings for each name: 4
    of the 170 ms that all imports of a run take. It is asked about what is no folder, such as an
    archive.
    """
    for folder in folders:
        if not os.path.isdir(folder):  # noqa: PTH112 - a path object for each costs as much again
            yield from ((found.name, found.ispkg) for found in pkgutil.iter_modules([folder]))
            continue
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 - the same
            stem, dot, ending = name.partition(".")
            if ending == "py" and stem != "__init__":
                yield stem, False
            elif not dot and os.path.isfile(f"{folder}/{name}/__init__.py"):  # noqa: PTH113
                yield name, True
