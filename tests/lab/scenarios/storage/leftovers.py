"""Files, volumes and layers that are held or left behind."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.storage.helpers import SAFE


@fault("storage.deleted-files-held", subject="container:logger")
def deleted_files_held(box: Box) -> None:
    """A process holds a deleted file of 300 MB open."""
    script = (
        "exec 3>/data/x; dd if=/dev/zero of=/data/x bs=1M count=300; rm /data/x; exec sleep 1000"
    )
    box.docker(*SAFE, "--name=logger", "-v", "scratch:/data", "bb:1.36", "sh", "-c", script)
    pid = box.inspect("logger")["State"]["Pid"]
    box.wait_for(
        lambda: "(deleted)" in box.sh(f"readlink /proc/{pid}/fd/3"), what="the file to be deleted"
    )


@fault("storage.volumes-unused", subject="volume:old-data", shareable=True)
def volumes_unused(box: Box) -> None:
    """A named volume that no container uses."""
    box.docker("volume", "create", "old-data")
    assert "old-data" in box.docker("volume", "ls", "-q", "-f", "dangling=true").stdout


@healthy()
def volume_of_a_stopped_container(box: Box) -> None:
    """A volume of a stopped container is in use."""
    box.docker(
        "run", "--name=job", "--memory=64m", "--pids-limit=64", "-v", "results:/data", "bb:1.36",
        "true",
    )  # fmt: skip


@fault("storage.writable-layer-large", subject="container:report", box={"disk": "1500M"})
def writable_layer_large(box: Box) -> None:
    """A container has put 1.1 GB into its writable layer."""
    box.docker(
        *SAFE, "--name=report", "bb:1.36", "sh", "-c",
        "fallocate -l 1155000000 /dump; exec sleep 1000",
    )  # fmt: skip
    box.wait_for(
        lambda: "1.1" in box.docker("ps", "-s", "--format={{.Size}}").stdout, what="the dump"
    )
