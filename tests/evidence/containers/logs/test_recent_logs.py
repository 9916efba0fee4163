"""Logs of running containers: what was not read is said, and keeps checks from passing."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.files import LogFile, LogFiles
from diagnose.evidence.containers.logs.reading import LINES, MORE_LINES
from diagnose.evidence.containers.logs.recent import MOST, recent_logs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.repeated_errors import repeated_errors
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.failing_calls import FailingCalls
from diagnose.judgement.tracking_host import TrackingHost
from diagnose.model import Failed, Json, Unexamined, Verdict
from diagnose.phrases import rfc3339, unix
from diagnose.questions import Question
from diagnose.questions.container_logs import ContainerLog, ReadLogs
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

NOW = 1_764_000_000.0
WEB, MUTE, GONE = container("web"), container("mute"), container("gone")
NO_READING = Failed("refused", "configured logging driver does not support reading")


def answer(question: Question) -> Json | Failed:
    if question.id == MUTE.id:
        return NO_READING
    if question.id == GONE.id:
        return Failed("gone", "no such container")
    return {"text": "2025-11-24T15:59:59Z connect: refused"}


def test_a_log_that_cannot_be_read_is_named():
    logs = recent_logs(Made({"api.logs": answer}), of(WEB, MUTE, GONE), Clock(NOW, 0.0), None)
    assert logs.by_id == {WEB.id: (RecentLine(NOW - 1, "connect: refused"),)}
    (unread,) = logs.left_out([WEB, MUTE, GONE])
    assert unread.subject == MUTE.subject
    assert "does not support reading" in unread.why
    assert logs.left_out([WEB]) == ()


def test_a_log_without_an_end_is_read_from_its_beginning():
    late = Failed("timed out", "GET /v1.51/containers/web/logs")
    lines = {"text": "2025-11-24T15:59:59Z connect: refused"}
    made = Made({"api.logs": late, "api.logs.since": lines})
    host = TrackingHost(made)
    logs = recent_logs(host, of(WEB), Clock(NOW, 0.0), None)
    assert logs.texts_of(WEB) == ("connect: refused",)
    assert logs.left_out([WEB]) == ()
    assert logs.endless == {WEB.id}
    assert host.unanswered == ()


def test_a_log_that_is_late_in_both_ways_is_named():
    late = Failed("timed out", "GET /v1.51/containers/web/logs")
    host = TrackingHost(Made({"api.logs": late, "api.logs.since": late}))
    logs = recent_logs(host, of(WEB), Clock(NOW, 0.0), None)
    (unread,) = logs.left_out([WEB])
    assert unread.subject == WEB.subject
    assert host.unanswered


def test_a_container_that_keeps_no_log_is_not_asked():
    silent = container("silent", HostConfig={"LogConfig": {"Type": "none"}})
    made = Made({"api.logs": answer})
    logs = recent_logs(made, of(silent), Clock(NOW, 0.0), None)
    assert made.asked == []
    assert logs.left_out([silent]) == ()


TRACE = [
    'ERROR o.s.Orders : java.sql.SQLException: relation "orders" does not exist',
    *[f"    at com.example.Orders.load(Orders.java:{number})" for number in range(18)],
]


def test_the_lines_above_a_stack_trace_are_read_too():
    lines = [f"2025-11-24T15:59:59Z {line}" for line in TRACE * 4]

    def tail(question: Question) -> Json | Failed:
        assert isinstance(question, ReadLogs)
        return {"text": "\n".join(lines[-question.tail :])}

    made = Made({"api.logs": tail})
    logs = recent_logs(made, of(WEB), Clock(NOW, 0.0), None)
    assert [question.tail for question in made.asked] == [LINES, MORE_LINES]
    (error,) = repeated_errors(of(WEB), logs)
    assert error.line.text.startswith("ERROR o.s.Orders")
    assert error.times == 3


PROBES = ['127.0.0.1 - - "GET /healthz HTTP/1.1" 200 2'] * 9
PARTS = ["Error: P3018", "", "A migration failed to apply.", "", "Name: 7", "", *["more"] * 4]
"""A message of ten lines, of which three are empty."""
BUSY = ["OSError: [Errno 30] Read-only file system: '/uploads/latest.txt'", *PROBES]
PACES = {
    "busy": (BUSY, 2, [LINES, MORE_LINES], 3),
    "busy, with empty lines": (PARTS, 2, [LINES, MORE_LINES], 3),
    "a line each ten seconds": (BUSY, 10, [LINES], None),
}
"""The lines that come again, the seconds between two, how many are asked for, and how often the
error is seen."""


@pytest.mark.parametrize(("block", "pace", "asked", "times"), PACES.values(), ids=PACES)
def test_more_lines_of_a_busy_log_are_read(
    block: list[str], pace: int, asked: list[int], times: int | None
) -> None:
    texts = block * 3
    moments = [NOW - pace * (len(texts) - number) for number in range(len(texts))]
    lines = [f"{rfc3339(at)} {text}" for at, text in zip(moments, texts, strict=True)]

    def tail(question: Question) -> Json | Failed:
        assert isinstance(question, ReadLogs)
        return {"text": "\n".join(lines[-question.tail :])}

    made = Made({"api.logs": tail})
    logs = recent_logs(made, of(WEB), Clock(NOW, 0.0), None)
    assert [question.tail for question in made.asked] == asked
    found = repeated_errors(of(WEB), logs)
    assert [error.times for error in found] == ([times] if times else [])


def test_a_log_that_was_not_written_to_lately_is_not_read():
    made = Made({"api.logs": answer})
    files = LogFiles({WEB.id: LogFile("web.log", written=NOW - 301)})
    logs = recent_logs(made, of(WEB), Clock(NOW, 0.0), files)
    assert made.asked == []
    assert logs.left_out([WEB]) == ()


def test_a_quiet_log_takes_no_place_of_one_that_is_written_to():
    quiet = [container(f"quiet{number}") for number in range(MOST)]
    files = {member.id: LogFile("quiet.log", written=NOW - 600) for member in quiet}
    files[WEB.id] = LogFile("web.log", written=NOW - 1)
    made = Made({"api.logs": answer})
    logs = recent_logs(made, of(*quiet, WEB), Clock(NOW, 0.0), LogFiles(files))
    assert list(logs.by_id) == [WEB.id]


def test_logs_beyond_the_limit_are_named():
    busy = [container(f"busy{number:03}") for number in range(MOST)]
    made = Made({"api.logs": answer})
    logs = recent_logs(made, of(*busy, WEB), Clock(NOW, 0.0), None)
    assert len(made.asked) == MOST
    (unread,) = logs.left_out([*busy, WEB])
    assert unread.subject == WEB.subject
    assert f"only {MOST} logs" in unread.why


def test_an_unread_log_keeps_the_checks_of_calls_from_passing():
    left_out = (Unexamined(MUTE.subject, "its log was not read"),)
    for id in ("network.peer-address-stale", "network.peer-on-other-network"):
        result = judge(id, failing_calls=FailingCalls((), left_out), containers=of(MUTE))
        assert result.verdict == Verdict.UNKNOWN


def test_entries_of_programs_that_end_without_a_newline_stand_apart():
    stamps = [f"2025-11-24T15:59:5{second}.000000000Z" for second in range(3)]
    inner = "WARN at 2025-11-24T15:59:59.123456789Z it began"
    text = f"{stamps[0]} no module{stamps[1]} no module{stamps[2]} {inner}\n"
    lines = list(ContainerLog(text=text).lines)
    assert [line.text for line in lines] == ["no module", "no module", inner]
    assert [line.at for line in lines] == [unix(stamp) for stamp in stamps]


@pytest.mark.parametrize("before", ["level=error ts=", "[", "("])
def test_a_time_of_the_programs_own_begins_no_entry(before: str):
    """Loki and Promtail write their own time with nine digits behind the second, as engines do."""
    own = f'{before}2025-11-18T06:40:53.476804685Z caller=log.go:223 err="mkdir /loki: denied"'
    (line,) = ContainerLog(text=f"2025-11-18T06:40:53.477000000Z {own}\n").lines
    assert line.text == own
