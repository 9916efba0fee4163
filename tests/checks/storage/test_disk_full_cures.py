"""What storage.disk-full offers: what can be removed or enlarged, by what fills the disk."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.storage.filesystems import Filesystem, Filesystems, Usage
from diagnose.evidence.storage.usage.disk_parts import UsagePart
from diagnose.evidence.storage.usage.disk_usage import DiskUsage
from diagnose.evidence.storage.usage.full_disks import FileSize, FullDisks
from diagnose.evidence.storage.usage.growable_disks import GrowableDisk, GrowableDisks
from diagnose.evidence.storage.usage.renamed_logs import RenamedLog, RenamedLogs
from tests.checks.storage.evidence import (
    GIB,
    ID,
    ROOT,
    UPPER,
    WALK,
    disks,
    inspect_with,
    report_of,
    usage_at,
)
from tests.judging import judge

STOPPED = {"State": {"Status": "exited", "Pid": 0}}


def test_stopped_containers_that_fill_the_disk_can_be_removed() -> None:
    walk = WALK | {"by": {f"overlay2/{UPPER}": 90 * GIB}}
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage_at(97)),
        fs__walk=walk,
        api__container=inspect_with(**STOPPED),
    )
    (full,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert full.finding.variables["stopped"] == "--force"
    assert full.finding.evidence["stopped containers"] == "1, 90.0 GiB"
    running = report_of("storage.disk-full", fs__usage=disks(usage_at(97)), fs__walk=walk)
    (full,) = (finding for finding in running.findings if finding.id == "storage.disk-full")
    assert "stopped" not in full.finding.variables


def test_anonymous_volumes_that_fill_the_disk_can_be_removed() -> None:
    name = "d4" * 32
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage_at(97)),
        fs__walk=WALK | {"by": {f"volumes/{name}": 80 * GIB, "volumes/orders": 10 * GIB}},
        api__volumes={"Volumes": [{"Name": name}, {"Name": "orders"}]},
    )
    (full,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert full.finding.variables["anonymous"] == "^[0-9a-f]{64}$"
    assert full.finding.evidence["anonymous volumes without a container"] == "1, 80.0 GiB"


@pytest.mark.parametrize(
    ("name", "builder"), [("orders", ""), ("buildx_buildkit_shop0_state", "shop")]
)
def test_the_cache_of_a_builder_that_fills_the_disk(name: str, builder: str) -> None:
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage_at(97)),
        fs__walk=WALK | {"by": {f"volumes/{name}": 80 * GIB}},
        api__volumes={"Volumes": [{"Name": name}]},
    )
    (full,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert ('buildx builder "shop", holds 80.0 GiB' in full.finding.summary) == bool(builder)
    assert full.finding.variables.get("builder", "") == builder


def test_the_cache_of_a_builder_that_runs_is_emptied_in_its_container() -> None:
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage_at(97)),
        fs__walk=WALK | {"by": {"volumes/buildx_buildkit_shop0_state": 80 * GIB}},
        api__volumes={"Volumes": [{"Name": "buildx_buildkit_shop0_state"}]},
        api__container=inspect_with(Name="/buildx_buildkit_shop0"),
    )
    (full,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert full.finding.variables.get("builder_container") == "buildx_buildkit_shop0"
    assert "builder" not in full.finding.variables


GROWN: dict[str, tuple[GrowableDisk, dict[str, str]]] = {
    "ext4": (GrowableDisk("/dev/sdb", "ext4", 9 * GIB, GIB), {"ext_device": "/dev/sdb"}),
    "ext4 on a partition": (
        GrowableDisk("/dev/sdb1", "ext4", 9 * GIB, GIB, "/dev/sdb", "1"),
        {"ext_disk": "/dev/sdb", "ext_partition": "/dev/sdb1", "number": "1"},
    ),
    "xfs": (GrowableDisk("/dev/sdb", "xfs", 9 * GIB, GIB), {"xfs_point": "/srv"}),
    "xfs on a partition": (
        GrowableDisk("/dev/sdb1", "xfs", 9 * GIB, GIB, "/dev/sdb", "1"),
        {"xfs_disk": "/dev/sdb", "number": "1"},
    ),
}


@pytest.mark.parametrize(("disk", "expected"), GROWN.values(), ids=GROWN)
def test_what_makes_a_file_system_as_large_as_its_disk(
    disk: GrowableDisk, expected: dict[str, str]
) -> None:
    used = int(100 * GIB * 0.97)
    filled = Usage(
        "/srv",
        disk.fstype,
        "/dev/sdb",
        100 * GIB,
        used,
        3 * GIB,
        3 * GIB,
        inodes=0,
        inodes_free=0,
        dev="8:16",
        read_only=False,
    )
    result = judge(
        "storage.disk-full",
        filesystems=Filesystems((Filesystem("/srv", filled, ("data root",)),)),
        growable=GrowableDisks({"/srv": disk}),
    )
    (finding,) = result.findings
    assert finding.variables.items() >= {"point": "/srv", **expected}.items()
    others = {name for _, steps in GROWN.values() for name in steps} - expected.keys()
    assert not others & finding.variables.keys()


@pytest.mark.parametrize(
    ("files", "expected"),
    [(frozenset({"/srv/shop.sql"}), "/srv/shop.sql"), (frozenset(), None)],
    ids=["a file", "a folder"],
)
def test_the_file_that_fills_the_disk_is_looked_at_itself(
    files: frozenset[str], expected: str | None
) -> None:
    """The largest folders stand in the report already."""
    used = int(100 * GIB * 0.97)
    filled = Usage(
        "/srv",
        "ext4",
        "/dev/sdb",
        100 * GIB,
        used,
        3 * GIB,
        3 * GIB,
        inodes=0,
        inodes_free=0,
        dev="8:16",
        read_only=False,
    )
    largest = FullDisks({"/srv": (FileSize("/srv/shop.sql", 90 * GIB),)}, files=files)
    (finding,) = judge(
        "storage.disk-full",
        filesystems=Filesystems((Filesystem("/srv", filled, ("data root",)),)),
        others=largest,
    ).findings
    assert finding.variables.get("file") == expected


def test_named_volumes_are_offered_where_nothing_else_suffices() -> None:
    """A dot of a name is not a sign of a pattern; the cache of a builder has a command of its
    own."""
    volumes = {"Volumes": [{"Name": "old.shop"}, {"Name": "buildx_buildkit_x0_state"}]}
    sizes = {"volumes/old.shop": 70 * GIB, "volumes/buildx_buildkit_x0_state": GIB}
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage_at(97)),
        fs__walk=WALK | {"by": sizes},
        api__volumes=volumes,
    )
    (full,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert full.finding.variables["idle"] == r"^(old\.shop)$"
    assert "; 1 named volume without a container holds 70.0 GiB" in full.finding.summary
    chatty = WALK | {"by": {**sizes, f"containers/{ID}": 20 * GIB}}
    report = report_of(
        "storage.disk-full", fs__usage=disks(usage_at(97)), fs__walk=chatty, api__volumes=volumes
    )
    (full,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert full.finding.variables["chatty"] == "web"
    assert "idle" not in full.finding.variables


@pytest.mark.parametrize("is_renamed", [True, False])
def test_a_renamed_log_is_emptied_by_its_new_name(is_renamed: bool) -> None:
    """The file at the log's own path is new then, and empty."""
    path = f"{ROOT}/containers/{ID}/{ID}-json.log-20261203"
    renamed = RenamedLogs((RenamedLog("web", path, 40 * GIB),) if is_renamed else ())
    filled = msgspec.convert(usage_at(97), Usage)
    parts = (UsagePart("container logs", 40 * GIB, subjects=(("web", 40 * GIB),)),)
    (finding,) = judge(
        "storage.disk-full",
        filesystems=Filesystems((Filesystem(ROOT, filled, ("data root",)),)),
        usage=DiskUsage(ROOT, parts),
        renamed=renamed,
    ).findings
    variables = finding.variables
    assert variables.get("renamed_log") == (path if is_renamed else None)
    assert ("chatty" in variables) is not is_renamed
    assert ("was renamed to" in finding.summary) is is_renamed


def test_volumes_of_a_series_are_counted_together() -> None:
    """A runner of jobs leaves one volume of each failed job, and none of them is large."""
    names = [f"JOB-{number}_build.test" for number in range(120)]
    volumes = {"Volumes": [{"Name": name} for name in (*names, "shop")]}
    sizes = {f"volumes/{name}": GIB // 2 for name in names} | {"volumes/shop": 5 * GIB}
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage_at(97)),
        fs__walk=WALK | {"by": sizes},
        api__volumes=volumes,
    )
    (full,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert full.finding.variables["idle"] == "^JOB-[0-9]"
    assert (
        "; 120 named volumes without a container (JOB-NUMBER...) hold 60.0 GiB"
        in full.finding.summary
    )


LAYERS: dict[str, tuple[list[tuple[str, int]], dict[str, str]]] = {
    "a log": ([("var/log/app/out.log", 80)], {"writer": "web", "own_log": "/var/log/app/out.log"}),
    "one file that is not a log": (
        [("srv/data/index.db", 80)],
        {"layer_of": "web", "data_file": f"{ROOT}/overlay2/{UPPER}/diff/srv/data/index.db"},
    ),
    "core dumps": (
        [("run/1/core", 30), ("run/2/core", 30), ("opt/x", 10)],
        {"crasher": "web", "dump_folder": "/proc/77/root/run"},
    ),
    "many folders": (
        [("srv/a/x", 30), ("srv/b/x", 30), ("opt/x", 10)],
        {"layer_of": "web", "own_folder": f"{ROOT}/overlay2/{UPPER}/diff/srv"},
    ),
}


@pytest.mark.parametrize(("files", "expected"), LAYERS.values(), ids=LAYERS)
def test_what_a_container_has_written_into_its_own_layer(
    files: list[tuple[str, int]], expected: dict[str, str]
) -> None:
    top = f"{ROOT}/overlay2/{UPPER}/diff"

    def walk(question: Any) -> Any:
        if question.path != top:
            return WALK | {"by": {f"overlay2/{UPPER}": 80 * GIB}}
        largest = [{"path": f"{top}/{path}", "bytes": part * GIB} for path, part in files]
        by = {path: part * GIB for path, part in files}
        total = sum(by.values())
        return WALK | {"bytes": total, "by": by, "files": dict.fromkeys(by, 1), "largest": largest}

    report = report_of("storage.disk-full", fs__usage=disks(usage_at(97)), fs__walk=walk)
    (full,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert 'container "web" has written' in full.finding.summary
    assert {name: full.finding.variables.get(name) for name in expected} == expected


SEGMENT = "pg_wal/0000000100000000000000"
VOLUMES: dict[str, tuple[list[str], dict[str, list[str]], str, dict[str, str | None]]] = {
    "a failing archive command": (
        [f"{SEGMENT}{n}" for n in range(10, 20)],
        {"pg_wal/archive_status": [f"x{n}.ready" for n in range(9)]},
        "segments of the write-ahead log in /pg_wal: PostgreSQL keeps 9 segments",
        {"archiver": "web", "archived": f"{ROOT}/volumes/db/_data"},
    ),
    "a database below the top of the volume": (
        [f"data/{SEGMENT}{n}" for n in range(10, 20)],
        {"data/pg_wal/archive_status": [f"x{n}.ready" for n in range(9)]},
        "PostgreSQL keeps 9 segments",
        {"archiver": "web", "archived": f"{ROOT}/volumes/db/_data/data"},
    ),
    "a replica that does not read": (
        [f"{SEGMENT}{n}" for n in range(10, 20)],
        {"pg_replslot": ["standby1"]},
        "keeps what readers of its replication slots (standby1) have not read",
        {"archiver": None, "slot": "standby1", "slot_of": "web"},
    ),
    "binary logs": (
        ["binlog.000012", "binlog.000013", "ibdata1"],
        {},
        "most of it binary logs in /",
        {"binary_logs_of": "web"},
    ),
    "dumps of a heap": (
        ["log/java_pid1.hprof", "log/java_pid7.hprof"],
        {},
        "most of it heap dumps in /log: a program that writes there runs out of heap",
        {"heap": f"{ROOT}/volumes/db/_data/log", "crasher": None},
    ),
    "other files": (["uploads/2026/a", "uploads/2026/b"], {}, "most of it in /uploads/2026", {}),
    "nothing leads": (["a/x", "b/x", "c/x"], {}, 'container "web" holds 80.0 GiB', {}),
}


@pytest.mark.parametrize(("files", "folders", "words", "expected"), VOLUMES.values(), ids=VOLUMES)
def test_what_the_largest_volume_holds(
    files: list[str], folders: dict[str, list[str]], words: str, expected: dict[str, str | None]
) -> None:
    top = f"{ROOT}/volumes/db/_data"
    part = 80 * GIB // len(files)

    def walk(question: Any) -> Any:
        if question.path != top:
            return WALK | {"by": {"volumes/db": 80 * GIB}}
        largest = [{"path": f"{top}/{path}", "bytes": part} for path in files]
        return WALK | {"bytes": 80 * GIB, "by": dict.fromkeys(files, part), "largest": largest}

    def listing(question: Any) -> Any:
        names = folders.get(question.path.removeprefix(f"{top}/"), [])
        return {"entries": [{"name": name, "type": "file"} for name in names]}

    mounts = [{"Type": "volume", "Name": "db", "Source": top, "Destination": "/data"}]
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage_at(97)),
        fs__walk=walk,
        file__list=listing,
        api__container=inspect_with(Mounts=mounts),
    )
    (full,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert 'volume "db" of container "web" holds 80.0 GiB' in full.finding.summary
    assert words in full.finding.summary
    assert {name: full.finding.variables.get(name) for name in expected} == expected
