"""The check in checks/container/starts/record_damaged.py."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from diagnose.evidence.engine.data.covered_records import CoveredRecord, CoveredRecords
from diagnose.evidence.engine.data.hidden_containers import HiddenContainers, hidden_containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.storage.mounts import Mounted
from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion
from tests.checks.daemon.evidence import ALIVE
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

FOLDER = "/var/lib/docker/containers"
INFO = Info(driver="overlay2", docker_root_dir="/var/lib/docker")
LOST = "c" * 64
CONFIG = json.dumps({"Name": "/orders", "Driver": "overlay2"})
MOUNTED = json.dumps({"Binds": ["orders-db:/data:rw"], "Mounts": [{"Source": "/srv/orders"}]})

RECORDS: dict[str, tuple[Mapping[str, str], list[tuple[str, str]]]] = {
    "an empty one": ({"config.v2.json": "", "hostconfig.json": MOUNTED}, [("critical", "c" * 12)]),
    "a torn one": (
        {"config.v2.json": CONFIG[:20], "hostconfig.json": MOUNTED},
        [("critical", "c" * 12)],
    ),
    "the other file": ({"config.v2.json": CONFIG, "hostconfig.json": ""}, [("critical", "orders")]),
    "two whole ones": ({"config.v2.json": CONFIG, "hostconfig.json": MOUNTED}, []),
    "a container that is made this moment": ({}, []),
}


def hidden(files: Mapping[str, str], *, layer: bool = True) -> HiddenContainers:
    """layer: whether the record of the container's layer is there."""

    def read(question: AnyQuestion) -> Json | Failed:
        name = str(question.args["path"]).rpartition("/")[2]
        return {"text": files[name], "truncated": False} if name in files else Failed("missing")

    entries = {"entries": [{"name": LOST, "type": "folder"}], "truncated": False}
    status = {"type": "folder"} if layer else {"failed": "missing"}
    host = Made(
        {
            "file.list": lambda _: entries,
            "file.read": read,
            "file.stats": lambda question: dict.fromkeys(question.args["paths"], status),
        }
    )
    containers = hidden_containers(host, of(container("web")), INFO)
    assert isinstance(containers, HiddenContainers)
    return containers


@pytest.mark.parametrize(("files", "expected"), RECORDS.values(), ids=RECORDS)
def test_a_record_that_the_engine_cannot_load(
    files: Mapping[str, str], expected: list[tuple[str, str]]
) -> None:
    result = judge("container.record-damaged", hidden=hidden(files), info=INFO, daemon=ALIVE)
    assert rows(result) == expected


def test_what_the_container_used_is_named() -> None:
    files = {"config.v2.json": "", "hostconfig.json": MOUNTED}
    (finding,) = judge(
        "container.record-damaged", hidden=hidden(files), info=INFO, daemon=ALIVE
    ).findings
    assert "mounted in it: orders-db, /srv/orders" in finding.summary


WHOLE = {"config.v2.json": CONFIG, "hostconfig.json": MOUNTED}
DYING = json.dumps({"Name": "/orders", "Driver": "overlay2", "State": {"Dead": True}})
DISK = Mounted("/var/lib/docker/image", "ext4", "/dev/sdb1")
COVERED = CoveredRecords((CoveredRecord(DISK, FOLDER, (LOST,)),))
LAYERLESS: dict[str, tuple[Mapping[str, str], CoveredRecords, list[tuple[str, str]]]] = {
    "its layer has no record": (WHOLE, CoveredRecords(), [("critical", "orders")]),
    "a disk is mounted over all records": (WHOLE, COVERED, []),
    "it is removed at this moment": (WHOLE | {"config.v2.json": DYING}, CoveredRecords(), []),
}


@pytest.mark.parametrize(("files", "covered", "expected"), LAYERLESS.values(), ids=LAYERLESS)
def test_a_layer_without_a_record(
    files: Mapping[str, str], covered: CoveredRecords, expected: list[tuple[str, str]]
) -> None:
    result = judge(
        "container.record-damaged",
        hidden=hidden(files, layer=False),
        info=INFO,
        daemon=ALIVE,
        covered=covered,
    )
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.variables == {"folder": f"{FOLDER}/{LOST}"}
