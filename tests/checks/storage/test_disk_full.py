"""The checks in checks/storage/disk_full.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.engine.data.hidden_containers import HiddenContainers
from diagnose.evidence.storage.filesystems import Filesystem, Filesystems, Usage
from diagnose.evidence.storage.usage.abandoned_roots import AbandonedRoot, AbandonedRoots
from diagnose.evidence.storage.usage.disk_usage import DiskUsage
from diagnose.model import Failed, Json, Severity
from tests.checks.storage.evidence import (
    BASE,
    GIB,
    ID,
    LOG,
    OTHER,
    ROOT,
    WALK,
    assert_found,
    assert_silent,
    disks,
    inspect_with,
    logging,
    report_of,
    stats,
    usage,
    usage_at,
)
from tests.judging import judge

FIRES: dict[str, tuple[str, dict[str, Any], str, Severity, str]] = {
    "96 %": (
        "storage.disk-full",
        {"fs__usage": disks(usage_at(96))},
        f"filesystem:{ROOT}",
        Severity.critical,
        "96 % full",
    ),
    "86 %": (
        "storage.disk-full",
        {"fs__usage": disks(usage_at(86))},
        f"filesystem:{ROOT}",
        Severity.warning,
        "14.0 GiB left",
    ),
    "99 %, but 200 GiB left": (
        "storage.disk-full",
        {
            "fs__usage": disks(
                usage(size=20000 * GIB, used=19800 * GIB, free=200 * GIB, available=200 * GIB)
            )
        },
        f"filesystem:{ROOT}",
        Severity.warning,
        "99 % full",
    ),
    "filling": (
        "storage.disk-full",
        {
            "fs__usage": disks(usage_at(96)),
            "fs__rate": {
                "seconds": 1.0,
                "free_before": 4 * GIB,
                "free_after": 4 * GIB - (40 << 20),
            },
        },
        f"filesystem:{ROOT}",
        Severity.critical,
        "full in about 2 min",
    ),
    "reserved blocks are nobody's": (
        "storage.disk-full",
        {"fs__usage": disks(usage(used=94 * GIB, free=6 * GIB, available=1 * GIB))},
        f"filesystem:{ROOT}",
        Severity.critical,
        "99 % full",
    ),
    "the system's disk": (
        "storage.disk-full",
        {"fs__usage": disks(usage(), usage_at(96) | {"point": "/"})},
        "filesystem:/",
        Severity.critical,
        "",
    ),
    "the host's logs": (
        "storage.disk-full",
        {
            "fs__usage": disks(
                usage(),
                **{"var/log": usage(point="/var/log", dev="8:3", used=97 * GIB, available=3 * GIB)},
            )
        },
        "filesystem:/var/log",
        Severity.warning,
        "97 % full",
    ),
}


@pytest.mark.parametrize(
    ("id_", "answers", "subject", "severity", "said"), FIRES.values(), ids=FIRES
)
def test_found(
    id_: str, answers: dict[str, Any], subject: str, severity: Severity, said: str
) -> None:
    assert_found(id_, answers, subject, severity, said)


SILENT: dict[str, tuple[str, dict[str, Any], str]] = {
    "half full": ("storage.disk-full", {}, "passed"),
    "84 %": ("storage.disk-full", {"fs__usage": disks(usage_at(84))}, "passed"),
    "full by nature": (
        "storage.disk-full",
        {"fs__usage": disks(usage(), usage_at(100) | {"fstype": "squashfs", "point": "/"})},
        "passed",
    ),
    "no answer": ("storage.disk-full", {"fs__usage": Failed("timed out", "stuck")}, "unknown"),
    "the host's logs are not quite full": (
        "storage.disk-full",
        {
            "fs__usage": disks(
                usage(),
                **{
                    "var/log": usage(point="/var/log", dev="8:3", used=90 * GIB, available=10 * GIB)
                },
            )
        },
        "passed",
    ),
}


@pytest.mark.parametrize(("id_", "answers", "verdict"), SILENT.values(), ids=SILENT)
def test_silent(id_: str, answers: dict[str, Any], verdict: str) -> None:
    assert_silent(id_, answers, verdict)


def test_the_log_is_the_cause_of_the_full_disk() -> None:
    answers = {
        "api__container": inspect_with(**logging("json-file")),
        "file__stats": stats({LOG: 60 * GIB}),
    }
    report = report_of("storage.disk-full", fs__usage=disks(usage_at(97)), **answers)
    (full,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert [link.cause for link in full.causes] == ["logging.unbounded@container:web"]


def test_parts_and_other_are_what_is_used() -> None:
    report = report_of(
        "storage.disk-full", fs__usage=disks(usage_at(97)), file__stats=stats({LOG: 60 * GIB})
    )
    (full,) = report.findings
    parts = full.finding.evidence["attribution"]
    assert {part["name"]: part["bytes"] // GIB for part in parts} == {
        "container logs": 60,
        "volumes": 20,
        "writable layers": 10,
        "images": 6,
        "other": 1,
    }
    assert sum(part["bytes"] for part in parts) == 97 * GIB
    assert "not measured" not in full.finding.evidence


def test_what_is_not_dockers_in_the_data_root_has_a_name() -> None:
    by: dict[str, Json] = {
        "backup.tar": 70 * GIB,
        "tmp": 4096,
        f"containers/{OTHER}": 20 * GIB,
        "volumes/orders": 5 * GIB,
    }
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage_at(97)),
        fs__walk=WALK | {"by": by},
        file__stats=stats({LOG: GIB}),
    )
    (full,) = report.findings
    parts = {part["name"]: part for part in full.finding.evidence["attribution"]}
    assert parts["other"]["note"].startswith(f"{ROOT}/backup.tar 70.0 GiB")
    assert parts["container logs"]["bytes"] == 21 * GIB
    assert full.finding.variables["where"] == ROOT
    assert "not measured" not in full.finding.evidence


def test_what_was_not_measured_is_said() -> None:
    walk = WALK | {"complete": False, "by": {"volumes/orders": 20 * GIB}}
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage_at(97)),
        fs__walk=walk,
        file__stats=Failed("forbidden", "root only"),
    )
    (full,) = report.findings
    assert sum(part["bytes"] for part in full.finding.evidence["attribution"]) == 97 * GIB
    said = " ".join(full.finding.evidence["not measured"])
    assert "at least" in said
    assert "container logs: forbidden" in said


def system_df(name: str) -> Json:
    """/system/df in the shape of API 1.41 to 1.51, or of 1.52 as engine 29 answers with
    verbose=true."""
    layer = {"Id": ID, "SizeRw": 4096, "Size": 70, "Shared": False}
    rows = {
        "Containers": [layer],
        "Volumes": [],
        "BuildCache": [layer, layer | {"Shared": True}],
        "LayersSize": 9,
    }
    if name == "old":
        return rows
    return {
        "ContainerUsage": {"Items": [layer], "TotalSize": 4096},
        "VolumeUsage": {"Items": []},
        "BuildCacheUsage": {"Items": [layer, layer | {"Shared": True}]},
        "ImageUsage": {"TotalSize": 9},
    }


@pytest.mark.parametrize("shape", ["old", "API 1.52"])
def test_who_may_not_walk_hears_what_the_engine_counts(shape: str) -> None:
    denied = WALK | {"by": {}, "refused": 1, "complete": False}
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage_at(97)),
        fs__walk=denied,
        api__system_df=system_df(shape),
        file__stats=Failed("forbidden"),
    )
    (full,) = report.findings
    parts = {part["name"]: part["bytes"] for part in full.finding.evidence["attribution"]}
    assert parts == {
        "writable layers": 4096,
        "build cache": 70,
        "images": 9,
        "other": 97 * GIB - 4096 - 79,
    }
    assert "only root" in full.finding.evidence["not measured"][0]


def test_what_fills_another_disk_is_named() -> None:
    logs = usage(point="/var/log", dev="8:3", size=100 * GIB, used=97 * GIB, available=3 * GIB)
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage(), **{"var/log": logs}),
        fs__walk=WALK | {"by": {"journal/0123": 80 * GIB, "nginx": 10 * GIB, "apt": GIB}},
    )
    (full,) = report.findings
    assert full.finding.evidence["largest"] == [
        "/var/log/journal/0123 80.0 GiB",
        "/var/log/nginx 10.0 GiB",
    ]
    assert full.finding.variables["journal"] == "10240M"
    assert full.finding.variables["where"] == "/var/log/journal/0123"


def test_core_dumps_that_fill_a_disk_are_named() -> None:
    full = usage(point="/srv/app", dev="8:3", size=100 * GIB, used=97 * GIB, available=3 * GIB)
    cores = [{"path": f"/srv/app/data/core.{pid}", "bytes": 20 * GIB} for pid in (7, 12)]
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage(), **{"var/log": full}),
        fs__walk=WALK | {"by": {"data/core.7": 20 * GIB}, "largest": cores},
    )
    (found,) = report.findings
    assert "2 core dumps in /srv/app/data hold 40.0 GiB" in found.finding.summary
    assert found.finding.variables["dumps"] == "/srv/app/data"
    assert found.finding.variables["where"] == "/srv/app/data"


NC = "/srv/app/data/nextcloud.log"
GROWN_LOGS: dict[str, tuple[list[tuple[str, int]], str]] = {
    "a log": ([(NC, 80), ("/srv/app/db/ibdata1", 9)], NC),
    "a server's": ([("/srv/app/logs/error_log", 80)], "/srv/app/logs/error_log"),
    "a small log": ([(NC, 20)], ""),
    "a segment of Kafka": ([("/srv/app/data/orders-0/00000000000000000000.log", 80)], ""),
    "a database's own": ([("/srv/app/data/000123.log", 80), ("/srv/app/data/000007.ldb", 1)], ""),
    "beside a database": ([("/srv/app/db/shop.log", 80), ("/srv/app/db/shop.script", 1)], ""),
    "no log": ([("/srv/app/backup.tar", 80)], ""),
}


@pytest.mark.parametrize(("files", "grown"), GROWN_LOGS.values(), ids=GROWN_LOGS)
def test_a_log_of_a_program_that_fills_a_disk(files: list[tuple[str, int]], grown: str) -> None:
    full = usage(point="/srv/app", dev="8:3", size=100 * GIB, used=97 * GIB, available=3 * GIB)
    largest = [{"path": path, "bytes": size * GIB} for path, size in files]
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage(), **{"var/log": full}),
        fs__walk=WALK | {"by": {"data": 80 * GIB}, "largest": largest},
    )
    (found,) = report.findings
    assert found.finding.variables.get("grown", "") == grown
    assert (f"; the log {grown}" in found.finding.summary) is bool(grown)


def test_a_log_in_a_volume_that_fills_the_data_root() -> None:
    path = f"{ROOT}/volumes/nc/_data/data/nextcloud.log"
    largest = [
        {"path": f"{ROOT}/containers/{ID}/{ID}-json.log", "bytes": 50 * GIB},
        {"path": path, "bytes": 40 * GIB},
    ]
    report = report_of(
        "storage.disk-full",
        fs__usage=disks(usage_at(97)),
        fs__walk=WALK | {"by": {"volumes/nc": 40 * GIB}, "largest": largest},
    )
    (found,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert found.finding.variables["grown"] == path


def test_what_the_engine_left_of_downloads_can_be_removed() -> None:
    blobs = {f"tmp/GetImageBlob{number}": 30 * GIB for number in range(2)}
    report = report_of(
        "storage.disk-full", fs__usage=disks(usage_at(97)), fs__walk=WALK | {"by": blobs}
    )
    (found,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert found.finding.variables["downloads"] == f"{ROOT}/tmp"


STORE = {
    "Driver": "overlayfs",
    "DockerRootDir": ROOT,
    "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
}


@pytest.mark.parametrize(
    ("info", "is_store"), [(STORE, True), (BASE["api.info"], False)], ids=["store", "overlay2"]
)
def test_images_of_containerds_store_lie_in_its_own_folder(info: Json, is_store: bool) -> None:
    point = "/var/lib/containerd"
    full = usage(point=point, dev="8:3", size=100 * GIB, used=97 * GIB, available=3 * GIB)
    report = report_of(
        "storage.disk-full",
        api__info=info,
        fs__usage=disks(usage(), **{point.strip("/"): full}),
        fs__walk=WALK | {"by": {"io.containerd.content.v1.content/blobs": 60 * GIB}},
    )
    (found,) = report.findings
    assert found.finding.subject.name == point
    assert ("not the data root" in found.finding.summary) is is_store
    assert ("stored" in found.finding.variables) is is_store


def test_an_old_data_root_on_the_disk():
    mine = usage(size=100 * GIB, used=96 * GIB, free=4 * GIB, available=4 * GIB)
    disk = Filesystem("/", msgspec.convert(mine, Usage), ("system",))
    for held, expected in ((80 * GIB, True), (GIB, False)):
        roots = AbandonedRoots({"/": AbandonedRoot("/var/lib/docker", held)})
        result = judge("storage.disk-full", filesystems=Filesystems((disk,)), roots=roots)
        (finding,) = result.findings
        assert ("/var/lib/docker holds 80.0 GiB" in finding.summary) == expected
        assert ("old_root" in finding.variables) == expected


@pytest.mark.parametrize(
    ("driver", "held", "is_named"),
    [
        pytest.param("overlay2", 60, True, id="the engine has another one"),
        pytest.param("overlayfs", 60, True, id="images lie in containerd's store"),
        pytest.param("overlay2", 2, False, id="it takes little"),
        pytest.param("aufs", 60, False, id="the engine has that one"),
        pytest.param("", 60, False, id="the engine does not say"),
    ],
)
def test_layers_of_a_former_storage_driver(driver: str, held: int, is_named: bool) -> None:
    full = usage(size=100 * GIB, used=97 * GIB, available=3 * GIB)
    by = {"aufs/diff": held * GIB, "volumes/db": GIB}
    report = report_of(
        "storage.disk-full",
        api__info=BASE["api.info"] | {"Driver": driver},
        fs__usage=disks(full),
        fs__walk=WALK | {"by": by},
        file__list={"entries": []},
    )
    (found,) = report.findings
    cure = {"former_layers": "/var/lib/docker/aufs", "former_records": "/var/lib/docker/image/aufs"}
    assert (cure.items() <= found.finding.variables.items()) is is_named
    assert ("of storage driver aufs" in found.finding.summary) is is_named


def test_layers_of_a_former_storage_driver_that_has_containers() -> None:
    """The engine does not show them: nobody is told to remove what they have written."""
    full = usage(size=100 * GIB, used=97 * GIB, free=3 * GIB, available=3 * GIB)
    disk = Filesystem("/", msgspec.convert(full, Usage), ("docker",))
    held = DiskUsage("/", former={"/var/lib/docker/aufs": 60 * GIB})
    for count, is_offered in ((0, True), (1, False)):
        hidden = HiddenContainers("/var/lib/docker/containers", count)
        evidence = {"filesystems": Filesystems((disk,)), "usage": held, "hidden": hidden}
        (finding,) = judge("storage.disk-full", **evidence).findings
        assert "/var/lib/docker/aufs holds 60.0 GiB" in finding.summary
        assert ("former_layers" in finding.variables) is is_offered
