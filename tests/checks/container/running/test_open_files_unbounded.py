"""The checks in checks/container/running/open_files_unbounded.py."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.computing_processes import (
    ComputingProcess,
    ComputingProcesses,
    computing_processes,
)
from diagnose.evidence.machine.processes import Process, Processes
from tests.checks.container.evidence import container_in
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

CLOSING = ComputingProcess(
    container_in("running"),
    Process(4711, comm="erl_child_setup", state="R"),
    90.0,
    93.0,
    0.1,
    1_073_741_816,
)


COMPUTING: dict[str, tuple[ComputingProcess, list[tuple[str, str]]]] = {
    "closes a billion descriptors": (CLOSING, [("warning", "web")]),
    "an ordinary limit": (replace(CLOSING, limit=1_048_576), []),
    "a moment after its start": (replace(CLOSING, cpu_s=3.0), []),
    "computes in user mode": (replace(CLOSING, system_pct=2.0), []),
    "a busy server that waits for its clients": (replace(CLOSING, sleeps_per_s=4000.0), []),
}


@pytest.mark.parametrize(("computing", "expected"), COMPUTING.values(), ids=COMPUTING.keys())
def test_a_limit_of_open_files_without_end(
    computing: ComputingProcess, expected: list[tuple[str, str]]
):
    result = judge(
        "container.open-files-unbounded", computing_processes=ComputingProcesses((computing,))
    )
    assert rows(result) == expected


STAT = "4711 (erl) child) R 1 1 1 0 -1 4194560 1904 0 0 0 700 9300 0 0 20 0 1 0 16022 14319616 2013"


STATUS = "Name:\terl_child_setup\nState:\tR (running)\nvoluntary_ctxt_switches:\t10\nnonvoluntary_ctxt_switches:\t99\n"


def test_the_figures_of_a_computing_process():
    container = container_in("running")
    task = Process(4711, comm="erl_child_setup", state="R", container=container.id)
    texts = {"/proc/4711/stat": {"text": STAT}, "/proc/4711/status": {"text": STATUS}}
    limits = {"pid": 4711, "limits": {"Max open files": {"soft": 1_073_741_816, "hard": None}}}
    host = Made({"file.read": lambda question: texts[question.path], "process": limits})
    (computing,) = computing_processes(
        host, of(container), Processes((task, Process(1, state="R")))
    ).items
    assert (computing.cpu_s, computing.system_pct, computing.sleeps_per_s) == (100.0, 93.0, 0.1)
    assert computing.limit == 1_073_741_816
