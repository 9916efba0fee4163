"""Layers and containers of another image store, and data roots that cannot hold any."""

from __future__ import annotations

from tests.lab import Box, Engines, fault
from tests.lab.scenarios.storage.helpers import ROOT, SAFE

_STORE = {"features": {"containerd-snapshotter": True}}


@fault(
    "storage.overlay-orphans",
    subject="daemon:docker",
    engines=Engines(until=28),
    shareable=True,
    first_command=("half", "the page says to leave the rest alone"),
)
def overlay_orphans(box: Box) -> None:
    """Two layers that an interrupted removal has left; engine 29 has containerd's store."""
    for name in ("6f" * 32, "7a" * 32):
        folder = f"{ROOT}/overlay2/{name}"
        box.sh(f"mkdir -p {folder}/diff; touch -d '2 days ago' {folder}")


@fault(
    "storage.store-leftover",
    subject="daemon:docker",
    engines=Engines(since=26),
    engine_started=False,
    baseline=False,
)
def store_leftover(box: Box) -> None:
    """The engine was switched to containerd's image store; its old images lie where they lay."""
    logs = {"log-driver": "json-file", "log-opts": {"max-size": "10m"}}
    box.start_engine(config=logs)
    box.image("bb:1.36")
    box.stop_engine()
    box.start_engine(config={**logs, **_STORE})
    assert box.docker("images", "-q").stdout == ""
    assert box.sh(f"ls {ROOT}/overlay2").split() != []


@fault("daemon.containers-hidden", subject="daemon:docker", engine_started=False, baseline=False)
def storage_driver_switched(box: Box) -> None:
    """The engine was given another storage driver, and seems empty."""
    logs = {"log-driver": "json-file", "log-opts": {"max-size": "10m"}}
    box.start_engine(config=logs)
    box.docker("create", "--name=hidden-one", "bb:1.36", "true")
    box.docker("create", "--name=hidden-two", "bb:1.36", "true")
    box.stop_engine()
    box.start_engine(config={**logs, "storage-driver": "vfs"})
    assert box.docker("ps", "-aq").stdout == ""
    finding = box.diagnose("check", "daemon.containers-hidden", "--format", "json").findings[0]
    assert "2 containers of overlay2 (hidden-one, hidden-two)" in finding["summary"]


@fault(
    "storage.d-type-missing",
    subject="daemon:docker",
    engines=Engines(until=22),
    engine_started=False,
    baseline=False,
    first_command=("heals", "the lab had to write the line of fstab first"),
)
def d_type_missing(box: Box) -> None:
    """The data root lies on an ext4 without file types in its folders, and held layers before."""
    box.sh(
        f"truncate -s 300M {ROOT}/disk; mkfs.ext4 -q -O ^filetype {ROOT}/disk; mkdir -p /srv/docker;"
        f" mount -o loop {ROOT}/disk /srv/docker; mkdir -p /srv/docker/overlay2/l"
    )
    logs = {"log-driver": "json-file", "log-opts": {"max-size": "10m"}}
    box.start_engine(config={**logs, "data-root": "/srv/docker", "storage-driver": "overlay2"})
    assert ["Supports d_type", "false"] in box.api("/info")["DriverStatus"]


@fault("storage.data-root-in-memory", subject="daemon:docker", engine_started=False, baseline=False)
def data_root_in_memory(box: Box) -> None:
    """A server was set up from the image of a builder, whose data root is a tmpfs."""
    box.sh(f"mount -t tmpfs -o size=300m tmpfs {ROOT}")
    box.start_engine()
    box.docker(*SAFE, "--name=orders", "-v", "orders:/data", "bb:1.36", "sleep", "1000")
    assert box.sh(f"stat --file-system --format %T {ROOT}") == "tmpfs\n"
