"""The check in checks/container/mounts/program_files_hidden.py."""

import pytest

from diagnose.evidence.containers.mounts.hidden_folders import hidden_folders
from diagnose.evidence.storage.mounts import Mounts, parse
from diagnose.model import Json
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

ROOT = "22 1 8:1 / / rw - {} /dev/sda1 rw\n"
FOUND = [("advice", "portal")]
CASES: dict[str, tuple[dict[str, Json], str, list[tuple[str, str]]]] = {
    "an empty folder": ({}, "ext4", FOUND),
    "a folder for data": ({"Config": {"Volumes": {"/app": {}}}}, "ext4", []),
    "another machine's": ({}, "nfs4", []),
    "layers of containerd": ({"GraphDriver": {"Name": "overlayfs", "Data": None}}, "ext4", []),
}


@pytest.mark.parametrize(("parts", "fstype", "expected"), CASES.values(), ids=CASES)
def test_hidden(parts: dict[str, Json], fstype: str, expected: list[tuple[str, str]]) -> None:
    mount = {"Type": "bind", "Source": "/srv/portal", "Destination": "/app", "RW": True}
    layers: Json = {"Name": "overlay2", "Data": {"LowerDir": "/l/a-init/diff:/l/b/diff"}}
    portal = container("portal", **{"Mounts": [mount], "GraphDriver": layers, **parts})
    answer = [{"source": "/srv/portal", "target": "/app", "files": ["lib/a.jar"]}]
    mounts = Mounts(tuple(parse(ROOT.format(fstype))))
    found = hidden_folders(Made({"file.hidden": answer}), of(portal), mounts)
    assert rows(judge("container.program-files-hidden", hidden_folders=found)) == expected


def test_engine_socket_is_not_asked_about() -> None:
    mount = {
        "Type": "bind",
        "Source": "/var/run/docker.sock",
        "Destination": "/var/run/docker.sock",
    }
    layers: Json = {"Name": "overlay2", "Data": {"LowerDir": "/l/a-init/diff:/l/b/diff"}}
    portal = container("portal", Mounts=[mount], GraphDriver=layers)
    host = Made({})
    assert not hidden_folders(host, of(portal), Mounts(tuple(parse(ROOT.format("ext4")))))
