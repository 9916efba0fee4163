"""container.data-left-behind: folders of two releases of PostgreSQL in one mount."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.storage.volumes.former_releases import former_releases
from diagnose.model import Json
from diagnose.questions import Question
from diagnose.questions.files import ListFolder, StatPaths
from tests.checks.container.evidence import CLOCK, NOW
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

FOUND = [("warning", "db")]
MIB = 1 << 20
CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a new folder beside a larger one": ({}, FOUND),
    "by the process that runs": ({"env": [], "runs": "9.6/main"}, FOUND),
    "upgraded": ({"used_mib": 90}, []),
    "the former one is written still": ({"written": NOW - 60}, []),
    "the former one runs too": ({"runs": "9.5/main"}, []),
    "one release": ({"folders": ["9.6"]}, []),
    "an empty former one": ({"former_mib": 1}, []),
    "no server": ({"env": [], "comm": "sh"}, []),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_releases(case: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    result = judge(
        "container.data-left-behind", former_releases=_found(case), clock=CLOCK,
        left=None, nodes=None, renamed=None, replaced=None, namesakes=None,
    )  # fmt: skip
    assert rows(result) == expected


def _found(case: dict[str, Any]) -> Any:
    mount = {"Type": "bind", "Source": "/srv/pg", "Destination": "/var/lib/postgresql", "RW": True}
    env = case.get("env", ["PG_VERSION=9.6"])
    made = container("db", Config={"Env": env}, Mounts=[mount])
    names = case.get("folders", ["9.5", "9.6"])
    times = {"9.5/main/PG_VERSION": NOW - 9e6, "9.6/main/PG_VERSION": NOW - 3600}
    times["9.5/main/global/pg_control"] = case.get("written", NOW - 7200)
    if case.get("runs"):
        times[f"{case['runs']}/postmaster.pid"] = NOW

    def stats(question: Question[object]) -> Json:
        assert isinstance(question, StatPaths)
        if question.paths[0].endswith("/base/1"):
            is_used = "9.6" in question.paths[0]
            mib = case.get("used_mib", 40) if is_used else case.get("former_mib", 100)
            return {question.paths[0]: {"type": "file", "blocks_bytes": mib * MIB}}
        below = {path: path.removeprefix("/srv/pg/") for path in question.paths}
        return {
            path: {"type": "file", "mtime": times[name]} if name in times else {"failed": "missing"}
            for path, name in below.items()
        }

    def listing(question: Question[object]) -> Json:
        assert isinstance(question, ListFolder)
        if question.path == "/srv/pg":
            return {"entries": [{"name": name, "type": "folder"} for name in names]}
        is_base = question.path.endswith("/base")
        return {"entries": [{"name": "1", "type": "file"}] if is_base else []}

    host = Made({"file.list": listing, "file.stats": stats})
    seen = Processes((Process(7, comm=case.get("comm", "postgres"), container=made.id),))
    return former_releases(host, of(made), seen)
