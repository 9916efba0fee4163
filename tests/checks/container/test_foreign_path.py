"""Sources of mounts that are meant as paths of another container: checks/container/mounts.py."""

from __future__ import annotations

from typing import Any

import pytest

from checks.container.foreign_path import with_owner
from diagnose.evidence.containers.listing import Containers
from diagnose.model import Finding
from tests.inspected import bind, container

SOCKET = bind("/run/docker.sock", Destination="/var/run/docker.sock")["Mounts"]
HOME = [
    {
        "Type": "volume",
        "Name": "home",
        "Source": "/var/lib/docker/volumes/home/_data",
        "Destination": "/home/ci",
    }
]
SAME = bind("/home/ci", Destination="/home/ci")["Mounts"]
OWNERS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a volume": (
        [*SOCKET, *HOME],
        "/var/lib/docker/volumes/home/_data/workspace/app:/src",
    ),
    "the same path on the host": ([*SOCKET, *SAME], ""),
    "no socket": (HOME, ""),
    "another path": ([*SOCKET, *bind("/srv", Destination="/data")["Mounts"]], ""),
}


@pytest.mark.parametrize(("mounts", "expected"), OWNERS.values(), ids=OWNERS)
@pytest.mark.parametrize(
    "source", ["/home/ci/workspace/app", "/home/ci/workspace/app/package.json"]
)
def test_who_has_the_path(mounts: list[dict[str, Any]], expected: str, source: str) -> None:
    job = container("job", **bind("/home/ci/workspace/app", Destination="/src"))
    runner = container("ci", Mounts=mounts)
    finding = Finding.about(job, f"{job} misses a file", {}, source=source)
    named = with_owner(finding, job, Containers([job, runner]))
    assert named.variables.get("owned_mount", "") == expected
    assert ('container "ci"' in named.summary) == bool(expected)
