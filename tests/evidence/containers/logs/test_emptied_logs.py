"""Logs whose end the engine does not give, and whose beginning is missing."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.contents import LogContents
from diagnose.evidence.containers.logs.emptied_logs import emptied_logs
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.model import Failed
from diagnose.questions import AnyQuestion
from diagnose.questions.files import ReadFile
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

WEB_STATE = {"Status": "running", "Pid": 7, "StartedAt": "2026-01-01T10:00:00Z"}
WEB = container(
    "web",
    LogPath="/var/lib/docker/containers/3f/3f-json.log",
    State=WEB_STATE,
    HostConfig={"LogConfig": {"Type": "json-file"}},
)


def _line(at: str) -> str:
    return f'{{"log":"ready\\n","stream":"stdout","time":"2026-01-01T{at}.5Z"}}\n'


WITHOUT_END = RecentLogs(endless=frozenset({WEB.id}))
FORBIDDEN = RecentLogs(unread={WEB.id: "forbidden: HTTP 403"})
CASES: dict[str, tuple[RecentLogs, str, bool, list[tuple[str, str]]]] = {
    "emptied an hour later": (WITHOUT_END, _line("11:00:00"), False, [("warning", "web")]),
    "rotated by the engine": (WITHOUT_END, _line("11:00:00"), True, []),
    "whole": (WITHOUT_END, _line("10:00:01"), False, []),
    "empty": (WITHOUT_END, "", False, []),
    "no lines": (WITHOUT_END, "\x00\x01", False, []),
    "read": (RecentLogs(), _line("11:00:00"), False, []),
    "forbidden": (FORBIDDEN, _line("11:00:00"), False, []),
}


@pytest.mark.parametrize(("logs", "text", "is_rotated", "expected"), CASES.values(), ids=CASES)
def test_an_emptied_log(
    logs: RecentLogs, text: str, is_rotated: bool, expected: list[tuple[str, str]]
) -> None:
    def read(question: AnyQuestion) -> Any:
        if isinstance(question, ReadFile) and question.path.endswith(".1") and not is_rotated:
            return Failed("missing", question.path)
        return {"text": text}

    emptied = emptied_logs(Made({"file.read": read}), Containers((WEB,)), logs)
    found = judge("logging.file-damaged", contents=LogContents((), ()), emptied_logs=emptied)
    assert rows(found) == expected


def test_a_slow_engine_has_emptied_logs_of_nobody() -> None:
    """It does not give the log of another container either, whose file is whole."""
    other = container(
        "api",
        LogPath="/api-json.log",
        State=WEB_STATE,
        HostConfig={"LogConfig": {"Type": "json-file"}},
    )

    def read(question: AnyQuestion) -> Any:
        if isinstance(question, ReadFile) and question.path.endswith(".1"):
            return Failed("missing", question.path)
        is_other = isinstance(question, ReadFile) and question.path == other.log_path
        return {"text": _line("10:00:01" if is_other else "11:00:00")}

    logs = RecentLogs(endless=frozenset({WEB.id, other.id}))
    assert not emptied_logs(Made({"file.read": read}), Containers((WEB, other)), logs)
