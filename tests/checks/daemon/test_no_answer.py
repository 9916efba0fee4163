"""The checks in checks/daemon/no_answer.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from diagnose import runbooks
from diagnose.evidence.containers.from_disk import container_of
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.awaited_programs import AwaitedProgram, AwaitedPrograms
from diagnose.evidence.engine.daemon import Caller, Daemon
from diagnose.evidence.engine.stuck_containers import StuckContainers
from diagnose.evidence.machine.pressure import Pressure
from diagnose.evidence.machine.processes import Process
from diagnose.model import Severity, Unavailable, Unexamined, container
from tests.checks.daemon.evidence import (
    ID,
    NAMED,
    ROOT,
    SILENT,
    SOCKET,
    daemon,
    engine,
    only_finding,
)
from tests.judging import judge, rows


def test_the_user_who_may_not_use_the_socket_is_named() -> None:
    denied = daemon(
        silence=Unavailable("forbidden", ""),
        process=engine(),
        socket=SOCKET,
        caller=Caller(1000, "deploy"),
    )
    (finding,) = judge("daemon.socket-forbidden", daemon=denied).findings
    assert finding.summary.startswith('user "deploy" may not use the engine')
    old = daemon(
        silence=denied.silence, process=engine(), caller=Caller(1000, "deploy", docker_group=True)
    )
    assert (
        "session is older"
        in next(iter(judge("daemon.socket-forbidden", daemon=old).findings)).summary
    )
    assert (
        only_finding(judge("daemon.socket-forbidden", daemon=old).findings).variables["group"]
        == "docker"
    )
    of_root = replace(old, socket=replace(SOCKET, gid=0))
    closed = only_finding(judge("daemon.socket-forbidden", daemon=of_root).findings)
    assert "another group" in closed.summary
    assert "group" not in closed.variables
    kept_out = replace(
        denied, caller=Caller(1000, "deploy", docker_group=True, session_has_it=True)
    )
    assert (
        "although in group docker"
        in only_finding(judge("daemon.socket-forbidden", daemon=kept_out).findings).summary
    )
    assert judge("daemon.socket-forbidden", daemon=daemon()).findings == ()


@pytest.mark.parametrize(
    ("one", "what"),
    [
        pytest.param(
            daemon(silence=SILENT, process=engine("T"), age=5.0),
            "stopped by a signal",
            id="stopped",
        ),
        pytest.param(
            daemon(
                silence=SILENT,
                process=engine("D", threads={"D": 9}, stuck=[{"tid": 1, "wchan": "nfs4_wait"}]),
            ),
            "9 of its threads wait",
            id="a dead disk",
        ),
        pytest.param(
            daemon(silence=SILENT, process=engine(), age=9999.0), "does not answer", id="deadlock"
        ),
        pytest.param(
            daemon(silence=SILENT, same_host=False, where="served by python3 (9)"),
            "what listens at",
            id="no engine",
        ),
    ],
)
def test_why_an_engine_does_not_answer(one: Daemon, what: str) -> None:
    finding = only_finding(judge("daemon.hung", daemon=one, root=ROOT).findings)
    assert what in finding.summary


def test_hung_is_not_said() -> None:
    assert (
        judge(
            "daemon.hung", daemon=daemon(silence=SILENT, process=engine(), age=20.0), root=ROOT
        ).verdict
        == "unknown"
    )
    assert (
        judge("daemon.hung", daemon=daemon(silence=SILENT, endpoint=NAMED), root=ROOT).verdict
        == "unknown"
    )
    assert judge("daemon.hung", daemon=daemon(), root=ROOT).verdict == "passed"
    alone = Containers(
        (msgspec.convert({"Id": ID}, Container),),
        (Unexamined(container("stuck"), "inspect: timed out: x"),),
    )
    finding = only_finding(
        judge("daemon.hung", daemon=daemon(silence=None), containers=alone, root=ROOT).findings
    )
    assert (finding.subject.name, finding.severity) == ("stuck", Severity.warning)


@pytest.mark.parametrize(
    "why", ["inspect: timed out: GET /v1.51/containers/" + ID + "/json: not a byte", ""]
)
def test_a_stopped_shim_is_told_also_on_a_busy_host(why: str) -> None:
    listed = () if why else (msgspec.convert({"Id": ID, "Name": "/web"}, Container),)
    known = Containers(listed, (Unexamined(container("web"), why),) if why else ())
    one = daemon(
        silence=None, process=engine(), shims={ID: Process(7, comm="containerd-shim", state="T")}
    )
    finding = only_finding(
        judge(
            "daemon.hung",
            daemon=one,
            containers=known,
            root=ROOT,
            pressure=Pressure({}, (200.0, 200.0, 200.0), 2),
        ).findings
    )
    assert (finding.subject.name, finding.severity) == ("web", Severity.warning)
    command = runbooks.cure("daemon.hung", finding.variables, runbooks.Place())
    assert command is not None
    assert command.text == "kill -CONT 7"


def test_a_process_that_nobody_knows_is_in_no_command() -> None:
    finding = only_finding(
        judge("daemon.hung", daemon=daemon(silence=SILENT, same_host=False), root=ROOT).findings
    )
    shown = [runbooks.cure("daemon.hung", finding.variables, runbooks.Place())]
    shown += runbooks.commands("daemon.hung", finding.variables, runbooks.Place())
    assert len(shown) > 1
    assert not [confirm for confirm in shown if confirm is None or "pid" in confirm.text.lower()]


def test_a_slow_engine_on_a_busy_host_is_a_warning() -> None:
    silent = daemon(silence=SILENT, process=engine(), age=9999.0)
    busy, quiet = Pressure({}, (200.0, 200.0, 200.0), 2), Pressure({}, (1.0, 1.0, 1.0), 2)
    assert (
        only_finding(
            judge("daemon.hung", daemon=silent, root=ROOT, pressure=busy).findings
        ).severity
        is Severity.warning
    )
    assert (
        only_finding(
            judge("daemon.hung", daemon=silent, root=ROOT, pressure=quiet).findings
        ).severity
        is None
    )
    stopped = daemon(silence=SILENT, process=engine("T"))
    assert (
        only_finding(
            judge("daemon.hung", daemon=stopped, root=ROOT, pressure=busy).findings
        ).severity
        is None
    )


OWN: dict[str, Any] = {
    "ID": ID, "Name": "/web", "Created": "2026-01-02T03:04:05Z", "RestartCount": 2, "Config": {"Image": "shop:1.4"},
    "State": {"Running": True, "Pid": 812, "StartedAt": "2026-01-02T03:04:05Z", "ExitCode": 0},
    "MountPoints": {"/data": {"Type": "bind", "Source": "/srv", "Destination": "/data", "RW": False}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("state", "pid", "status"),
    [
        pytest.param({}, 900, "running", id="its process lives"),
        pytest.param({}, 0, "exited", id="the file says running, and it is dead"),
        pytest.param({}, None, "running", id="processes cannot be seen"),
        pytest.param({"Paused": True}, 900, "paused", id="paused"),
        pytest.param(
            {"Running": True, "Restarting": True}, 0, "restarting", id="between two lives"
        ),
        pytest.param(
            {"Running": False, "StartedAt": "0001-01-01T00:00:00Z"},
            0,
            "created",
            id="never started",
        ),
        pytest.param({"Running": False, "Dead": True}, 0, "dead", id="half removed"),
    ],
)
def test_container_from_its_files(state: dict[str, Any], pid: int | None, status: str) -> None:
    container = container_of({**OWN, "State": {**OWN["State"], **state}}, {"Memory": 64}, pid)
    assert container.state.status == status
    assert (container.name, container.restart_count, container.host_config.memory) == ("web", 2, 64)
    assert [(mount.source, mount.rw) for mount in container.mounts or ()] == [("/srv", False)]


def test_roots_podman_answers_to_root_alone() -> None:
    podman = "/run/podman/podman.sock"
    closed = daemon(
        silence=Unavailable("forbidden", ""),
        sees_all=True,
        caller=Caller(1000, "deploy"),
        closed_podman=podman,
    )
    assert not closed.is_down
    finding = only_finding(judge("daemon.socket-forbidden", daemon=closed).findings)
    assert f"which leads to the socket of root's Podman, {podman}" in finding.summary
    assert finding.variables["own_podman"] == "unix:///run/user/1000/podman/podman.sock"


IPTABLES = Process(401, 69, "iptables", "S", 10.0, 0)
HOLDER = Process(347, 1, "ufw", "S", 9.0, 0)
FIRST_MINUTE = daemon(silence=SILENT, process=engine(), age=20.0)
ANSWERING = daemon(silence=None, process=engine())
WAITING: dict[str, tuple[Daemon, AwaitedProgram | None, set[str]]] = {
    "a lock": (FIRST_MINUTE, AwaitedProgram(IPTABLES, seconds=40, holder=HOLDER), {"holder"}),
    "a lock of one that is stopped": (
        ANSWERING,
        AwaitedProgram(IPTABLES, seconds=40, holder=replace(HOLDER, state="T")),
        {"stopped"},
    ),
    "no lock": (ANSWERING, AwaitedProgram(IPTABLES, seconds=40), {"awaited"}),
    "the bus": (FIRST_MINUTE, AwaitedProgram(replace(HOLDER, state="T")), {"stopped"}),
}


@pytest.mark.parametrize(("daemon", "program", "expected"), WAITING.values(), ids=WAITING)
def test_programs_that_the_engine_waits_for(
    daemon: Daemon, program: AwaitedProgram, expected: set[str]
) -> None:
    result = judge(
        "daemon.hung",
        daemon=daemon,
        stuck_containers=StuckContainers(()),
        awaited=AwaitedPrograms((program,)),
    )
    (finding,) = result.findings
    assert rows(result) == [("critical", "docker")]
    assert finding.variables.keys() - {"socket"} == expected
    assert f"({program.culprit.pid})" in finding.summary


def test_an_engine_that_waits_for_nobody_may_still_start() -> None:
    awaited = AwaitedPrograms(())
    result = judge(
        "daemon.hung", daemon=FIRST_MINUTE, stuck_containers=StuckContainers(()), awaited=awaited
    )
    assert result.verdict == "unknown"
