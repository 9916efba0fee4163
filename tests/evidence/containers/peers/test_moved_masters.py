"""Masters of Redis with another address than the one that Sentinel calls."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.inner_failures import InnerFailures, in_lines
from diagnose.evidence.containers.peers.moved_masters import moved_masters
from tests.checks.container.evidence import CLOCK
from tests.inspected import container, of
from tests.judging import judge

DOWN = "1:X 02 Dec 2026 16:33:49.388 # +sdown master main 10.1.0.20 6379"
BACK = "1:X 02 Dec 2026 16:34:49.388 # -sdown master main 10.1.0.20 6379"
SWITCHED = "1:X 02 Dec 2026 16:34:49.388 # +switch-master main 10.1.0.20 6379 10.1.0.21 6379"
CONF = {"Type": "bind", "Source": "/srv/sentinel", "Destination": "/conf", "RW": True}


def _container(name: str, image: str, address: str, **parts: Any) -> Container:
    networks = {"Networks": {"cache": {"IPAddress": address}}}
    command = parts.pop("command", ["redis-server"])
    return container(
        name,
        Config={"Image": image},
        Path=command[0],
        Args=command[1:],
        NetworkSettings=networks,
        **parts,
    )


def _sentinel(**parts: Any) -> Container:
    words = ["redis-server", "/conf/sentinel.conf", "--sentinel"]
    return _container("sentinel", "redis:7", "10.1.0.9", command=words, **parts)


MASTER = _container("master", "redis:7", "10.1.0.21")
CASES: dict[str, tuple[list[Container], list[str]]] = {
    "another address": ([MASTER], ["10.1.0.21"]),
    "the address that is called": ([_container("master", "redis:7", "10.1.0.20")], []),
    "two servers": ([MASTER, _container("replica", "valkey/valkey:8", "10.1.0.22")], []),
    "no server of Redis": ([_container("web", "nginx:1", "10.1.0.21")], []),
    "the address of another program": (
        [MASTER, _container("web", "nginx:1", "10.1.0.20")],
        ["10.1.0.21"],
    ),
}


@pytest.mark.parametrize(("others", "expected"), CASES.values(), ids=CASES)
def test_masters(others: list[Container], expected: list[str]) -> None:
    sentinel = _sentinel()
    failures = in_lines(sentinel, {"redis-server"}, [(None, DOWN)])
    assert len(failures) == 1
    moved = moved_masters(of(sentinel, *others), InnerFailures(tuple(failures)))
    addresses = [master.address for failure in failures if (master := moved.of(failure))]
    assert addresses == expected


@pytest.mark.parametrize("after", [BACK, SWITCHED], ids=["it is back", "another one is master"])
def test_a_master_that_is_missed_no_longer(after: str) -> None:
    assert in_lines(_sentinel(), {"redis-server"}, [(None, DOWN), (None, after)]) == []


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        (
            [CONF],
            {
                "sentinel": "sentinel",
                "sentinel_file": "/srv/sentinel/sentinel.conf",
                "address_edit": r"s/\b10\.1\.0\.20\b/10.1.0.21/g",
            },
        ),
        ([{**CONF, "RW": False}], {"masterless": "sentinel"}),
        ([], {"masterless": "sentinel"}),
    ],
    ids=["its folder", "read-only", "no mount"],
)
def test_what_the_page_is_given(mounts: list[dict[str, Any]], expected: dict[str, str]) -> None:
    sentinel = _sentinel(Mounts=mounts)
    failures = InnerFailures(tuple(in_lines(sentinel, {"redis-server"}, [(None, DOWN)])))
    result = judge(
        "container.failing-inside",
        inner_failures=failures,
        moved_masters=moved_masters(of(sentinel, MASTER), failures),
        clock=CLOCK,
    )
    (finding,) = result.findings
    assert finding.variables.items() >= expected.items()
    assert "10.1.0.21" in finding.summary
