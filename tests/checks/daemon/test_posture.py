"""The checks in checks/daemon/posture.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.daemon import Caller, Daemon, ProcessDetail
from diagnose.evidence.engine.info import Info, Ping
from diagnose.questions.engine import SwarmMembership
from tests.checks.daemon.evidence import ALIVE, NAMED, daemon
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


def test_live_restore_off() -> None:
    assert (
        len(
            judge("daemon.live-restore-off", info=Info(containers_running=3), daemon=ALIVE).findings
        )
        == 1
    )  # type: ignore[arg-type]
    assert judge("daemon.live-restore-off", info=Info(), daemon=ALIVE).verdict == "passed"
    result = judge(
        "daemon.live-restore-off",
        info=Info(containers_running=3, live_restore_enabled=True),
        daemon=ALIVE,
    )
    assert result.verdict == "passed"
    assert (
        judge(
            "daemon.live-restore-off", info=Info(swarm=SwarmMembership("active")), daemon=ALIVE
        ).verdict
        == "skipped"
    )


RETURNING = {"RestartPolicy": {"Name": "always"}}
RESTARTS = {
    "all start again": ([RETURNING, RETURNING], "and start them again"),
    "one stays down": ([RETURNING, {}], "2 running containers, and 1 of them would stay down"),
    "none starts again": ([{}, {}], "2 running containers, without a restart policy"),
}


@pytest.mark.parametrize(("configs", "words"), RESTARTS.values(), ids=RESTARTS)
def test_containers_that_start_again_are_not_counted_as_stopped(
    configs: list[dict[str, object]], words: str
) -> None:
    running = of(
        *(container(f"web{number}", HostConfig=config) for number, config in enumerate(configs))
    )
    (finding,) = judge(
        "daemon.live-restore-off", info=Info(containers_running=2), daemon=ALIVE, containers=running
    ).findings
    assert words in finding.summary, finding.summary


DEBUGGING = {
    "debug mode": (Info(debug=True), ALIVE, [("advice", "docker")]),
    "as usual": (Info(), ALIVE, []),
    "Podman": (Info(debug=True), Daemon(NAMED, Caller(), is_podman=True), []),
}


@pytest.mark.parametrize(("info", "daemon", "expected"), DEBUGGING.values(), ids=DEBUGGING)
def test_debug_mode(info: Info, daemon: Daemon, expected: list[tuple[str, str]]) -> None:
    assert rows(judge("daemon.debug-on", info=info, daemon=daemon)) == expected
