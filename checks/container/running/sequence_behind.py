"""container.sequence-behind: a database gives new rows numbers that others have."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.taken_numbers import TakenNumberList, TakenNumbers
from diagnose.model import CheckResult, Finding, Severity
from diagnose.registry import check


@check("container.sequence-behind", severity=Severity.warning)
def sequence_behind(
    taken_numbers: TakenNumberList, recent_logs: RecentLogs, containers: Containers
) -> CheckResult:
    """A sequence of a database is behind its table, and no row can be added.

    PostgreSQL gives each new row the next number of a sequence. A restore or an import brings rows
    with their numbers, and may leave the sequence at its beginning: each new row is refused as a
    duplicate, until the sequence has passed the last row. PostgreSQL's log shows the refused
    numbers, and they rise one by one. A program that adds one row twice shows the same number.
    """
    for sequence in taken_numbers:
        yield _finding(sequence)
    yield from recent_logs.left_out(containers.running)


def _finding(numbers: TakenNumbers) -> Finding:
    server = numbers.server
    table = numbers.table
    column = numbers.column
    sequence = f"pg_get_serial_sequence('{table}', '{column}')"
    return Finding.about(
        server,
        f'{server} cannot add rows to table "{table}": the sequence of column {column} gives numbers '
        f"that other rows have, last {numbers.numbers[-1]}, as after a restore or an import",
        {
            "log": numbers.line,
            f"refused numbers of {table}": ", ".join(map(str, numbers.numbers[-5:])),
        },
        discriminator=table,
        recheck=(server.run,),
        variables={
            "table": table,
            "statement": f"SELECT setval({sequence}, max({column})) FROM {table}",  # noqa: S608 - is shown
        },
    )
