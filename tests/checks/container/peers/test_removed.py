"""Containers that are gone and needed: who needs them, and how bad that is."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.ends.removals import FailedUpdate, Removal, Removals
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from tests.checks.container.evidence import CLOCK
from tests.inspected import container, of
from tests.judging import judge, rows

LABELS = {"com.docker.compose.service": "db", "com.docker.compose.project.working_dir": "/srv/shop"}
GONE = Removal("shop-db-1", CLOCK.wall - 60, "a1" * 32, labels=LABELS, pruned=True)
API = container("api")
MONITOR = container("uptime", Config={"Image": "louislam/uptime-kuma:1"})
JOINED = container(
    "sidecar",
    State={"Status": "exited", "ExitCode": 128, "Pid": 0, "Error": f"No such container: {GONE.id}"},
)
OTHER = container(
    "other",
    State={"Status": "exited", "ExitCode": 128, "Pid": 0, "Error": "No such container: cache"},
)
UPDATED = Removal("blog", update=FailedUpdate(container("watchtower"), "Conflict"))
FOUND = [("critical", "shop-db-1")]
CASES: dict[str, tuple[Removal, Container, str, list[tuple[str, str]]]] = {
    "a program calls its service": (GONE, API, "db", FOUND),
    "a program calls another name": (GONE, API, "cache", []),
    "a monitor calls it": (GONE, MONITOR, "shop-db-1", [("advice", "shop-db-1")]),
    "one joins its network": (GONE, JOINED, "", FOUND),
    "one needs another": (GONE, OTHER, "", []),
    "nobody needs it": (GONE, API, "", []),
    "an updater lost it": (UPDATED, API, "", [("critical", "blog")]),
}


@pytest.mark.parametrize(("removal", "caller", "called", "expected"), CASES.values(), ids=CASES)
def test_removed(
    removal: Removal, caller: Container, called: str, expected: list[tuple[str, str]]
) -> None:
    failed = {caller.id: (FailedName(called, f"bad address {called}"),)} if called else {}
    result = judge(
        "container.removed",
        removals=Removals((removal,)),
        containers=of(caller),
        failed_names=FailedNames(failed),
        clock=CLOCK,
    )
    assert rows(result) == expected
    for finding in result.findings:
        assert {"folder", "updater"} & finding.variables.keys()
