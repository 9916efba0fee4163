"""container.sequence-behind: what PostgreSQL's log says of refused rows."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = 1_767_348_000.0
FOUND = [("warning", "db")]
REFUSED = '2026-01-02 10:00:00.123 UTC [29] ERROR:  duplicate key value violates unique constraint "{}_pkey"'
DETAIL = "2026-01-02 10:00:00.123 UTC [29] DETAIL:  Key ({})=({}) already exists."


def _tries(*numbers: object, table: str = "orders", column: str = "id") -> list[str]:
    """The two lines of each refused row, and the statement."""
    return [
        line
        for number in numbers
        for line in (REFUSED.format(table), DETAIL.format(column, number), "STATEMENT:  insert")
    ]


def _judge(texts: list[str], age: float = 5.0) -> Any:
    db = container("db", State={"StartedAt": "2026-01-01T00:00:00Z"})
    lines = tuple(RecentLine(NOW - age, text) for text in texts)
    return judge(
        "container.sequence-behind", recent_logs=RecentLogs({db.id: lines}), containers=of(db),
        clock=Clock(wall=NOW, booted=0.0),
    )  # fmt: skip


CASES: dict[str, tuple[list[str], float, list[tuple[str, str]]]] = {
    "numbers that rise": (_tries(7, 8, 9), 5.0, FOUND),
    "after others": (_tries(3, 7, 8, 9), 5.0, FOUND),
    "the same number again": (_tries(7, 7, 7), 5.0, []),
    "numbers with gaps": (_tries(7, 9, 12), 5.0, []),
    "too few": (_tries(7, 8), 5.0, []),
    "names": (_tries("a", "b", "c"), 5.0, []),
    "a while ago": (_tries(7, 8, 9), 290.0, []),
    "without detail": ([REFUSED.format("orders")] * 3, 5.0, []),
    "a table of a strange name": (_tries(7, 8, 9, table="a'); DROP TABLE x"), 5.0, []),
}


@pytest.mark.parametrize(("texts", "age", "expected"), CASES.values(), ids=CASES)
def test_refused_rows(texts: list[str], age: float, expected: list[tuple[str, str]]) -> None:
    assert rows(_judge(texts, age)) == expected


def test_statement() -> None:
    (finding,) = _judge(_tries(7, 8, 9, column="order_no")).findings
    wanted = "setval(pg_get_serial_sequence('orders', 'order_no'), max(order_no)) FROM orders"
    assert wanted in finding.variables["statement"]
