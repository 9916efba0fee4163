"""Mounts over a part of the data root, and the containers that are missing since."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.data.covered_records import CoveredRecords, covered_records
from diagnose.evidence.engine.info import Info
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion
from tests.hosts import Made
from tests.inspected import container, of

ROOT = "/var/lib/docker"
INFO = Info(driver="overlay2", docker_root_dir=ROOT)
LAYERS = f"{ROOT}/image/overlay2/layerdb/mounts"
ID, OTHER = "a" * 64, "b" * 64
VOLUME = {
    "Type": "volume",
    "Name": "data",
    "Source": f"{ROOT}/volumes/data/_data",
    "Destination": "/data",
    "RW": True,
}


def listing(**by_folder: Sequence[str]) -> Callable[[AnyQuestion], Json | Failed]:
    """The answers about folders: `layers` and `configs`; no other folder exists."""
    folders = {
        LAYERS: by_folder.get("layers"),
        f"{ROOT}/containers": by_folder.get("configs"),
        f"{ROOT}/volumes": ["kept"],
    }

    def answer(question: AnyQuestion) -> Json | Failed:
        names = folders.get(question.args["path"])
        if names is None:
            return Failed("missing")
        return {"entries": [{"name": name, "type": "folder"} for name in names], "truncated": False}

    return answer


def mounted(*points: str) -> Mounts:
    disks = [Mounted(point, "ext4", "/dev/sdb1", dev=f"8:{at}") for at, point in enumerate(points)]
    return Mounts((Mounted("/", "ext4", "/dev/sda1", dev="7:0"), *disks))


CASES: dict[str, tuple[Mounts, Containers, list[tuple[str, tuple[str, ...]]]]] = {
    "over the images": (mounted(f"{ROOT}/image"), of(), [(f"{ROOT}/image", (ID,))]),
    "over the containers": (mounted(f"{ROOT}/containers"), of(), [(f"{ROOT}/containers", (ID,))]),
    "over the whole data root": (mounted(ROOT), of(), []),
    "over the volumes": (mounted(f"{ROOT}/volumes"), of(), []),
    "nothing is mounted there": (mounted(), of(), []),
    "the engine has containers": (mounted(f"{ROOT}/image"), of(container("web", Id=ID)), []),
    "over the images of a running engine": (
        mounted(f"{ROOT}/image"),
        of(container("web", Id=OTHER)),
        [(f"{ROOT}/image", (OTHER,))],
    ),
    "over the volumes of a running engine": (
        mounted(f"{ROOT}/volumes"),
        of(container("web", Id=OTHER, Mounts=[VOLUME])),
        [(f"{ROOT}/volumes", (OTHER,))],
    ),
    "a disk for all volumes": (
        mounted(f"{ROOT}/volumes"),
        of(container("web", Id=OTHER, Mounts=[{**VOLUME, "Name": "kept"}])),
        [],
    ),
}


@pytest.mark.parametrize(("mounts", "containers", "expected"), CASES.values(), ids=CASES)
def test_covered_records(
    mounts: Mounts, containers: Containers, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    host = Made({"file.list": listing(layers=[ID], configs=[ID, "no-id"])})
    found = covered_records(host, INFO, containers, mounts)
    assert isinstance(found, CoveredRecords)
    assert [(record.mount.point, record.ids) for record in found] == expected


def test_a_disk_that_fstab_names_is_meant() -> None:
    fstab = {"text": f"/dev/sdb1 {ROOT}/containers ext4 defaults 0 2\n", "truncated": False}

    def read(question: AnyQuestion) -> Json | Failed:
        return fstab if question.args["path"] == "/etc/fstab" else Failed("missing")

    host = Made({"file.list": listing(layers=[ID], configs=[]), "file.read": read})
    found = covered_records(host, INFO, of(), mounted(f"{ROOT}/containers"))
    assert isinstance(found, CoveredRecords)
    assert not list(found)


@pytest.mark.parametrize(("truncated", "expected"), [(False, [f"{ROOT}/volumes"]), (True, [])])
def test_a_list_that_was_cut_off_proves_nothing(truncated: bool, expected: list[str]) -> None:
    answer: Json = {"entries": [{"name": "0", "type": "folder"}], "truncated": truncated}
    web = of(container("web", Id=OTHER, Mounts=[VOLUME]))
    found = covered_records(Made({"file.list": answer}), INFO, web, mounted(f"{ROOT}/volumes"))
    assert isinstance(found, CoveredRecords)
    assert [record.mount.point for record in found] == expected
