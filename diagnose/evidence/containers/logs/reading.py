"""The ends of containers' logs, also of a log whose end the engine does not find."""

from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.container_logs import ContainerLog, ReadLogs, ReadLogsSince

LINES = 12
BYTES = 32 * 1024
MORE_LINES = 60
"""Number of lines that are read where the last `LINES` explain nothing, as below a long stack
trace."""
MORE_BYTES = 128 * 1024
RECENT_S = 300.0
"""A line that is older says nothing about now: the program may have recovered."""
MOST_ENDLESS = 10
"""Logs that are read from their beginning: an engine that is only slow is asked for each of them
twice."""


class ReadEnds(msgspec.Struct, frozen=True):
    """The ends of logs, by container id."""

    logs: dict[str, ContainerLog]
    unread: dict[str, str]
    """The reasons why other logs were not read."""
    endless: frozenset[str]
    """The ids of containers the end of whose log the engine did not give in time."""


def read_ends(host: Host, containers: Sequence[Container]) -> ReadEnds:
    """The last lines of these containers; of a log without an end its recent lines.

    Of a file that another program has emptied the engine does not find the end (seen on 28.5.2). It
    still finds the lines since a moment, which it reads from the beginning of the file.
    """
    logs: dict[str, ContainerLog] = {}
    unread: dict[str, str] = {}
    endless: dict[str, ReadLogs] = {}
    for container, log in host.ask_about(containers, _end_of):
        if not isinstance(log, Failed):
            logs[container.id] = log
        elif log.reason != "gone":
            unread[container.id] = str(log)
            if log.reason == "timed out":
                endless[container.id] = _end_of(container)
    from_beginning = host.answers_about(sorted(endless)[:MOST_ENDLESS], _recent_lines_of)
    for id in from_beginning:
        host.replaced(endless[id])
        del unread[id]
    return ReadEnds(logs | from_beginning, unread, frozenset(endless))


def _end_of(container: Container) -> ReadLogs:
    return ReadLogs(container.id, LINES, BYTES)


def _recent_lines_of(id: str) -> ReadLogsSince:
    return ReadLogsSince(id, RECENT_S, MORE_LINES, MORE_BYTES)
