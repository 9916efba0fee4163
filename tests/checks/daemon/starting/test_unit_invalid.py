"""daemon.unit-invalid, and units for which systemd does not start the engine."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.starting.engine_end import EngineEnd
from diagnose.evidence.engine.starting.start_blockers import StartBlockers, start_blockers
from diagnose.evidence.engine.starting.unit_files import UnitFiles, unit_files
from diagnose.evidence.engine.starting.unit_programs import (
    UnstartableProgram,
    UnstartablePrograms,
    unit_programs,
)
from diagnose.model import Failed
from diagnose.questions.service import Unit
from tests.checks.daemon.evidence import daemon, engine, log
from tests.hosts import Made
from tests.judging import judge, rows

A = "/etc/systemd/system/docker.service.d/a.conf"
B = "/etc/systemd/system/docker.service.d/b.conf"
COMMAND, RESET = "ExecStart=/usr/bin/dockerd -H fd://\n", "ExecStart=\n"
ONE_MORE = "Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing."
NONE = "Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing."


def down(**unit: str) -> Daemon:
    given = {"load_state": "loaded", "active_state": "inactive", **unit}
    return daemon(unit=Unit(**given))


def refused(*drop_ins: str) -> Daemon:
    return down(load_state="bad-setting", drop_in_paths=" ".join(drop_ins))


FILES: dict[str, tuple[dict[str, str], UnitFiles]] = {
    "a second command": ({A: f"[Service]\n{COMMAND}"}, UnitFiles(True, ONE_MORE, doubled=A)),
    "a second command in another file": (
        {A: f"[Service]\n{RESET}{COMMAND}", B: f"[Service]\n{COMMAND}"},
        UnitFiles(True, ONE_MORE, doubled=B),
    ),
    "no command": ({A: f"[Service]\n{RESET}"}, UnitFiles(True, ONE_MORE, emptied=A)),
    "its own command": ({A: f"[Service]\n{RESET}{COMMAND}"}, UnitFiles(True, ONE_MORE)),
    "other settings": (
        {A: "[Service]\nEnvironment=A=b\n# ExecStart=x\n"},
        UnitFiles(True, ONE_MORE),
    ),
}


@pytest.mark.parametrize(("texts", "expected"), FILES.values(), ids=FILES)
def test_what_is_wrong_with_the_files(texts: dict[str, str], expected: UnitFiles) -> None:
    entries = [
        {"at": 1.0, "message": f"docker.service: {ONE_MORE}", "pid": 1},
        {"at": 2.0, "message": "Service is up", "pid": 70},
    ]
    made = Made(
        {"file.read": lambda asked: {"text": texts[asked.path]}, "journal": {"entries": entries}}
    )
    assert unit_files(made, refused(*texts)) == expected


def test_the_line_that_systemd_names_is_its_reason() -> None:
    place = f"{A}:3: Missing '='."
    entries = [
        {"at": 1.0, "message": place, "pid": 1},
        {"at": 1.1, "message": f"docker.service: {NONE}", "pid": 1},
    ]
    made = Made({"file.read": {"text": COMMAND}, "journal": {"entries": entries}})
    assert unit_files(made, refused(A)).words == place


def test_files_that_systemd_has_read_are_not_looked_at() -> None:
    made = Made({})
    assert unit_files(made, down(drop_in_paths=A)) == UnitFiles()
    assert not made.asked
    made = Made({"file.read": {"text": COMMAND}})
    edited = down(drop_in_paths=A, need_daemon_reload="yes")
    assert unit_files(made, edited) == UnitFiles(doubled=A)


def test_a_drop_in_that_cannot_be_read_leaves_the_commands_open() -> None:
    """The first one takes the command of the unit away; only root may read it."""

    def read(asked: Any) -> Any:
        return Failed("forbidden", A) if asked.path == A else {"text": COMMAND}

    made = Made({"file.read": read, "journal": Failed("forbidden", "")})
    assert unit_files(made, refused(A, B)) == UnitFiles(is_refused=True)
    edited = down(drop_in_paths=f"{A} {B}", need_daemon_reload="yes")
    result = judge("daemon.unit-invalid", daemon=edited, files=unit_files(made, edited))
    assert result.verdict == "unknown"


UP = daemon(silence=None, process=engine(), unit=Unit(load_state="loaded"))
JUDGED: dict[str, tuple[Daemon, UnitFiles, list[Any], set[str]]] = {
    "refused": (refused(A), UnitFiles(True, ONE_MORE, doubled=A), ["critical"], {"doubled"}),
    "emptied": (refused(A), UnitFiles(True, NONE, emptied=A), ["critical"], {"emptied"}),
    "a line that systemd names": (refused(), UnitFiles(True, f"{A}:3: x"), ["critical"], {"unit"}),
    "an engine that runs": (UP, UnitFiles(True, ONE_MORE, doubled=A), ["warning"], {"doubled"}),
    "well": (UP, UnitFiles(), [], set()),
}


@pytest.mark.parametrize(("place", "files", "expected", "blocks"), JUDGED.values(), ids=JUDGED)
def test_a_unit_that_systemd_refuses(
    place: Daemon, files: UnitFiles, expected: list[str], blocks: set[str]
) -> None:
    result = judge("daemon.unit-invalid", daemon=place, files=files)
    assert rows(result) == [(severity, "docker") for severity in expected]
    assert {name for finding in result.findings for name in finding.variables} == blocks


LOCAL = "/usr/local/bin/containerd"
PROGRAM = {"type": "file", "mode": 0o755}
AT_PATH: dict[str, tuple[Any, str]] = {
    "missing": ({"failed": "missing"}, "missing"),
    "without its bit": ({**PROGRAM, "mode": 0o644}, "not executable"),
    "a folder": ({"type": "folder", "mode": 0o755}, "folder"),
    "a program": (PROGRAM, ""),
    "hidden from the caller": ({"failed": "forbidden"}, ""),
}


def _named(program: str) -> Unit:
    command = f"{{ path={program} ; argv[]={program} ; ignore_errors=no ; status=203/EXEC }}"
    return Unit(load_state="loaded", active_state="activating", exec_start=command)


@pytest.mark.parametrize(("status", "state"), AT_PATH.values(), ids=AT_PATH)
def test_the_program_of_containerds_unit(status: Any, state: str) -> None:
    place = daemon(
        silence=None, process=engine(), managed=False, containerds=(), containerd_unit=_named(LOCAL)
    )
    made = Made({"file.stats": {LOCAL: status, "/usr/bin/containerd": PROGRAM}})
    expected = [UnstartableProgram("containerd.service", LOCAL, state, "/usr/bin/containerd")]
    assert unit_programs(made, place) == UnstartablePrograms(tuple(expected if state else []))


def test_what_runs_is_not_looked_at() -> None:
    made = Made({})
    alive = daemon(
        silence=None, process=engine(), containerds=(engine(),), containerd_unit=_named(LOCAL)
    )
    assert unit_programs(made, alive) == UnstartablePrograms()
    assert not made.asked


PROGRAMS: dict[str, tuple[UnstartableProgram, set[str]]] = {
    "elsewhere": (
        UnstartableProgram("containerd.service", LOCAL, "missing", "/usr/bin/containerd"),
        {"absent", "found", "owner"},
    ),
    "nowhere": (UnstartableProgram("containerd.service", LOCAL, "missing"), {"misplaced", "owner"}),
    "without its bit": (
        UnstartableProgram("docker.service", "/opt/dockerd", "not executable", "/usr/bin/dockerd"),
        {"bare", "owner"},
    ),
    "no engine anywhere": (UnstartableProgram("docker.service", "/opt/dockerd", "missing"), set()),
}


@pytest.mark.parametrize(("program", "blocks"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_unit_whose_program_cannot_be_started(
    program: UnstartableProgram, blocks: set[str]
) -> None:
    """An engine of which nothing is left is named by daemon.not-running."""
    result = judge(
        "daemon.unit-invalid",
        daemon=down(),
        files=UnitFiles(),
        programs=UnstartablePrograms((program,)),
    )
    assert {name for finding in result.findings for name in finding.variables} == blocks


def units(**states: str) -> Made:
    def unit(question: Any) -> Any:
        name = question.name.partition(".")[0].replace("-", "_")
        return {"ActiveState": states[name]} if name in states else Failed("missing", "")

    return Made({"unit": unit})


LACKED = log(
    "level=info msg=\"docker.service: Job docker.service/start failed with result 'dependency'.\""
)
STARTED = log(
    *(line.message and f'level=info msg="{line.message}"' for line in LACKED),
    'level=info msg="Starting up"',
)


def test_what_keeps_systemd_from_starting_it() -> None:
    required = "sysinit.target data.mount docker.socket system.slice"
    place = down(requires=required, job="0")
    states = {"data": "inactive", "docker": "active"}
    found = start_blockers(units(**states), place, LACKED)
    assert found == StartBlockers(failed=("data.mount",))
    assert start_blockers(units(**states), place, STARTED) == StartBlockers()
    waiting = down(requires=required, job="184")
    found = start_blockers(units(NetworkManager_wait_online="activating"), waiting, None)
    assert found == StartBlockers(slow=("NetworkManager-wait-online.service",))
    made = units(data="failed")
    failed = down(active_state="failed", requires=required)
    assert start_blockers(made, failed, LACKED) == StartBlockers()
    assert not made.asked


@pytest.mark.parametrize(
    ("blockers", "words", "variable"),
    [
        (StartBlockers(failed=("data.mount",)), "because data.mount failed", "required"),
        (StartBlockers(slow=("x.service",)), "makes its start wait for x.service", "waits_for"),
    ],
)
def test_the_engine_is_said_to_wait_for_them(
    blockers: StartBlockers, words: str, variable: str
) -> None:
    result = judge("daemon.not-running", daemon=down(), end=EngineEnd(blockers=blockers))
    (finding,) = result.findings
    assert words in finding.summary
    assert variable in finding.variables
