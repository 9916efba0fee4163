"""The check in checks/daemon/hung.py."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec.structs import replace

from diagnose import runbooks
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.awaited_programs import AwaitedProgram, AwaitedPrograms
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.log_receivers import log_receivers
from diagnose.evidence.engine.stuck_containers import StuckContainers, stuck_containers
from diagnose.evidence.machine.pressure import Pressure
from diagnose.evidence.machine.processes import Process
from diagnose.model import Severity, Unexamined, container
from diagnose.questions.processes import StuckThread
from tests.checks.daemon.evidence import ID, NAMED, ROOT, SILENT, daemon, engine, only_finding
from tests.hosts import Made
from tests.judging import judge, rows


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
                process=engine("D", threads={"D": 9}, stuck=[StuckThread(1, "nfs4_wait")]),
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


def test_the_only_container_waits_for_the_receiver_of_its_lines() -> None:
    why = f"inspect: timed out: GET /v1.51/containers/{ID}/json: no answer in time"
    only = Containers((), (Unexamined(container("api"), why),))
    written = {"LogConfig": {"Type": "fluentd", "Config": {"fluentd-address": "192.0.2.7:24224"}}}
    host = Made({"file.read": {"text": json.dumps(written)}})
    one = daemon(silence=None)
    receivers = log_receivers(host, stuck_containers(one, only), ROOT)
    finding = only_finding(
        judge(
            "daemon.hung", daemon=one, containers=only, root=ROOT, log_receivers=receivers
        ).findings
    )
    assert (finding.subject.name, finding.severity) == ("api", Severity.critical)
    assert finding.variables["receiver"] == "192.0.2.7:24224"


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
    "the kernel": (ANSWERING, AwaitedProgram(replace(IPTABLES, state="D")), {"blocked"}),
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
    assert f"(pid {program.culprit.pid})" in finding.summary


def test_an_engine_that_waits_for_nobody_may_still_start() -> None:
    awaited = AwaitedPrograms(())
    result = judge(
        "daemon.hung", daemon=FIRST_MINUTE, stuck_containers=StuckContainers(()), awaited=awaited
    )
    assert result.verdict == "unknown"
