"""FUSE file systems that let only their user in."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.mounts.access.closed_mounts import ClosedMount, closed_mounts
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.storage.mounts import Mounted, Mounts
from tests.hosts import Made
from tests.inspected import container, of

SOURCE = "/home/dev/src/app"
ERROR = f"error while creating mount source path '{SOURCE}': mkdir /home/dev/src: file exists"
REFUSED = container("api", State={"Status": "created", "Pid": 0, "ExitCode": 128, "Error": ERROR})
ROOT = Mounted("/", "ext4", "/dev/vda1")
USERS = "root:x:0:0::/root:/bin/sh\ndev:x:1234:1234::/home/dev:/bin/sh\n"
AGAIN = "rclone mount nas: /home/dev/src --daemon --allow-other"


def fuse(options: str, kind: str = "fuse.rclone") -> Mounted:
    return Mounted("/home/dev/src", kind, "nas:", options="rw,nosuid", super=options)


CASES = {
    "of one user": (fuse("rw,user_id=1234,group_id=1234"), True),
    "with room for all": (fuse("rw,user_id=1234,group_id=1234,allow_other"), False),
    "with room for root": (fuse("rw,user_id=1234,allow_root"), False),
    "of root": (fuse("rw,user_id=0,group_id=0"), False),
    "no FUSE": (fuse("rw,user_id=1234", "nfs4"), False),
}


@pytest.mark.parametrize(("mount", "is_closed"), CASES.values(), ids=CASES)
def test_a_mount_that_only_its_user_may_enter(mount: Mounted, is_closed: bool) -> None:
    host = Made(
        {
            "file.read": {"text": USERS},
            "process": {
                "pid": 7,
                "cmdline": ["rclone", "mount", "nas:", "/home/dev/src", "--daemon"],
            },
        }
    )
    server = Process(7, 1, "rclone", "S", 10.0, 1234)
    found = closed_mounts(host, of(REFUSED), Mounts((ROOT, mount)), Processes((server,)))
    closed = ClosedMount("/home/dev/src", 1234, "dev", AGAIN)
    assert found.by_source == ({SOURCE: closed} if is_closed else {})


@pytest.mark.parametrize(
    "words",
    [["rclone", "mount", "nas:", "/home/dev/src"], ["sshfs", "-f", "nas:/src", "/home/dev/src"]],
)
def test_no_command_is_given_that_waits_for_its_own_end(words: list[str]) -> None:
    host = Made({"file.read": {"text": USERS}, "process": {"pid": 7, "cmdline": words}})
    server = Process(7, 1, words[0], "S", 10.0, 1234)
    mounts = Mounts((ROOT, CASES["of one user"][0]))
    found = closed_mounts(host, of(REFUSED), mounts, Processes((server,)))
    assert [mount.again for mount in found.by_source.values()] == [""]


def test_nothing_is_asked_where_every_start_went_well() -> None:
    mounts = Mounts((ROOT, CASES["of one user"][0]))
    assert closed_mounts(Made({}), of(container()), mounts, None).by_source == {}


def test_the_command_of_a_process_in_a_container_is_not_repeated() -> None:
    words = ["sh", "-c", "touch /tmp/owned", "/home/dev/src"]
    host = Made({"file.read": {"text": USERS}, "process": {"pid": 7, "cmdline": words}})
    named = Process(7, 1, "sshfs", "S", 10.0, 1234, container="9f")
    mounts = Mounts((ROOT, CASES["of one user"][0]))
    found = closed_mounts(host, of(REFUSED), mounts, Processes((named,)))
    assert [mount.again for mount in found.by_source.values()] == [""]
