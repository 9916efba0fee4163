"""container.changes-unseen, and the watches of processes that it is about."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.mounts.share_watches import ShareWatches, share_watches
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import Json
from tests.checks.container.evidence import container_in
from tests.hosts import Made
from tests.inspected import bind, of
from tests.judging import judge

PID = 4711
SCANS = bind("/mnt/scans", Destination="/consume")


def watched(
    fstype: str, devices: list[str], image: str = "shop:1", comm: str = "python3", env: str = "A=b"
) -> tuple[ShareWatches, Made]:
    """What is found where a process of a container watches files on these devices."""
    config = {"Image": image, "Env": [env]}
    container = container_in("running", **SCANS, Config=config)
    mounts = Mounts(
        (Mounted("/", "ext4", dev="8:1"), Mounted("/mnt/scans", fstype, "nas:/scans", dev="0:53"))
    )
    process = Process(PID, comm=comm, container=container.id)
    rows: list[Json] = [{"pid": PID, "comm": comm, "devices": list[Json](devices)}]
    host = Made({"watches": {"processes": rows, "unseen": []}})
    found = share_watches(host, of(container), mounts, Processes((process,)))
    assert isinstance(found, ShareWatches)
    return found, host


@pytest.mark.parametrize(
    ("fstype", "devices", "count", "asked"),
    [
        ("nfs4", ["0:53"], 1, True),
        ("cifs", ["8:1", "0:53"], 1, True),
        ("nfs4", ["8:1"], 0, True),
        ("ext4", ["0:53"], 0, False),
        ("fuse.mergerfs", ["0:53"], 0, False),
    ],
)
def test_watches_on_shares(fstype: str, devices: list[str], count: int, asked: bool):
    found, host = watched(fstype, devices)
    assert (len(found), bool(host.asked)) == (count, asked)


@pytest.mark.parametrize(
    ("image", "comm", "env", "variables"),
    [
        ("paperless-ngx:2", "python3", "A=b", {"polling": "PAPERLESS_CONSUMER_POLLING=60"}),
        ("shop:1", "node", "A=b", {"polling": "CHOKIDAR_USEPOLLING=true"}),
        ("shop:1", "node", "CHOKIDAR_USEPOLLING=1", {"watched": "/consume"}),
        ("shop:1", "jellyfin", "A=b", {"watched": "/consume"}),
    ],
)
def test_what_makes_it_look_by_itself(image: str, comm: str, env: str, variables: dict[str, str]):
    found, _ = watched("nfs4", ["0:53"], image, comm, env)
    (finding,) = judge("container.changes-unseen", share_watches=found).findings
    assert finding.variables == {"container": "web"} | variables


@pytest.mark.parametrize(("image", "is_quiet"), [("paperless-ngx:2", False), ("jellyfin:10", True)])
def test_only_one_that_takes_what_others_put_there_is_said_aloud(image: str, is_quiet: bool):
    found, _ = watched("nfs4", ["0:53"], image)
    (finding,) = judge("container.changes-unseen", share_watches=found).findings
    assert finding.is_quiet is is_quiet


def test_what_its_caller_may_not_see_is_unknown():
    container = container_in("running", **SCANS)
    mounts = Mounts((Mounted("/mnt/scans", "nfs", "nas:/scans", dev="0:53"),))
    host = Made({"watches": {"processes": [], "unseen": [PID]}})
    process = Process(PID, container=container.id)
    found = share_watches(host, of(container), mounts, Processes((process,)))
    assert [unexamined.subject for unexamined in found.unexamined] == [container.subject]
