"""container.imports-copied: folders of importers and downloaders, and where they lie."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.mounts.copied_imports import copied_imports
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import Json
from diagnose.questions import Question
from diagnose.questions.files import StatPaths
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

MOUNTS = Mounts(
    (
        Mounted("/", "ext4", dev="8:1"),
        Mounted("/srv", "btrfs", dev="0:30"),
        Mounted("/mnt/disk", "ext4", dev="8:17"),
    )
)
SONARR, SABNZBD = "lscr.io/linuxserver/sonarr:latest", "linuxserver/sabnzbd:4"
ADVICE = [("advice", "web")]
BOTH = ["/srv/data/torrents:/downloads", "/srv/data/tv:/tv"]
CASES: dict[str, tuple[str, list[str], list[tuple[str, str]]]] = {
    "an importer": (SONARR, BOTH, ADVICE),
    "its settings beside them": (SONARR, [*BOTH, "/srv/config:/config"], ADVICE),
    "below the root folder alone": (SONARR, ["/downloads:/downloads", "/media:/tv"], ADVICE),
    "a downloader": (SABNZBD, ["/srv/i:/incomplete-downloads", "/srv/d:/downloads"], ADVICE),
    "an importer of names with a suffix": ("hotio/radarr:nightly", ["/srv/d:/torrents", "/srv/m:/movies"], ADVICE),
    "one mount": (SONARR, ["/srv/data:/data"], []),
    "one mount beside them": (SONARR, ["/srv/data:/data", *BOTH], []),
    "one in the other": (SONARR, ["/srv/media:/media", "/srv/media/downloads:/downloads"], []),
    "a library alone": (SONARR, ["/srv/tv:/tv", "/srv/anime:/anime"], []),
    "two disks": (SONARR, ["/srv/torrents:/downloads", "/mnt/disk/tv:/tv"], []),
    "two subvolumes": (SONARR, ["/srv/torrents:/downloads", "/srv/subvolume:/tv"], []),
    "a library that is only read": (SONARR, [BOTH[0], "/srv/data/tv:/tv:ro"], []),
    "a player": ("jellyfin/jellyfin:10", BOTH, []),
    "one folder of a downloader": (SABNZBD, ["/srv/d:/downloads", "/srv/c:/config"], []),
}  # fmt: skip


def _status(question: Question[object]) -> Json:
    """Folders: a subvolume has a device of its own."""
    assert isinstance(question, StatPaths)
    devices = {path: "0:31" if path == "/srv/subvolume" else "0:30" for path in question.paths}
    return {path: {"type": "folder", "dev": dev} for path, dev in devices.items()}


@pytest.mark.parametrize(("image", "binds", "expected"), CASES.values(), ids=CASES)
def test_folders(image: str, binds: list[str], expected: list[tuple[str, str]]) -> None:
    places = [f"{entry}:rw".split(":")[:3] for entry in binds]
    mounts = [
        {"Type": "bind", "Source": source, "Destination": destination, "RW": mode == "rw"}
        for source, destination, mode in places
    ]
    web = container(Config={"Image": image}, Mounts=mounts)
    found = copied_imports(Made({"file.stats": _status}), of(web), MOUNTS)
    assert rows(judge("container.imports-copied", copied_imports=found)) == expected


FREE = {"free": (BOTH, "/srv/data:/data"), "taken": ([*BOTH, "/srv/x:/data"], "")}


@pytest.mark.parametrize(("binds", "expected"), FREE.values(), ids=FREE)
def test_one_mount_is_added_where_its_path_is_free(binds: list[str], expected: str) -> None:
    mounts = [
        {"Type": "bind", "Source": source, "Destination": destination, "RW": True}
        for source, destination in (entry.split(":") for entry in binds)
    ]
    web = container(Config={"Image": SONARR}, Mounts=mounts)
    found = copied_imports(Made({"file.stats": _status}), of(web), MOUNTS)
    (finding,) = judge("container.imports-copied", copied_imports=found).findings
    assert finding.variables.get("common_mount", "") == expected
