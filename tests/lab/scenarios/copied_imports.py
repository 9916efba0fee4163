"""Programs that bring files from one folder to another, with one mount and with two."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.storage.helpers import SAFE

_IMPORTER = """#!/bin/sh
mkdir -p "$1" "$2"
echo episode > "$1/episode.mkv"
ln "$1/episode.mkv" "$2/episode.mkv" || cp "$1/episode.mkv" "$2/episode.mkv"
exec sleep 1000
"""


def _importer(box: Box, name: str, folders: str, *binds: str) -> str:
    """A program that links or else copies a file from one folder to another; the file's links."""
    load(box, "sonarr:4.0", Recipe({"import": (_IMPORTER.encode(), 0o755)}))
    box.sh(f"mkdir -p /srv/{name}/torrents /srv/{name}/tv")
    mounts = [f"--volume=/srv/{name}{bind}" for bind in binds]
    box.docker(*SAFE, f"--name={name}", *mounts, "sonarr:4.0", "/import", *folders.split())
    imported = f"/srv/{name}/tv/episode.mkv"
    box.wait_for(lambda: "mkv" in box.sh(f"ls {imported}", check=False), what="the import")
    return box.sh(f"stat -c %h {imported}").strip()


@fault("container.imports-copied", subject="container:sonarr71", exit_code=0, shareable=True)
def folders_in_two_mounts(box: Box) -> None:
    """Downloads and library lie on one disk, and the program has two mounts of it."""
    links = _importer(box, "sonarr71", "/downloads /tv", "/torrents:/downloads", "/tv:/tv")
    assert links == "1"


@healthy()
def folders_in_one_mount(box: Box) -> None:
    """The folder that holds both is mounted."""
    assert _importer(box, "sonarr72", "/data/torrents /data/tv", ":/data") == "2"


@healthy()
def library_on_another_disk(box: Box) -> None:
    """The library lies on a file system of its own: nothing could link a file to it."""
    box.sh("mkdir -p /srv/sonarr73/tv && mount -t tmpfs -o size=1m library /srv/sonarr73/tv")
    links = _importer(box, "sonarr73", "/downloads /tv", "/torrents:/downloads", "/tv:/tv")
    assert links == "1"
