"""container.mount-stale: a disk that a container still has, and the host has no longer."""

from __future__ import annotations

import pytest

from diagnose import runbooks
from diagnose.evidence.containers.mounts.stale_mounts import stale_mounts
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.evidence.storage.volumes.volume_sources import BoundVolumes
from diagnose.model import Json
from diagnose.questions import Question
from tests.checks.daemon.evidence import ALIVE
from tests.hosts import Made
from tests.inspected import bind, container, of
from tests.judging import judge, rows


def mounted(point: str, dev: str, fstype: str = "ext4") -> Mounted:
    return Mounted(point, fstype, f"/dev/{dev}", "/", dev, "rw", "rw")


SYSTEM = mounted("/", "8:1")
OTHER = mounted("/srv/media", "8:33")
DOCKERD = ALIVE.processes.engine.pid if ALIVE.processes.engine is not None else 0
KEPT = {
    "replaced by another": ([SYSTEM, OTHER], "8:33", "8:33", "/dev/8:33"),
    "unmounted": ([SYSTEM], "8:1", "8:1", ""),
    "the engine sees what the container sees": ([SYSTEM, OTHER], "8:33", "8:17", None),
    "a link that leads elsewhere": ([SYSTEM, OTHER], "8:17", "8:33", None),
    "automount": ([SYSTEM, mounted("/srv/media", "0:5", "autofs")], "0:5", "0:5", None),
}


@pytest.mark.parametrize(("mounts", "stat", "of_engine", "covered_by"), KEPT.values(), ids=KEPT)
def test_disk_that_the_host_has_no_longer(
    mounts: list[Mounted], stat: str, of_engine: str, covered_by: str | None
) -> None:
    user = container("media", **bind("/srv/media/films", Destination="/films"))

    def stats(question: Question[Json]) -> Json:
        devices = {"/srv/media/films": stat}
        return {path: {"dev": devices.get(path, mounts[-1].dev)} for path in question.args["paths"]}

    def table(question: Question[Json]) -> Json:
        if question.args["path"] == f"/proc/{DOCKERD}/mountinfo":
            return {
                "text": f"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 {of_engine} / /srv/media rw - ext4 /dev/b rw\n"
            }
        return {"text": "2 1 8:17 /films /films rw - ext4 /dev/8:17 rw\n"}

    host = Made({"file.read": table, "file.stats": stats})
    stale = stale_mounts(host, of(user), Mounts(tuple(mounts)), ALIVE)
    expected = [] if covered_by is None else [(covered_by, "/dev/8:17")]
    assert [(mount.covered_by, mount.held) for mount in stale.items] == expected
    result = judge("container.mount-stale", stale_mounts=stale)
    assert rows(result) == [("warning", "media")] * len(expected)
    assert [list(finding.variables) for finding in result.findings] == (
        [["container", "remounted", "source", "inside"]]
        if covered_by
        else [["container", "unmounted", "held_device", "holder"]] * len(expected)
    )
    cures = [
        runbooks.cure("container.mount-stale", finding.variables, runbooks.Place())
        for finding in result.findings
    ]
    mounts_again = [cure is not None and "mount /srv/media" in cure.text for cure in cures]
    assert mounts_again == [not covered_by] * len(expected)


def test_share_mounted_again_under_a_volume() -> None:
    """The folder of a volume that is a bind mount is named, and not that of the volume."""
    volume = {"Type": "volume", "Name": "films", "Source": "/var/lib/docker/volumes/films/_data"}
    user = container("media", Mounts=[{**volume, "Destination": "/films"}])
    of_host = "1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:33 / /srv/media rw - ext4 /dev/b rw\n"
    of_media = "2 1 8:17 /films /films rw - ext4 /dev/8:17 rw\n"

    def table(question: Question[Json]) -> Json:
        is_engine = question.args["path"] == f"/proc/{DOCKERD}/mountinfo"
        return {"text": of_host if is_engine else of_media}

    def stats(question: Question[Json]) -> Json:
        return {path: {"dev": "8:33"} for path in question.args["paths"]}

    host, mounts = Made({"file.read": table, "file.stats": stats}), Mounts((SYSTEM, OTHER))
    for folders, expected in (({"films": "/srv/media/films"}, ["/srv/media/films"]), ({}, [])):
        stale = stale_mounts(host, of(user), mounts, ALIVE, BoundVolumes(folders))
        assert [mount.mount.source for mount in stale.items] == expected


@pytest.mark.parametrize(
    ("source", "severity"), [("/etc/localtime", "advice"), ("/etc/nginx.conf", "warning")]
)
def test_a_time_zone_that_an_update_has_replaced_is_advice(source: str, severity: str) -> None:
    user = container("media", **bind(source, Destination="/zone"))
    table: Json = {"text": "2 1 8:1 /zone//deleted /zone rw - ext4 /dev/a rw\n"}
    stale = stale_mounts(Made({"file.read": table}), of(user), Mounts((SYSTEM,)), ALIVE)
    assert rows(judge("container.mount-stale", stale_mounts=stale)) == [(severity, "media")]


READ_ONLY = {
    "read-only since its start": ("rw", "rw", "ro,relatime", {}, ["remounted"]),
    "as it is now": ("rw", "rw", "rw,relatime", {}, []),
    "read-only by its settings": ("rw", "rw", "ro,relatime", {"RW": False}, []),
    "read-only on the host too": ("ro", "rw", "ro,relatime", {}, []),
    "a disk that failed": ("rw", "ro", "ro,relatime", {}, []),
}


@pytest.mark.parametrize(
    ("options", "superblock", "inside", "settings", "expected"), READ_ONLY.values(), ids=READ_ONLY
)
def test_disk_that_was_read_only_at_the_start(
    options: str, superblock: str, inside: str, settings: dict[str, bool], expected: list[str]
) -> None:
    user = container("files", **bind("/mnt/data/shop", Destination="/srv", **settings))
    disk = Mounted("/mnt/data", "ext4", "/dev/8:33", "/", "8:33", options, superblock)
    table = f"2 1 8:33 /shop /srv {inside} - ext4 /dev/8:33 rw\n"
    host = Made({"file.read": {"text": table}})
    stale = stale_mounts(host, of(user), Mounts((SYSTEM, disk)), ALIVE)
    result = judge("container.mount-stale", stale_mounts=stale)
    assert [list(finding.variables)[1:] for finding in result.findings] == [[w] for w in expected]
    assert rows(result) == [("warning", "files")] * len(expected)
