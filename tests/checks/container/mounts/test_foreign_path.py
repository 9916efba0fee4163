"""Sources of mounts that are meant as paths of another container (foreign_path.py)."""

from __future__ import annotations

from typing import Any

import pytest

from checks.container.mounts.foreign_path import with_owner
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.bind_mounts import MOST_OWNED, BindSources, bind_sources
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Finding
from diagnose.questions.run import Options
from tests.hosts import Made
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
    "a volume": ([*SOCKET, *HOME], "/var/lib/docker/volumes/home/_data/workspace/app:/src"),
    "the same path on the host": ([*SOCKET, *SAME], ""),
    "no socket": (HOME, ""),
    "another path": ([*SOCKET, *bind("/srv", Destination="/data")["Mounts"]], ""),
}


OWNED = "/var/lib/docker/volumes/home/_data/workspace/app"


def sources_of(containers: Containers, there: set[str]) -> BindSources:
    def stats(question: Any) -> dict[str, object]:
        return {
            path: {"type": "folder"} if path in there else {"failed": "missing"}
            for path in question.paths
        }

    sources = bind_sources(
        Made({"file.stats": stats}), containers, Clock(0.0, 0.0), Options(), LogTails({}, {})
    )
    assert isinstance(sources, BindSources)
    return sources


@pytest.mark.parametrize(("mounts", "expected"), OWNERS.values(), ids=OWNERS)
@pytest.mark.parametrize(
    "source", ["/home/ci/workspace/app", "/home/ci/workspace/app/package.json"]
)
def test_who_has_the_path(mounts: list[dict[str, Any]], expected: str, source: str) -> None:
    job = container("job", **bind("/home/ci/workspace/app", Destination="/src"))
    runner = container("ci", Mounts=mounts)
    finding = Finding.about(job, f"{job} misses a file", {}, variables={"source": source})
    containers = Containers([job, runner])
    named = with_owner(finding, job, containers, sources_of(containers, {OWNED}))
    assert named.variables.get("owned_mount", "") == expected
    assert ('container "ci"' in named.summary) == bool(expected)


def test_an_owner_that_has_nothing_there_is_not_named() -> None:
    """Portainer has a folder /data of its own, and the host's disk at /data is not mounted."""
    job = container("job", **bind("/home/ci/workspace/app", Destination="/src"))
    containers = Containers([job, container("ci", Mounts=[*SOCKET, *HOME])])
    finding = Finding.about(
        job, "it misses a file", {}, variables={"source": "/home/ci/workspace/app"}
    )
    sources = sources_of(containers, set())
    assert with_owner(finding, job, containers, sources) == finding
    assert with_owner(finding, job, containers, None) == finding


def test_of_a_thousand_paths_some_are_looked_up() -> None:
    jobs = [container(f"job{n}", **bind(f"/home/ci/{n}", Destination="/src")) for n in range(1000)]
    host = Made({"file.stats": lambda question: {path: {} for path in question.paths}})
    containers = Containers([*jobs, container("ci", Mounts=[*SOCKET, *HOME])])
    sources = bind_sources(host, containers, Clock(0.0, 0.0), Options(), LogTails({}, {}))
    assert isinstance(sources, BindSources)
    assert len(sources.owned) == MOST_OWNED
