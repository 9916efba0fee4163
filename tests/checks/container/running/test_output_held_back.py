"""The check in checks/container/running/output_held_back.py, and the evidence that it reads."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.files import LogFile, LogFiles
from diagnose.evidence.containers.logs.held_output import held_outputs
from diagnose.evidence.machine.processes import Process, Processes
from tests.checks.container.evidence import CLOCK, container_in
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

SCRIPT = 'import time\nprint("ready")\ntime.sleep(9)\n'
STARTED = ["python3", "./checkin.py", "ABC123"]
FOUND = [("advice", "web")]

CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a script that prints": ({}, FOUND),
    "other options": ({"cmdline": ["python3", "-OB", "checkin.py"]}, FOUND),
    "written at once": ({"cmdline": ["python3", "-u", "checkin.py"]}, []),
    "the variable": ({"environ": ["PYTHONUNBUFFERED=1"]}, []),
    "the empty variable": ({"environ": ["PYTHONUNBUFFERED="]}, FOUND),
    "a module": ({"cmdline": ["python3", "-m", "http.server"]}, []),
    "an environment that is not shown": ({"environ": None}, []),
    "prints in a function alone": ({"script": "def say():\n    print(1)\n"}, []),
    "prints when its work is over": ({"script": 'import app\napp.run()\nprint("bye")\n'}, []),
    "prints behind a loop": ({"script": 'while step():\n    pass\nprint("bye")\n'}, []),
    "prints into a file": ({"script": 'print("ready", file=report)\n'}, []),
    "shows a print in its text": ({"script": '"""Such as:\n\nprint(1)\n"""\n'}, []),
    "begins with its docstring": ({"script": f'"""Checks in."""\n{SCRIPT}'}, FOUND),
    "a script that flushes": ({"script": f"{SCRIPT}sys.stdout.flush()\n"}, []),
    "a script with a logger": ({"script": f"import logging\n{SCRIPT}"}, []),
    "a log with a line": ({"log": LogFile("/log", 9, 4096)}, []),
    "a log that is not seen": ({"log": LogFile("/log", failed="forbidden")}, []),
    "a terminal": ({"own": {"Config": {"Tty": True, "WorkingDir": "/app"}}}, []),
    "just begun": ({"age": 20}, []),
    "another program": ({"comm": "node"}, []),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_a_program_that_holds_its_output_back(
    case: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    own = case.get("own", {"Config": {"WorkingDir": "/app"}})
    app = container_in("running", age=case.get("age", 600), **own)
    files = LogFiles({app.id: case.get("log", LogFile("/log"))})
    process = Process(pid=7, comm=case.get("comm", "python3"), container=app.id, start=1)
    detail = {"pid": 7, "cmdline": case.get("cmdline", STARTED), "environ": case.get("environ", [])}
    script = {"type": "file", "hex": case.get("script", SCRIPT).encode().hex()}
    host = Made({"process": detail, "api.archive": script})
    held = held_outputs(host, of(app), files, Processes((process,)), CLOCK)
    assert rows(judge("container.output-held-back", held_outputs=held)) == expected
