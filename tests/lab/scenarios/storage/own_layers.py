"""Disks that containers' writable layers have filled, that a driver without layers fills, and
volumes with a name that no container uses."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.storage.full import fill_disk
from tests.lab.scenarios.storage.helpers import ROOT, SAFE

DISK = "filesystem:/var/lib/docker"
ACCESS_LOG = "/var/log/nginx/access.log"


def _used_pct(box: Box, column: str = "pcent") -> int:
    return int(box.run(["df", f"--output={column}", ROOT]).stdout.split()[-1].rstrip("%"))


def _runs(box: Box, name: str, script: str) -> None:
    """A container that does its work once, says so, and stays."""
    box.docker(*SAFE, f"--name={name}", "bb:1.36", "sh", "-c", f"{script}; echo done; sleep 1000")
    box.wait_for(lambda: "done" in box.docker("logs", name).stdout, what=f"{name}'s work")


@fault("storage.disk-full", subject=DISK, box={"disk": "300M"}, exit_code=2)
def log_in_a_containers_own_layer(box: Box) -> None:
    """A web server writes its log into the container's writable layer, which no rotation reaches.
    The command empties it, and it grows again."""
    _runs(box, "mirror", f"mkdir -p {ACCESS_LOG.rpartition('/')[0]}; echo GET / >{ACCESS_LOG}")
    upper = box.inspect("mirror")["GraphDriver"]["Data"]["UpperDir"]
    fill_disk(box, f"{upper}{ACCESS_LOG}", 98)
    (finding,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert 'container "mirror" has written' in finding["summary"]
    assert ACCESS_LOG in finding["summary"]
    box.sh(first_command(box, "storage.disk-full", ROOT))
    assert _used_pct(box) < 50
    fill_disk(box, f"{upper}{ACCESS_LOG}", 98)


@fault(
    "storage.disk-full",
    subject=DISK,
    box={"disk": "300M"},
    also=["storage.writable-layer-large"],
    exit_code=2,
)
def data_in_a_containers_own_layer(box: Box) -> None:
    """A program keeps data where it has no volume: the folder is named, and nothing is removed."""
    _runs(box, "index", "mkdir -p /srv/index/a /srv/index/b; echo 1 >/srv/index/a/part")
    upper = box.inspect("index")["GraphDriver"]["Data"]["UpperDir"]
    fill_disk(box, f"{upper}/srv/index/a/segment", 60)
    fill_disk(box, f"{upper}/srv/index/b/segment", 97)
    (finding,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert 'container "index" has written' in finding["summary"]
    assert "/srv/index" in finding["summary"]
    assert not finding["fix"], finding["fix"]


@fault("storage.disk-full", subject=DISK, box={"disk": "300M"}, exit_code=2)
def core_dumps_in_a_containers_own_layer(box: Box) -> None:
    """Each crash of a program leaves a core dump where it has worked. The command removes them."""
    _runs(box, "feeder", "for n in 1 2 3 4; do mkdir -p /run/feed/$n; : >/run/feed/$n/core; done")
    upper = box.inspect("feeder")["GraphDriver"]["Data"]["UpperDir"]
    for number, share in enumerate((30, 55, 75, 98), start=1):
        fill_disk(box, f"{upper}/run/feed/{number}/core", share)
    (finding,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert "most of it core dumps in /run/feed: a program in it crashes" in finding["summary"]
    box.sh(finding["fix"][0]["command"].partition("diagnose recreate")[0])
    assert _used_pct(box) < 50
    fill_disk(box, f"{upper}/run/feed/1/core", 98)


@fault("storage.disk-full", subject=DISK, box={"disk": "300M"}, exit_code=2)
def log_segments_that_nobody_archives(box: Box) -> None:
    """A database keeps the segments of its log, since its archive command fails."""
    data = f"{ROOT}/volumes/ledger/_data"
    box.docker(*SAFE, "--name=ledger", "-v", "ledger:/data", "bb:1.36", "sleep", "1000")
    box.sh(
        f"mkdir -p {data}/pg_wal/archive_status {data}/pg_replslot; for n in $(seq 10 26); do "
        f"name=0000000100000000000000$n; head -c 16M /dev/zero >{data}/pg_wal/$name; "
        f": >{data}/pg_wal/archive_status/$name.ready; done"
    )
    (finding,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert 'volume "ledger" of container "ledger" holds' in finding["summary"]
    assert "17 segments that its archive command has not taken" in finding["summary"]


@fault("storage.inodes-exhausted", subject=DISK, box={"disk": "300M", "inodes": 4000})
def temporary_files_of_a_container(box: Box) -> None:
    """A program leaves a folder in /tmp each time, for months. The command removes the old ones."""
    files = "touch -d 202001010000 /tmp/vpn.$i/config"
    fill = f"i=0; while mkdir /tmp/vpn.$i && {files}; do i=$((i+1)); done"
    _runs(box, "vpn", fill)
    (finding,) = box.diagnose("check", "storage.inodes-exhausted", "--format", "json").findings
    assert 'container "vpn" has written' in finding["summary"]
    assert "to /tmp in its writable layer" in finding["summary"]
    box.sh(first_command(box, "storage.inodes-exhausted", ROOT))
    assert _used_pct(box, "ipcent") < 50
    box.docker("exec", "vpn", "sh", "-c", fill, check=False)


@fault("storage.disk-full", subject=DISK, box={"disk": "300M"}, exit_code=2)
def volumes_of_projects_that_are_down(box: Box) -> None:
    """Named volumes without a container fill the disk, and a prune of volumes leaves them."""
    for name in ("wiki_data", "oldshop_db"):
        box.docker("volume", "create", name)
    fill_disk(box, f"{ROOT}/volumes/wiki_data/_data/pages", 40)
    fill_disk(box, f"{ROOT}/volumes/oldshop_db/_data/orders.db", 97)
    if not box.engine.name.startswith("20."):
        assert "0B" in box.docker("volume", "prune", "-f").stdout
    (finding,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert "2 named volumes without a container hold" in finding["summary"]
    removal = first_command(box, "storage.disk-full", ROOT)
    assert "docker volume rm" in removal
    assert "oldshop_db|wiki_data" in removal


@healthy(box={"disk": "300M"})
def volumes_of_projects_on_a_disk_with_room(box: Box) -> None:
    """The same volumes, and the disk has room."""
    box.docker("volume", "create", "wiki_data")
    fill_disk(box, f"{ROOT}/volumes/wiki_data/_data/pages", 60)


@fault(
    "storage.disk-full",
    subject=DISK,
    box={"disk": "300M"},
    config={**BASE_CONFIG, "storage-driver": "vfs"},
    also=["daemon.errors-in-log", "container.*"],
    exit_code=2,
)
def driver_that_copies_each_layer(box: Box) -> None:
    """The storage driver vfs has copied an image of 40 MB for each of its layers."""
    box.docker(
        "run", "--name=base", "bb:1.36", "sh", "-c", "head -c 40000000 /dev/urandom >/data/x"
    )
    box.docker("commit", "base", "shop:base")
    above = "shop:base"
    for number in range(9):
        name = f"step{number}"
        done = box.docker("run", f"--name={name}", above, "touch", f"/data/{name}", check=False)
        if not done.returncode:
            done = box.docker("commit", name, f"shop:{name}", check=False)
        box.docker("rm", name, check=False)
        if done.returncode:
            break
        above = f"shop:{name}"
    box.docker("rm", "base")
    fill_disk(box, f"{ROOT}/volumes/rest", max(_used_pct(box), 96))
    (finding,) = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert "storage driver vfs keeps each layer as a full copy" in finding["summary"], finding
    assert not any("prune" in fix["command"] for fix in finding["fix"]), finding["fix"]
