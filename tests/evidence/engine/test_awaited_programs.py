"""Programs that the engine waits for."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.engine.awaited_programs import AwaitedPrograms, awaited_programs
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import LogLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Unavailable
from tests.checks.daemon.evidence import ALIVE, SILENT
from tests.hosts import Made

NOW, BOOTED = 1_800_000_000.0, 1_799_999_000.0
CLOCK = Clock(NOW, BOOTED)
DOCKERD = 69
HELD = "5: FLOCK  ADVISORY  WRITE 347 00:341:4 0 EOF\n5: -> FLOCK  ADVISORY  WRITE 401 00:341:4 0 EOF\n"
OTHER_FILE = "5: FLOCK  ADVISORY  WRITE 347 07:00:4 0 EOF\n"


def child(age: float = 60.0, comm: str = "iptables", state: str = "S", **parts: Any) -> Process:
    """A process that the engine has started."""
    given = {"pid": 401, "ppid": DOCKERD, "start": 1000.0 - age, "uid": 0, **parts}
    return Process(comm=comm, state=state, **given)


HOLDER = Process(347, 1, "flock", "T", 10.0, 0)
BUS = Process(12, 1, "dbus-daemon", "T", 5.0, 101)
HUNG = replace(ALIVE, silence=SILENT)
STARTING = DaemonLog(
    tuple(LogLine(NOW, "info", text) for text in ("Starting up", "Loading containers: start.")),
    "log",
)
STARTED = replace(
    STARTING, lines=(*STARTING.lines, LogLine(NOW, "info", "Daemon has completed initialization"))
)


def awaited(
    *processes: Process, locks: str = "", daemon: Daemon = ALIVE, log: DaemonLog | None = None
) -> AwaitedPrograms | Unavailable:
    host = Made(
        {
            "file.stats": {"/run/xtables.lock": {"type": "file", "dev": "0:833", "ino": 4}},
            "file.read": {"text": locks},
            "process": {"pid": 401, "cmdline": ["iptables", "--wait", "-S"]},
        }
    )
    return awaited_programs(host, daemon, Processes(processes), CLOCK, log)


CASES: dict[str, tuple[AwaitedPrograms | Unavailable, list[tuple[int, int]]]] = {
    "somebody holds the lock": (awaited(child(), HOLDER, locks=HELD), [(401, 347)]),
    "the lock of another file": (awaited(child(), HOLDER, locks=OTHER_FILE), [(401, 401)]),
    "nobody holds it": (awaited(child(state="D")), [(401, 401)]),
    "its holder has ended": (awaited(child(), locks=HELD), [(401, 401)]),
    "a program that loads a module": (awaited(child(comm="modprobe")), [(401, 401)]),
    "called a moment ago": (awaited(child(2.0), HOLDER, locks=HELD), []),
    "one that has ended": (awaited(child(state="Z")), []),
    "a program that stays": (awaited(child(comm="docker-proxy")), []),
    "one of somebody else": (awaited(child(ppid=1)), []),
    "the bus is stopped while the engine starts": (
        awaited(BUS, daemon=HUNG, log=STARTING), [(12, 12)],
    ),
    "the bus of a person's session": (
        awaited(replace(BUS, uid=1000), daemon=HUNG, log=STARTING), [],
    ),
    "the bus works": (awaited(replace(BUS, state="S"), daemon=HUNG, log=STARTING), []),
    "the engine was up": (awaited(BUS, daemon=HUNG, log=STARTED), []),
    "the engine answers": (awaited(BUS, log=STARTING), []),
}  # fmt: skip


@pytest.mark.parametrize(("found", "expected"), CASES.values(), ids=CASES)
def test_what_the_engine_waits_for(found: AwaitedPrograms, expected: list[tuple[int, int]]) -> None:
    assert [(program.process.pid, program.culprit.pid) for program in found] == expected
