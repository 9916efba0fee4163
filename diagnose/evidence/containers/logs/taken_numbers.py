"""Tables whose sequence gives out numbers that rows have already, as PostgreSQL's log shows.

After a restore or an import with numbers of its own, a sequence is behind its table. Each new row
is refused, and each try takes one number further.
"""

import itertools
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.registry import evidence

LEAST = 3
"""Minimum number of tries in a row that are not a mishap."""
FRESH_S = 240.0
_MARK = "duplicate key value"
_REFUSED = LazyPattern(
    r'ERROR:  duplicate key value violates unique constraint "(?P<table>[a-z_][a-z0-9_]{0,60})_pkey"'
)
"""PostgreSQL refuses a row, because its primary key is there already."""
_NUMBER = LazyPattern(
    r"DETAIL:  Key \((?P<column>[a-z_][a-z0-9_]{0,60})\)=\((?P<number>\d{1,18})\) already"
)


class TakenNumbers(msgspec.Struct, frozen=True):
    """A table, and the last numbers that its sequence has given out."""

    server: Container
    table: str
    column: str
    numbers: tuple[int, ...]
    line: str


class TakenNumberList(Items[TakenNumbers], frozen=True):
    """The taken numbers, at most one for each table."""


@evidence
def taken_numbers(containers: Containers, recent_logs: RecentLogs, clock: Clock) -> TakenNumberList:
    """The containers whose log reports numbers that are already taken, rising one by one.

    A program that adds the same row again names the same number instead.
    """
    refused_numbers = []
    for server in containers.running:
        refusals = _refusals(recent_logs.of_this_run(server))
        by_column = by_key(((refusal.table, refusal.column), refusal) for refusal in refusals)
        for (table, column), tries in by_column.items():
            numbers = tuple(refusal.number for refusal in tries)
            last = tries[-1].line
            if _rise_by_one(numbers) and clock.is_within(last.at, FRESH_S):
                refused_numbers.append(TakenNumbers(server, table, column, numbers, last.text))
    return TakenNumberList(tuple(refused_numbers))


class _Refusal(msgspec.Struct, frozen=True):
    """A row that the database refused, because another one has its number."""

    table: str
    column: str
    number: int
    line: RecentLine


def _refusals(lines: Sequence[RecentLine]) -> Iterator[_Refusal]:
    for line, below in itertools.pairwise(lines):
        refused = _REFUSED.search(line.text) if _MARK in line.text else None
        number = _NUMBER.search(below.text) if refused is not None else None
        if refused is not None and number is not None:
            yield _Refusal(refused["table"], number["column"], int(number["number"]), line)


def _rise_by_one(numbers: Sequence[int]) -> bool:
    """Whether the last numbers are one above the other."""
    last = numbers[-LEAST:]
    steps = [after - before for before, after in itertools.pairwise(last)]
    return len(last) == LEAST and all(step == 1 for step in steps)
