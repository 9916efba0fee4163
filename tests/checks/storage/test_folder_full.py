"""The check in checks/storage/folder_full.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.block_devices import BlockDevices
from diagnose.evidence.storage.mounts import Mounted
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = 1_800_000_000.0
FULL = "EXT4-fs warning (device sdb1): ext4_dx_add_entry:2516: Directory (ino: 2621441) index full, reach max htree level :2"
OLD = "EXT4-fs warning (device sdb1): ext4_dx_add_entry: Directory index full!"
OTHER = "EXT4-fs warning (device sdz9): ext4_dx_add_entry: Directory index full!"
AGAIN = "EXT4-fs (sdb1): mounted filesystem with ordered data mode. Opts: (null)"
CRITICAL, WARNING = [("critical", "/srv/mail")], [("warning", "/srv/mail")]
CASES: dict[str, tuple[list[tuple[float, str]], list[tuple[str, str]]]] = {
    "a moment ago": ([(10, FULL)], CRITICAL),
    "an older kernel": ([(10, OLD)], CRITICAL),
    "hours ago": ([(20000, FULL)], WARNING),
    "two days ago": ([(200000, FULL)], []),
    "before the mount": ([(100, FULL), (50, AGAIN)], []),
    "a device that is gone": ([(10, OTHER)], []),
    "nothing": ([], []),
}


@pytest.mark.parametrize(("lines", "expected"), CASES.values(), ids=CASES)
def test_full_folder(lines: list[tuple[float, str]], expected: list[tuple[str, str]]) -> None:
    records = tuple(Record(NOW - ago, text) for ago, text in lines)
    mail = container(
        "mail", Mounts=[{"Type": "bind", "Source": "/srv/mail/a", "Destination": "/d", "RW": True}]
    )
    result = judge(
        "storage.folder-full",
        kernel_log=KernelLog(records),
        disks=BlockDevices({"sdb1": Mounted("/srv/mail", "ext4", "/dev/sdb1")}),
        containers=of(mail),
        clock=Clock(wall=NOW, booted=NOW - 1e6),
        options=Options(),
    )
    assert rows(result) == expected
    for finding in result.findings:
        assert [subject.name for subject in finding.touches] == ["mail"]


def test_of_the_root_nobody_is_named() -> None:
    """Each container's mounts lie below it."""
    mail = container(
        "mail", Mounts=[{"Type": "bind", "Source": "/srv/mail", "Destination": "/d", "RW": True}]
    )
    (finding,) = judge(
        "storage.folder-full",
        kernel_log=KernelLog((Record(NOW - 10, FULL),)),
        disks=BlockDevices({"sdb1": Mounted("/", "ext4", "/dev/sdb1")}),
        containers=of(mail),
        clock=Clock(wall=NOW, booted=NOW - 1e6),
        options=Options(),
    ).findings
    assert finding.touches == ()
    assert "mail" not in finding.summary
