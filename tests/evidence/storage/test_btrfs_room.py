"""Room for metadata of btrfs, by the figures of sysfs."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.storage.filesystems import Filesystem, Filesystems, Usage
from diagnose.evidence.storage.usage.btrfs_room import BtrfsRoom, BtrfsRooms, btrfs_rooms
from diagnose.model import Failed, Json
from diagnose.questions import Question
from tests.hosts import Made
from tests.judging import judge

MIB = 1 << 20
ID = "f15eba71-18f3-4c39-97c7-5b93adc8b472"
FIGURES = {
    f"/sys/fs/btrfs/{ID}/{name}": f"{number}\n"
    for name, number in {
        "allocation/metadata/total_bytes": 32505856,
        "allocation/metadata/bytes_used": 22822912,
        "allocation/global_rsv_size": 5767168,
        "allocation/data/total_bytes": 276824064,
        "allocation/data/bytes_used": 31457280,
        "allocation/data/disk_total": 276824064,
        "allocation/metadata/disk_total": 32505856,
        "allocation/system/disk_total": 4194304,
        "devices/loop0/size": 614400,
    }.items()
}
"""Read on Linux 6.18 when a small file could not be made any more."""
FOLDERS = {"/sys/fs/btrfs": ["features", ID], f"/sys/fs/btrfs/{ID}/devices": ["loop0"]}
FULL = BtrfsRoom(32505856, 22822912 + 5767168, 1048576, 276824064, 31457280, is_full=True)


def _host(files: dict[str, str]) -> Made:
    def text(question: Question[Any]) -> Json | Failed:
        path = question.args["path"]
        return {"text": files[path]} if path in files else Failed("missing", path)

    def entries(question: Question[Any]) -> Json:
        names = FOLDERS.get(question.args["path"], [])
        listed = [{"name": name, "type": "folder"} for name in names]
        return {"entries": listed, "truncated": False}

    return Made({"file.read": text, "file.list": entries})


def _disks(fstype: str = "btrfs", source: str = "/dev/loop0", available: int = 0) -> Filesystems:
    used = 58 * MIB
    usage = Usage(
        "/srv",
        fstype,
        source,
        300 * MIB,
        used,
        242 * MIB,
        available,
        inodes=0,
        inodes_free=0,
        dev="0:50",
        read_only=False,
    )
    return Filesystems((Filesystem("/srv", usage, ("data root",)),))


@pytest.mark.parametrize(
    ("files", "disks", "expected"),
    [
        pytest.param(FIGURES, _disks(), {"/srv": FULL}, id="known"),
        pytest.param(
            FIGURES, _disks(available=MIB), {"/srv": replace(FULL, is_full=False)}, id="df has room"
        ),
        pytest.param({}, _disks(), {}, id="sysfs is not to be seen"),
        pytest.param(FIGURES, _disks(source="/dev/sdb"), {}, id="another btrfs"),
    ],
)
def test_figures_of_sysfs(
    files: dict[str, str], disks: Filesystems, expected: dict[str, BtrfsRoom]
) -> None:
    assert btrfs_rooms(_host(files), disks).by_point == expected


def test_an_encrypted_disk_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FOLDERS, f"/sys/fs/btrfs/{ID}/devices", ["dm-0"])
    device = f"/sys/fs/btrfs/{ID}/devices/dm-0"
    files = {**FIGURES, f"{device}/dm/name": "luks-root\n", f"{device}/size": "614400\n"}
    rooms = btrfs_rooms(_host(files), _disks(source="/dev/mapper/luks-root"))
    assert rooms.by_point == {"/srv": FULL}


def test_nothing_is_asked_without_a_btrfs() -> None:
    host = _host(FIGURES)
    assert btrfs_rooms(host, _disks("ext4")).by_point == {}
    assert host.asked == []


ROOMS: dict[str, tuple[BtrfsRoom, str, str]] = {
    "none left": (FULL, "critical", "metadata_of"),
    "the kernel says so": (BtrfsRoom(75 * MIB, 63 * MIB, 0, 224 * MIB, 130 * MIB, is_full=True), "critical", "metadata_of"),
    "the data is all that is full": (BtrfsRoom(1000 * MIB, 700 * MIB, 0, 9000 * MIB, 8990 * MIB, is_full=True), "", ""),
    "hardly any": (BtrfsRoom(1000 * MIB, 920 * MIB, 0, 9000 * MIB, 4000 * MIB), "warning", "metadata_of"),
    "the data is full as well": (BtrfsRoom(1000 * MIB, 995 * MIB, 0, 900 * MIB, 890 * MIB), "critical", "full_btrfs"),
    "the kernel says so, and the disk has more": (BtrfsRoom(1000 * MIB, 700 * MIB, 9000 * MIB, 9000 * MIB, 4000 * MIB, is_full=True), "", ""),
    "enough": (BtrfsRoom(1000 * MIB, 700 * MIB, 0, 9000 * MIB, 4000 * MIB), "", ""),
    "the disk has more": (BtrfsRoom(1000 * MIB, 995 * MIB, 900 * MIB, 9000 * MIB, 4000 * MIB), "", ""),
}  # fmt: skip


@pytest.mark.parametrize(("room", "severity", "variable"), ROOMS.values(), ids=ROOMS)
def test_room_for_metadata(room: BtrfsRoom, severity: str, variable: str) -> None:
    found = judge(
        "storage.inodes-exhausted",
        filesystems=_disks(available=40 * MIB),
        btrfs=BtrfsRooms({"/srv": room}),
    ).findings
    assert [finding.severity.name for finding in found if finding.severity] == [severity] * bool(
        severity
    )
    assert all(variable in finding.variables for finding in found)


def test_a_disk_without_metadata_is_not_called_full_of_data() -> None:
    rooms = BtrfsRooms({"/srv": FULL})
    assert judge("storage.disk-full", filesystems=_disks()).findings
    assert not judge("storage.disk-full", filesystems=_disks(), btrfs=rooms).findings
