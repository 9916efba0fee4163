"""Programs that were killed while they shut down."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from diagnose.evidence.containers.ends.cut_stops import CutStops, cut_stops
from diagnose.model import Failed
from tests.checks.container.evidence import EARLY, NOW, events_of, exit_event
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

STOPPED = events_of(
    EARLY, (70, "kill", {"signal": "15"}), (60, "kill", {"signal": "9"}), exit_event(60, 137)
)
ENDS, REPAIRS = "LOG:  shutting down", "LOG:  database system was not properly shut down"


def log(*lines: tuple[float, str]) -> dict[str, str]:
    """A log by the age of each line in seconds."""
    stamps = (
        f"{datetime.fromtimestamp(NOW - age, UTC):%Y-%m-%dT%H:%M:%S.000000000Z} {text}\n"
        for age, text in lines
    )
    return {"text": "".join(stamps)}


LOGS = {
    "it was ending, and repairs": (log((69, ENDS), (50, REPAIRS)), [("warning", "web")]),
    "it was ending": (log((69, ENDS), (50, "ready")), [("advice", "web")]),
    "it went on with its work": (log((69, "GET /"), (61, "GET /"), (50, REPAIRS)), []),
    "it ended another time": (log((500, ENDS), (50, REPAIRS)), []),
}


@pytest.mark.parametrize(("answer", "expected"), LOGS.values(), ids=LOGS)
def test_cut_stops(answer: dict[str, str], expected: list[tuple[str, str]]) -> None:
    found = cut_stops(Made({"api.logs": answer}), of(EARLY), STOPPED)
    assert rows(judge("container.killed-in-shutdown", cut_stops=found)) == expected
    deaf = judge(
        "container.ignores-stop-signal", containers=of(EARLY), events=STOPPED, cut_stops=found
    )
    assert bool(rows(deaf)) is not bool(expected)


def test_a_log_that_is_not_read() -> None:
    found = cut_stops(Made({"api.logs": Failed("timed out", "")}), of(EARLY), STOPPED)
    assert judge("container.killed-in-shutdown", cut_stops=found).verdict == "unknown"


def test_nothing_is_asked_of_others() -> None:
    host = Made({})
    assert cut_stops(host, of(EARLY), events_of(EARLY, exit_event(60, 137))) == CutStops(())
    assert not host.asked
