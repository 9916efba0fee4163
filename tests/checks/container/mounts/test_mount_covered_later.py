"""container.mount-stale: a disk that was mounted after the container had taken the folder."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.mounts.stale_mounts import DELETED, stale_mounts
from diagnose.evidence.storage.mounts import Mounted, Mounts, parse
from diagnose.model import Json
from diagnose.questions import Question
from tests.hosts import Made
from tests.inspected import bind, container, of
from tests.judging import judge, rows


def mounted(point: str, dev: str, fstype: str = "ext4") -> Mounted:
    return Mounted(point, fstype, f"/dev/{dev}", "/", dev, "rw", "rw")


SYSTEM = mounted("/", "8:1")


DISK = mounted("/srv/media", "8:17")


@pytest.mark.parametrize(
    ("inside", "mounts", "stat", "covered"),
    [
        pytest.param("8:1", [SYSTEM, DISK], "8:17", ["/dev/8:17"], id="mounted later"),
        pytest.param("8:17", [SYSTEM, DISK], "8:17", [], id="mounted before"),
        pytest.param("8:17", [SYSTEM], "8:1", [], id="unmounted later, and no engine is seen"),
        pytest.param("8:1", [SYSTEM, DISK], "8:1", [], id="a link that leads elsewhere"),
        pytest.param("8:33", [SYSTEM, DISK], "8:17", [], id="another disk than the one beneath"),
        pytest.param(
            "8:1", [SYSTEM, mounted("/srv/media", "0:5", "autofs")], "0:5", [], id="automount"
        ),
    ],
)
def test_disk_mounted_after_the_start(
    inside: str, mounts: list[Mounted], stat: str, covered: list[str]
) -> None:
    user = container("media", **bind("/srv/media/films", Destination="/films"))

    def stats(question: Question[Json]) -> Json:
        devices = {"/srv/media/films": stat, "/srv/media": "8:17", "/": "8:1"}
        return {path: {"dev": devices.get(path, "")} for path in question.args["paths"]}

    table = f"1 0 0:30 / / rw - overlay overlay rw\n2 1 {inside} /srv/media/films /films rw - ext4 /dev/x rw\n"
    host = Made({"file.read": {"text": table}, "file.stats": stats})
    stale = stale_mounts(host, of(user), Mounts(tuple(mounts)), None)
    assert [mount.covered_by for mount in stale.items] == covered
    result = judge("container.mount-stale", stale_mounts=stale)
    assert rows(result) == [("warning", "media")] * len(covered)


def test_deleted_mounts_are_read_off_the_mount_table():
    table = [
        "612 600 254:1 /srv/old//deleted /etc/app\\040conf ro,relatime - ext4 /dev/vda1 rw",
        "613 600 254:1 /srv/new /data rw,relatime - ext4 /dev/vda1 rw",
    ]
    assert [
        mounted.point for mounted in parse("\n".join(table)) if mounted.root.endswith(DELETED)
    ] == ["/etc/app conf"]


@pytest.mark.parametrize(
    ("root", "now", "led_to"),
    [
        pytest.param("/srv/site/releases/1", 12, "/srv/site/releases/1", id="switched since"),
        pytest.param("/srv/site/releases/1", 11, "", id="leads where it led"),
        pytest.param("/srv/site/current", 12, "", id="no link"),
        pytest.param("/srv/site/releases/1", 0, "", id="leads to nothing"),
    ],
)
def test_a_link_that_a_deployment_has_switched(root: str, now: int, led_to: str) -> None:
    web = container("web", **bind("/srv/site/current", Destination="/www"))
    numbers = {"/srv/site/current": now, "/srv/site/releases/1": 11}

    def stats(question: Question[Json]) -> Json:
        return {path: {"dev": "8:1", "ino": numbers[path]} for path in question.args["paths"]}

    table = f"1 0 0:30 / / rw - overlay overlay rw\n2 1 8:1 {root} /www rw - ext4 /dev/x rw\n"
    host = Made({"file.read": {"text": table}, "file.stats": stats})
    stale = stale_mounts(host, of(web), Mounts((SYSTEM,)), None)
    assert [mount.led_to for mount in stale.items] == ([led_to] if led_to else [])
    result = judge("container.mount-stale", stale_mounts=stale)
    assert all(f"still sees {led_to}:" in finding.summary for finding in result.findings)
