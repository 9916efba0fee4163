"""daemon.containers-hidden: containers of another storage driver."""

from __future__ import annotations

import json
from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.data.hidden_containers import HiddenContainers, hidden_containers
from diagnose.evidence.engine.info import Info
from diagnose.model import Failed, Json, Unavailable
from diagnose.questions import AnyQuestion
from tests.checks.daemon.evidence import ALIVE
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

FOLDER = "/var/lib/docker/containers"
STORE = Info(
    driver="overlayfs",
    docker_root_dir="/var/lib/docker",
    driver_status=[["driver-type", "io.containerd.snapshotter.v1"]],
)
VFS = Info(driver="vfs", docker_root_dir="/var/lib/docker")
TWO = HiddenContainers(FOLDER, 2, ("cart", "shop"), "overlay2")
NONE = HiddenContainers(FOLDER)


@pytest.mark.parametrize(
    ("hidden", "containers", "expected"),
    [
        (TWO, of(), [("critical", "docker")]),
        (TWO, of(container("web")), [("advice", "docker")]),
        (NONE, of(), []),
    ],
    ids=["an engine that seems empty", "an engine that has others", "nothing hidden"],
)
def test_containers_of_another_driver(
    hidden: HiddenContainers, containers: Containers, expected: list[tuple[str, str]]
):
    result = judge(
        "daemon.containers-hidden", hidden=hidden, info=STORE, containers=containers, daemon=ALIVE
    )
    assert rows(result) == expected


@pytest.mark.parametrize(
    ("info", "flags", "expected"),
    [
        (STORE, {}, {"store": "containerd-snapshotter", "path": "/etc/docker/daemon.json"}),
        (VFS, {}, {"driver": "overlay2", "path": "/etc/docker/daemon.json"}),
        (VFS, {"storage-driver": ["vfs"]}, {}),
    ],
    ids=["containerd's store", "another driver", "a driver on the command line"],
)
def test_the_way_back(info: Info, flags: dict[str, list[str]], expected: dict[str, str]):
    config = DaemonConfig("/etc/docker/daemon.json", flags=flags)
    result = judge(
        "daemon.containers-hidden",
        hidden=TWO,
        info=info,
        containers=of(),
        config=config,
        daemon=ALIVE,
    )
    (finding,) = result.findings
    assert dict(finding.variables) == expected


SHOWN, OLD, NEW = container("web").id, "a" * 64, "b" * 64
FILES: dict[str, Any] = {
    OLD: {"Name": "/shop", "Driver": "overlay2", "Config": {}},
    NEW: {"Name": "/just-made", "Driver": "vfs"},
}


def _file(question: AnyQuestion) -> Json | Failed:
    id = question.args["path"].split("/")[-2]
    return {"text": json.dumps(FILES[id]), "truncated": False} if id in FILES else Failed("missing")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([SHOWN, OLD], (1, ("shop",), "overlay2")),
        ([SHOWN, NEW], (0, (), "")),
        ([SHOWN, "c" * 64, "no-id"], (0, (), "")),
    ],
    ids=["of another driver", "of the driver in use", "without its file"],
)
def test_what_the_engine_does_not_list(
    names: list[str], expected: tuple[int, tuple[str, ...], str]
):
    entries = [{"name": name, "type": "folder"} for name in names]
    host = Made(
        {"file.list": lambda _: {"entries": entries, "truncated": False}, "file.read": _file}
    )
    containers = hidden_containers(host, of(container("web")), VFS)
    assert isinstance(containers, HiddenContainers)
    assert (containers.count, containers.names, containers.driver) == expected


def test_a_folder_that_cannot_be_read_is_unknown():
    host = Made({"file.list": lambda _: Failed("forbidden", "not root")})
    assert isinstance(hidden_containers(host, of(), VFS), Unavailable)
