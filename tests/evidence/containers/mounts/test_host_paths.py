"""Paths in lines that are the host's, or that no mount holds."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.mounts.host_paths import stray_path
from tests.inspected import container

SYNC = container(
    "sync",
    Mounts=[
        {"Type": "bind", "Source": "/mnt/pool/films", "Destination": "/data1", "RW": True},
        {"Type": "bind", "Source": "/home/ed/conf", "Destination": "/config", "RW": True},
        {"Type": "bind", "Source": "/var/log", "Destination": "/logs", "RW": False},
        {"Type": "volume", "Name": "v", "Source": "/v/_data", "Destination": "/cache", "RW": True},
    ],
)
LINES = {
    "a path of the host": (
        "Failed to create folder root directory mkdir /mnt/pool/films/new: permission denied",
        "/data1/new",
        "/mnt/pool/films/new is a path of the host, which the container has at /data1/new",
    ),
    "a path of the host that is missed": (
        "stat /mnt/pool/films: no such file or directory",
        "/data1",
        "/mnt/pool/films is a path of the host, which the container has at /data1",
    ),
    "a path that no mount holds": (
        "Stopping folder - stat /root/Sync/: permission denied",
        "",
        "/root/Sync lies in none of its mounts (/data1 and /config)",
    ),
    "a path that a mount holds": ("open /data1/x: permission denied", None, ""),
    "a path of the system": ("open /var/log/shop.log: permission denied", None, ""),
    "a path of the image": ("open /app/cache: permission denied", None, ""),
    "a path that is not there at all": ("open /media/x: no such file or directory", None, ""),
    "no complaint": ("scanning /mnt/pool/films", None, ""),
    "the beginning of another name": ("stat /mnt/pool/films2: no such file", None, ""),
}


@pytest.mark.parametrize(("line", "inside", "clause"), LINES.values(), ids=LINES)
def test_which_path_is_none_of_the_containers(line: str, inside: str | None, clause: str) -> None:
    stray = stray_path(SYNC, line)
    assert (stray.path_inside if stray is not None else None) == inside
    assert (stray.clause if stray is not None else "") == clause


def test_a_container_without_folders_of_the_host() -> None:
    assert stray_path(container("bare"), "stat /root/Sync: permission denied") is None
