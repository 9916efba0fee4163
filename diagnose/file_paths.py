"""What absolute paths say by their names alone: their relations, and what a file is. Pure."""

import posixpath
from collections.abc import Iterable, Iterator

COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""The names of the files that compose finds by itself, in the order in which it looks."""


def is_within(path: str, folder: str) -> bool:
    """Whether a path is that folder or lies below it."""
    return path == folder or is_below(path, folder)


def is_below(path: str, folder: str) -> bool:
    """Whether a path lies below a folder; no path lies below itself."""
    return path.startswith(folder.rstrip("/") + "/")


def folders_around(path: str) -> Iterator[str]:
    """The folders in which an absolute path lies, the innermost first and `/` last."""
    folder = path.rstrip("/")
    while folder:
        folder = posixpath.dirname(folder).rstrip("/")
        yield folder or "/"


def innermost(folders: Iterable[str], path: str) -> str:
    """The deepest of these folders below which a path lies; "" for none."""
    return max((folder for folder in folders if is_below(path, folder)), key=len, default="")


def is_yaml(path: str) -> bool:
    """Whether a file is YAML by its name, as a compose file is, and an env file is not."""
    return path.endswith((".yml", ".yaml"))
