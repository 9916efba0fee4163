"""The checks in checks/daemon/posture.py."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import (
    Caller,
    Daemon,
    ProcessDetail,
    Unit,
)
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.engine.socket_clients import SocketClients, TurnedAway
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.model import Severity
from diagnose.questions.engine import SwarmMembership
from tests.checks.daemon.evidence import ALIVE, ID, NAMED, config, daemon, engine, log, only_finding
from tests.inspected import container, of
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("version", "exe", "expected"),
    [
        pytest.param("24.0.7", None, ["ended"], id="a line that has ended"),
        pytest.param("28.5.2", None, [], id="a line with fixes"),
        pytest.param("30.0.0", None, [], id="newer than we know"),
        pytest.param("20.10.24+dfsg1", None, [], id="Debian's"),
        pytest.param("24.0.7-0ubuntu2", None, [], id="Ubuntu's"),
        pytest.param("20.10.25-3.el9", None, [], id="of a Red Hat family"),
        pytest.param(
            "28.5.2", "/usr/bin/dockerd (deleted)", ["replaced"], id="upgraded, not restarted"
        ),
    ],
)
def test_engine_outdated(version: str, exe: str | None, expected: list[str]) -> None:
    engine = daemon(silence=None, process=ProcessDetail(69, "dockerd", exe=exe))
    findings = judge(
        "daemon.engine-outdated",
        daemon=engine,
        ping=Ping("1.43", version, ""),
        info=Info(server_version=version),
    ).findings
    assert [finding.discriminator for finding in findings] == expected  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("one", "severity"),
    [
        pytest.param(
            config(flags={"host": ["fd://", "tcp://0.0.0.0:2375"]}), [None], id="all addresses"
        ),
        pytest.param(config(flags={"host": [":2375"]}), [None], id="without a scheme"),
        pytest.param(
            config(values={"hosts": ["tcp://127.0.0.1:2375"]}), [Severity.advice], id="loopback"
        ),
        pytest.param(
            config(flags={"host": ["tcp://0.0.0.0:2376"], "tlsverify": ["true"]}),
            [],
            id="with certificates",
        ),
        pytest.param(config(flags={"host": ["fd://", "unix:///run/x.sock"]}), [], id="sockets"),
    ],
)
def test_remote_api_open(one: DaemonConfig, severity: list[Severity | None]) -> None:
    findings = judge(
        "daemon.remote-api-open", config=one, daemon=daemon(silence=None, process=engine())
    ).findings
    assert [finding.severity for finding in findings] == severity  # type: ignore[union-attr]
    assert judge("daemon.remote-api-open", config=one, daemon=daemon()).verdict == "skipped"


def test_client_api_too_old() -> None:
    said = "client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade your client"
    line = f'time="2026-01-02T03:04:05Z" level=debug msg="Handler for GET /v1.24/info returned error: {said}"'
    clock = Clock(1767323105.0, 0.0)
    traefik = msgspec.convert({"Id": ID, "Name": "/traefik"}, Container)
    quiet = SocketClients((traefik,))
    finding = only_finding(
        judge(
            "daemon.client-api-too-old",
            clients=quiet,
            log=log(line),
            options=Options(),
            clock=clock,
        ).findings
    )
    assert (
        finding.summary == "a client of API 1.24 is turned away: this engine requires at least 1.44"
    )
    assert (
        judge(
            "daemon.client-api-too-old",
            clients=quiet,
            log=log(line),
            options=Options(since_s=30),
            clock=clock,
        ).findings
        == ()
    )
    loud = SocketClients((traefik,), (TurnedAway(traefik, "1.24", "1.44", said),))
    of_container = judge("daemon.client-api-too-old", clients=loud, options=Options(), clock=clock)
    assert [str(finding.subject) for finding in of_container.findings] == ["container:traefik"]


@pytest.mark.parametrize(
    ("created", "date", "count"),
    [
        pytest.param("2026-01-02T03:04:05Z", None, 0, id="in the past"),
        pytest.param("2026-01-02T03:05:40Z", None, 0, id="seconds apart"),
        pytest.param("2026-01-02T05:04:05Z", None, 1, id="in the future"),
        pytest.param("2026-01-02T03:04:05Z", 1767322000.0, 1, id="the engine's clock"),
    ],
)
def test_clock_skewed(created: str, date: float | None, count: int) -> None:
    containers = Containers(
        (msgspec.convert({"Id": ID, "Name": "/web", "Created": created}, Container),)
    )
    clock = Clock(1767323105.0, 0.0)
    assert (
        len(
            judge(
                "daemon.clock-skewed",
                clock=clock,
                ping=Ping("1.41", "", "", date),
                containers=containers,
            ).findings
        )
        == count
    )


def test_live_restore_off() -> None:
    assert (
        len(
            judge("daemon.live-restore-off", info=Info(containers_running=3), daemon=ALIVE).findings
        )
        == 1
    )  # type: ignore[arg-type]
    assert judge("daemon.live-restore-off", info=Info(), daemon=ALIVE).verdict == "passed"
    assert (
        judge(
            "daemon.live-restore-off",
            info=Info(containers_running=3, live_restore_enabled=True),
            daemon=ALIVE,
        ).verdict
        == "passed"
    )
    assert (
        judge(
            "daemon.live-restore-off", info=Info(swarm=SwarmMembership("active")), daemon=ALIVE
        ).verdict
        == "skipped"
    )


DEBUGGING = {
    "debug mode": (Info(debug=True), ALIVE, [("advice", "docker")]),
    "as usual": (Info(), ALIVE, []),
    "Podman": (Info(debug=True), Daemon(NAMED, Caller(), is_podman=True), []),
}


@pytest.mark.parametrize(("info", "daemon", "expected"), DEBUGGING.values(), ids=DEBUGGING)
def test_debug_mode(info: Info, daemon: Daemon, expected: list[tuple[str, str]]) -> None:
    assert rows(judge("daemon.debug-on", info=info, daemon=daemon)) == expected


KEPT = container("web", HostConfig={"RestartPolicy": {"Name": "always"}})
BY_HAND = container("job", HostConfig={"RestartPolicy": {"Name": "no"}})
ADVICE = [("advice", "docker")]
BOOTS: dict[str, tuple[Daemon, Container, list[tuple[str, str]]]] = {
    "nothing starts it": (
        daemon(silence=None, process=engine(), unit=Unit(unit_file_state="disabled")),
        KEPT,
        ADVICE,
    ),
    "no container is to come back": (
        daemon(silence=None, process=engine(), unit=Unit(unit_file_state="disabled")),
        BY_HAND,
        [],
    ),
    "a boot starts it": (
        daemon(silence=None, process=engine(), unit=Unit(unit_file_state="enabled")),
        KEPT,
        [],
    ),
    "it is down": (daemon(unit=Unit(unit_file_state="disabled")), KEPT, []),
    "no systemd": (ALIVE, KEPT, []),
}


LATE = Unit(unit_file_state="disabled", active_enter_timestamp="@1799999900")
"""Started 100 s ago."""
BOOTED = Clock(wall=1_800_000_000.0, booted=1_799_990_000.0)
OLD = container(
    "web",
    HostConfig={"RestartPolicy": {"Name": "always"}},
    Created="2020-01-01T00:00:00Z",
)
NEW = container(
    "web",
    HostConfig={"RestartPolicy": {"Name": "always"}},
    Created="2027-01-15T07:59:00Z",
)
AGAIN = Unit(
    unit_file_state="disabled",
    active_enter_timestamp="@1799999900",
    inactive_enter_timestamp="@1799999890",
)
OUTAGES: dict[str, tuple[Unit, Container, str]] = {
    "the engine was first started long after the boot": (LATE, OLD, "warning"),
    "the container is younger than the boot": (LATE, NEW, "advice"),
    "the engine ran before in this boot": (AGAIN, OLD, "advice"),
}


@pytest.mark.parametrize(("unit", "kept", "expected"), OUTAGES.values(), ids=OUTAGES)
def test_what_the_last_boot_did_not_start(unit: Unit, kept: Container, expected: str) -> None:
    state = daemon(silence=None, process=engine(), age=100.0, unit=unit)
    judged = judge("daemon.not-enabled", daemon=state, containers=of(kept), clock=BOOTED)
    assert rows(judged) == [(expected, "docker")]


@pytest.mark.parametrize(("state", "kept", "expected"), BOOTS.values(), ids=BOOTS)
def test_an_engine_that_no_boot_starts(
    state: Daemon, kept: Container, expected: list[tuple[str, str]]
) -> None:
    assert rows(judge("daemon.not-enabled", daemon=state, containers=of(kept))) == expected
