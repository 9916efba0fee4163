"""The checks in checks/container/data/data_outside_mount.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.mounts.data.split_data import (
    SplitMount,
    SplitMounts,
    split_mounts,
)
from diagnose.evidence.containers.programs.program_faults import faults_in, program_faults
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes
from diagnose.programs.exit_codes import described, is_fault, signal_of
from diagnose.questions.images import Volume
from tests.checks.container.evidence import NOW, container_in
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

ANONYMOUS = {
    "Type": "volume",
    "Name": "a" * 64,
    "Source": f"/v/{'a' * 64}",
    "Destination": "/data/db",
    "RW": True,
}


OWN = {"Type": "bind", "Source": "/srv/data", "Destination": "/data", "RW": True}


@pytest.mark.parametrize(
    ("name", "own", "declared", "number"),
    [
        ("one level above", OWN, ["/data/db"], 1),
        ("two levels above", {**OWN, "Destination": "/"}, ["/data/db"], 0),
        ("beside it", {**OWN, "Destination": "/data2"}, ["/data/db"], 0),
        ("the user asked for it", OWN, [], 0),
        ("read-only", {**OWN, "RW": False}, ["/data/db"], 0),
    ],
)
def test_data_beside_its_mount(name: str, own: dict[str, Any], declared: list[str], number: int):
    container = container_in("running", Mounts=[own, ANONYMOUS])
    host = Made(
        {"api.image": {"Id": "sha256:1", "Config": {"Volumes": {path: {} for path in declared}}}}
    )
    split = split_mounts(host, of(container), None)
    assert len(split.items) == number
    result = judge("container.data-outside-mount", split_mounts=split)
    assert rows(result) == [("warning", "web")] * number


def test_a_split_mount_names_the_volume():
    container = container_in("running")
    pair = SplitMount(
        container,
        Mount(source="/srv", destination="/data"),
        Mount(name="a" * 64, destination="/data/db"),
    )
    (finding,) = judge("container.data-outside-mount", split_mounts=SplitMounts((pair,))).findings
    assert finding.variables["volume"] == "a" * 64


OLDER = Volume("b" * 64, mountpoint=f"/v/{'b' * 64}")


@pytest.mark.parametrize(
    ("own", "left", "older"),
    [
        (["PG_VERSION", "base"], ["PG_VERSION", "base", "pg_wal"], "b" * 64),
        (["PG_VERSION", "base"], ["index.html", "base"], ""),
        ([], ["PG_VERSION", "base"], ""),
        (["PG_VERSION", "base"], [], ""),
    ],
    ids=["the same names", "other names", "nothing here", "nothing there"],
)
def test_the_volume_that_was_left_behind(own: list[str], left: list[str], older: str):
    def listing(question: Any) -> Any:
        names = own if question.path == ANONYMOUS["Source"] else left
        return {"entries": [{"name": name, "type": "file"} for name in names]}

    image = {"Id": "sha256:1", "Config": {"Volumes": {"/data/db": {}}}}
    host = Made({"api.image": image, "file.list": listing})
    container = container_in("running", Mounts=[OWN, ANONYMOUS])
    (split,) = split_mounts(host, of(container), UnusedVolumes((OLDER,))).items
    assert split.older == older
    result = judge("container.data-outside-mount", split_mounts=SplitMounts((split,)))
    (finding,) = result.findings
    assert finding.variables.get("left", "") == (f"{older}:/data/db" if older else "")


KERNEL = {
    "traps: mongod[4711] trap invalid opcode ip:55d sp:7ffc error:0 in mongod[55d+1]": (
        "mongod",
        True,
    ),
    "app[4711]: segfault at 0 ip 00005 sp 00007 error 4 in app[5+1]": ("app", False),
    "app[4711] vsyscall attempted with vsyscall=none ip:ffff": ("app", False),
    'audit: type=1326 audit(1:2): auid=1 uid=0 gid=0 ses=1 pid=4711 comm="app" exe="/app" sig=31 arch=c000003e syscall=435': (
        "app",
        False,
    ),
    'audit: type=1400 apparmor="DENIED" operation="signal" profile="docker-default" pid=4711 comm="runc" requested': (
        "runc",
        False,
    ),
    'audit: type=1400 audit(1:2): avc:  denied  { write } for  pid=4711 comm="app" name="x"': (
        "app",
        False,
    ),
    "docker0: port 1(veth1) entered disabled state": None,
}


@pytest.mark.parametrize("line", KERNEL)
def test_what_the_kernel_says_of_a_program(line: str):
    found = [
        (fault.comm, fault.is_invalid_opcode)
        for fault in faults_in(KernelLog((Record(NOW, line),)))
    ]
    assert found == ([KERNEL[line]] if KERNEL[line] else [])


def test_a_line_of_the_kernel_belongs_to_the_program_and_the_second():
    crashed = container_in("exited", code=139, Path="/usr/bin/app")
    other = container_in("exited", code=139, name="other", Path="/bin/server")
    segfault = "app[7]: segfault at 0 ip 00005 sp 00007 error 4 in app[5+1]"
    near = program_faults(of(crashed, other), KernelLog((Record(NOW - 60, segfault),)))
    assert set(near.by_id) == {crashed.id}
    assert not program_faults(of(crashed), KernelLog((Record(NOW - 600, segfault),))).by_id
    unnamed = "traps: worker[9] trap invalid opcode ip:1 sp:2 error:0"
    assert not program_faults(of(crashed, other), KernelLog((Record(NOW - 60, unnamed),))).by_id, (
        "two ended then"
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/bin/sh", True), ("/docker-entrypoint.sh", True), ("/usr/bin/node", False)],
)
def test_the_fault_of_another_program_is_not_this_container_s(path: str, expected: bool):
    crashed = container_in("exited", code=139, Path=path)
    segfault = "wget[21462]: segfault at 0 ip 00005 sp 00007 error 6 in busybox[5+1]"
    faults = program_faults(of(crashed), KernelLog((Record(NOW - 60, segfault),)))
    assert (crashed.id in faults.by_id) is expected


def test_exit_codes_are_named():
    assert described(139) == "139 (SIGSEGV, segmentation fault)"
    assert described(132) == "132 (SIGILL, illegal instruction)"
    assert described(1) == "1"
    assert signal_of(143) == "SIGTERM"
    assert signal_of(255) == ""
    assert is_fault(134)
    assert not is_fault(137)


@pytest.mark.parametrize(
    ("own", "anonymous", "destination", "found"),
    [
        ([], ["db"], "/reader/config", True),
        (["db"], ["db"], "/reader/config", False),
        ([], [], "/reader/config", False),
        ([], ["db"], "/var/cache/reader", False),
    ],
)
def test_data_at_another_path_than_the_empty_mount(
    own: list[str], anonymous: list[str], destination: str, found: bool
) -> None:
    mounts = [{**OWN, "Destination": "/old/data"}, {**ANONYMOUS, "Destination": destination}]
    names = {"/srv/data": own, ANONYMOUS["Source"]: anonymous}

    def listed(question: Any) -> Any:
        return {"entries": [{"name": name, "type": "file"} for name in names[question.path]]}

    image = {"Id": "sha256:1", "Config": {"Volumes": {destination: {}}}}
    host = Made({"api.image": image, "file.list": listed})
    split = split_mounts(host, of(container_in("running", Mounts=mounts)), None)
    result = judge("container.data-outside-mount", split_mounts=split)
    assert rows(result) == ([("warning", "web")] if found else [])
    if found:
        assert result.findings[0].variables["placed"] == f"/srv/data:{destination}"
