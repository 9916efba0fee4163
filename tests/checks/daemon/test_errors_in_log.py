"""daemon.errors-in-log, with the lines that healthy engines write beside those that matter."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.daemon_processes import DaemonProcesses
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import parse
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.model import Subject
from diagnose.phrases import unix
from tests.checks.daemon.evidence import ALIVE
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = Clock(unix("2026-01-02T03:30:00Z") or 0.0, 0.0)
ID = "ab" * 32
UP = 'time="2026-01-02T03:00:00Z" level=info msg="API listen on /run/docker.sock"'


def _at(minute: int, message: str, level: str = "error", rest: str = "") -> str:
    text = message.replace('"', '\\"')
    return f'time="2026-01-02T03:{minute:02}:00Z" level={level} msg="{text}" {rest}'.rstrip()


SIZE = _at(
    20,
    "Handler for POST /v1.51/containers/create returned error: --storage-opt is supported only for"
    " overlay over xfs with 'pquota' mount option",
)
START = _at(20, f"Handler for POST /v1.51/containers/{ID}/start returned error: no /dev/video7")
TASK = _at(20, "fatal task error", rest='error="network sandbox join failed" module=node/agent')
OLD = SIZE.replace("03:20", "01:20")
HEALTHY = {
    "an exec that was broken off": _at(
        20, "copy stream failed", rest='error="reading from a closed fifo"'
    ),
    "a program that exec did not find": _at(20, f"Error running exec {ID} in container: OCI"),
    "a client that left": _at(20, "attach failed with error: write unix @: broken pipe"),
    "a kernel without IPVS settings": _at(
        20, "error reading the kernel parameter net.ipv4.vs.conn_reuse_mode"
    ),
    "a rootless engine without control groups": _at(
        20,
        "failed to add cg to OOM monitor",
        rest='error="add cg to OOM monitor: open /sys/fs/cgroup/memory/cgroup.event_control: permission denied"',
    ),
    "a killed exec": _at(20, "Could not send KILL signal to container process"),
    "a network of Compose with a subnet": _at(
        20,
        "Error handling plugin refcount operation",
        rest='error="legacy plugin: Unable to find plugin without name"',
    ),
    "a new network with IPv6, on 20.10": _at(
        20,
        "Could not add route to IPv6 network fd00:5::1/64 via device br-0f9f3161ecf2: network is "
        "down",
    ),
    "the end of a swarm": _at(20, "failed to remove node", rest='error="dispatcher is stopped"'),
    "a warning": _at(20, "ShouldRestart failed, container will not be restarted", "warning"),
    "a pull that another check names": _at(
        20,
        "Not continuing with pull after error",
        rest='error="manifest unknown: manifest unknown"',
    ),
    "a removal that is done already, on 20.10": _at(
        20, f"{ID} cleanup: failed to delete container from containerd: no such container"
    ),
    "a removal that is done already": _at(
        20,
        f"{ID} cleanup: failed to delete container from containerd: NotFound: container "
        f'"{ID}" in namespace "moby": not found',
    ),
    "an exec whose user is unknown": _at(
        20, "Error setting up exec command in container a: unable to find user nobodyx"
    ),
    "a monitor that asks for services": _at(
        20, "Error getting services: This node is not a swarm manager."
    ),
    "a container that is not paused": _at(
        20,
        f"Handler for POST /v1.51/containers/a/unpause returned error: Container {ID} is not paused",
    ),
    "a network that swarm has removed": _at(
        20,
        "fatal task error",
        rest='error="error while removing network: unknown network ov id 1j"',
    ),
    "an end of a swarm that takes long": _at(
        20, "failed to shut down cluster node: context deadline exceeded"
    ),
    "a push that another check names": _at(20, "Upload failed, retrying: denied"),
}
LOGS: dict[str, tuple[list[str], list[tuple[str, str]]]] = {
    "a size that the disk cannot give": ([UP, SIZE], [("advice", "docker")]),
    "a start whose container is gone": ([UP, START], [("advice", "docker")]),
    "a task on a worker": ([UP, TASK], [("advice", "docker")]),
    "the same again and again is one": ([UP, *[SIZE] * 5], [("advice", "docker")]),
    "once, two hours ago": ([UP.replace("03:00", "01:00"), OLD], []),
    "three times, two hours ago": (
        [UP.replace("03:00", "01:00"), OLD, OLD, OLD],
        [("advice", "docker")],
    ),
    "before the engine's last start": ([SIZE, UP.replace("03:00", "03:25")], []),
    **{name: ([UP, line], []) for name, line in HEALTHY.items()},
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), LOGS.values(), ids=LOGS)
def test_errors_of_a_running_engine(lines: list[str], expected: list[tuple[str, str]]) -> None:
    assert rows(_judged(lines, of())) == expected


def test_what_a_known_error_means_is_said() -> None:
    (finding,) = _judged([UP, SIZE], of()).findings
    assert "not on xfs with project quotas" in finding.summary
    assert "storage_opt" in str(finding.evidence["what fixes it"])


def test_an_answer_to_a_client_has_its_meaning_too() -> None:
    answer = "driver failed programming external connectivity on endpoint web: Bind for 0.0.0.0:80 failed: port is already allocated"
    line = _at(20, f"Handler for POST /v1.51/containers/gone/start returned error: {answer}")
    (finding,) = _judged([UP, line], of()).findings
    assert "another container publishes port 80 of the host already" in finding.summary


def test_a_container_that_keeps_the_reason_or_runs_says_it_itself() -> None:
    keeps = container("web", Id=ID, State={"Status": "created", "Error": "no /dev/video7"})
    runs = container("web", Id=ID, State={"Running": True, "StartedAt": "2026-01-02T03:25:00Z"})
    waits = container("web", Id=ID, State={"Status": "created"})
    assert not _judged([UP, START], of(keeps)).findings
    assert not _judged([UP, START], of(runs)).findings
    assert rows(_judged([UP, START], of(waits))) == [("advice", "web")]
    for called in ("web", ID[:12]):
        by_client = START.replace(ID, called)
        assert not _judged([UP, by_client], of(keeps)).findings, called
        assert rows(_judged([UP, by_client], of(waits))) == [("advice", "web")], called


def test_a_dead_engine_has_its_last_words_elsewhere() -> None:
    dead = _judged([UP, SIZE], of(), msgspec.structs.replace(ALIVE, processes=DaemonProcesses()))
    assert dead.verdict == "skipped"


def _judged(lines: list[str], containers: Containers, daemon: Daemon = ALIVE):
    log = DaemonLog(parse(lines), "journal docker.service")
    return judge(
        "daemon.errors-in-log",
        log=log,
        daemon=daemon,
        clock=NOW,
        options=Options(),
        containers=containers,
    )


def test_two_errors_of_one_request_stand_apart_and_keep_their_keys() -> None:
    other = START.replace("no /dev/video7", "no such device 12")
    lines = [UP, START, other]
    keys = [finding.discriminator for finding in _judged(lines, of()).findings]
    later = [line.replace("device 12", "device 13") for line in lines]
    assert len(set(keys)) == 2
    assert [finding.discriminator for finding in _judged(later, of()).findings] == keys


NETWORK = "3ph05mjf93966carr8q0bb0yt"
NAMED = {
    "a path": (
        "Handler for POST /v1.51/commit returned error: mkdir /srv/docker/tmp: disk quota exceeded",
        {"refused_path": "/srv/docker/tmp"},
    ),
    "a network": (
        f"task allocation failure: no IP for task of network {NETWORK}: nothing is available",
        {"short_network": NETWORK},
    ),
    "a DNS server": (
        "[resolver] failed to query external DNS server: read udp 172.18.0.2:515->192.0.2.8:53: i/o timeout",
        {"silent_server": "192.0.2.8"},
    ),
    "an interface": (
        "Handler for POST /v1.51/networks/create returned error: -o parent interface was not found on the host: eth1.30",
        {"parent": "eth1.30"},
    ),
    "nothing": (
        "Handler for POST /v1.51/commit returned error: it does not work",
        {"repeated": "/commit returned error: it does not work"},
    ),
}


@pytest.mark.parametrize(("message", "named"), NAMED.values(), ids=NAMED)
def test_what_the_error_names_is_looked_at(message: str, named: dict[str, str]) -> None:
    (finding,) = _judged([UP, _at(20, message)], of()).findings
    assert {name: text for name, text in finding.variables.items() if name != "log"} == named


def test_the_volume_of_a_refused_container_may_be_the_cause() -> None:
    refused = (
        "Handler for POST /v1.51/containers/create returned error: failed to mount local volume: "
        "mount :/exports:/var/lib/docker/volumes/exports/_data, data: addr=192.0.2.9: no such device"
    )
    (finding,) = _judged([UP, _at(20, refused)], of()).findings
    assert finding.touches == (Subject("volume", "exports"),)
