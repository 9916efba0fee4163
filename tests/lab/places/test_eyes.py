"""The healthy and the broken host seen by others than root: what they name is true, what they
cannot see they say."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.lab.box import PROJECT, Box
from tests.lab.conftest import unfit
from tests.lab.faults import discover
from tests.lab.runner import start

pytestmark = [pytest.mark.skipif(bool(unfit()), reason=str(unfit())), pytest.mark.timeout(300)]

HOSTS = ("broken_host.fifteen_faults", "broken_host.control_host")
ALL = ("all", "--format", "json")
_PLACES = [sys.base_prefix, str(PROJECT), sys.prefix, "/usr", "/lib", "/lib64"]
IN_A_CONTAINER = (
    "run", "--rm", "--user=0", "--network=bridge",
    *(f"--volume={place}:{place}:ro" for place in _PLACES if Path(place).exists()),
    "--volume=/var/run/docker.sock:/var/run/docker.sock", f"--workdir={PROJECT}", "shop:1.4",
    sys.executable, "-m", "diagnose", *ALL,
)  # fmt: skip
MOUNTS_THE_SOCKET = {"security.docker-socket-mounted", "security.root-user", "security.no-limits"}
"""What the container that the tool runs in is told of itself."""


@pytest.fixture(scope="module", params=HOSTS)
def seen_by_root(request: pytest.FixtureRequest) -> Iterator[tuple[str, Box, Mapping[str, Any]]]:
    """The host, and what root is told of it."""
    scenario = discover()[request.param]
    with Box("distro", **scenario.box) as box:
        start(box, scenario)
        scenario.inject(box)
        yield request.param, box, box.diagnose(*ALL).report


def keys(report: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(id, subject) of the findings above advice."""
    return {
        (f["id"], f["subject"]["name"]) for f in report["findings"] if f["severity"] != "advice"
    }


def judge(host: str, report: Mapping[str, Any], root: Mapping[str, Any]) -> None:
    """Nothing that root was not told of; nothing passed that root found; no unknown without a
    reason."""
    assert keys(report) <= keys(root), "an alarm that root does not have"
    if host.endswith("control_host"):
        assert not keys(report)
    verdicts = {row["id"]: row for row in report["checks"]}
    assert "crashed" not in {verdict["verdict"] for verdict in verdicts.values()}
    assert not [
        verdict["id"]
        for verdict in verdicts.values()
        if verdict["verdict"] == "unknown" and not verdict["why"]
    ]
    calm = {id for id, _ in keys(root) if verdicts[id]["verdict"] == "passed"}
    assert not calm, "passed, though root found it"


CALLERS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "nobody": (
        (),
        ("firewall.chains-missing", "container.restart-loop", "dns.upstream-unreachable"),
    ),
    "a member of group docker": (
        ("docker",),
        ("firewall.chains-missing", "dns.embedded-rules-missing"),
    ),
}
"""The groups of a caller, and what can only be unknown to it."""


@pytest.mark.parametrize(("groups", "hidden"), CALLERS.values(), ids=CALLERS)
def test_caller_without_rights(
    seen_by_root: tuple[str, Box, Mapping[str, Any]], groups: Sequence[str], hidden: Sequence[str]
) -> None:
    host, box, root = seen_by_root
    report = box.diagnose(*ALL, user="nobody", groups=groups).report
    judge(host, report, root)
    said = {row["id"]: row["verdict"] for row in report["checks"]}
    assert {id: said[id] for id in hidden} == dict.fromkeys(hidden, "unknown")


def test_root_without_the_right_to_look_into_processes(
    seen_by_root: tuple[str, Box, Mapping[str, Any]],
) -> None:
    host, box, root = seen_by_root
    command = [
        "setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace", sys.executable, "-m",
        "diagnose", *ALL,
    ]  # fmt: skip
    done = box.run(command, check=False, cwd=str(PROJECT))
    judge(host, json.loads(done.stdout), root)


@pytest.mark.parametrize("left", [1, 2, 3, 12, 40])
def test_where_few_processes_and_threads_are_left(
    seen_by_root: tuple[str, Box, Mapping[str, Any]], left: int
) -> None:
    """The tool's own control group lets it have so many in all, as a host does whose pid_max is
    reached."""
    host, box, root = seen_by_root
    script = f"""
        [ -d /sys/fs/cgroup/pids ] && cd /sys/fs/cgroup/pids || cd /sys/fs/cgroup
        mkdir -p few; echo {left} >few/pids.max; echo $$ >few/cgroup.procs; cd {PROJECT}
        exec {sys.executable} -m diagnose {" ".join(ALL)}"""
    report = json.loads(box.run(["sh", "-ec", script], check=False).stdout)
    judge(host, report, root)
    assert report["duration_s"] < 10
    if host.endswith("fifteen_faults"):
        assert ("container.oom-killed", "report") in keys(report)


def test_root_in_a_container(seen_by_root: tuple[str, Box, Mapping[str, Any]]) -> None:
    """It has the engine's socket and nothing else of the host's: what is the host's is unknown to
    it."""
    host, box, root = seen_by_root
    if host.endswith("fifteen_faults"):
        pytest.skip("that host starts no more containers: its disk is full")
    report = json.loads(box.docker(*IN_A_CONTAINER, check=False, timeout=90).stdout)
    report["findings"] = [f for f in report["findings"] if f["id"] not in MOUNTS_THE_SOCKET]
    judge(host, report, root)
    said = {row["id"]: row["verdict"] for row in report["checks"]}
    assert said["storage.disk-full"] == "unknown"
    assert said["firewall.chains-missing"] == "unknown"
    assert said["container.restart-loop"] == "passed"
