"""Volumes that an error names by their folders below the data root. Pure."""

import posixpath

from diagnose.lazy_pattern import LazyPattern

_FOLDER = LazyPattern(r"/volumes/(?P<name>[A-Za-z0-9][\w.-]{0,254})/_data\b")
"""/var/lib/docker/volumes/shop/_data"""


def volumes_in(text: str) -> list[str]:
    """The names of the volumes, each once, in alphabetical order."""
    return sorted({match["name"] for match in _FOLDER.finditer(text)})


def volume_at(folder: str) -> str:
    """The name of the volume whose files are in this folder: "shop" of .../volumes/shop/_data."""
    return posixpath.basename(folder.removesuffix("/_data"))
