"""Variables of running containers with quotes around a value whose kind never has them.

Compose keeps the quotes of an entry in a list (`- CRON_SCHEDULE="0 * * * *"`), and so does `docker
run --env-file`. The program runs, and does not do what the value asks for.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.container_logs import ReadLogs
from diagnose.registry import evidence

_LINES = 200
_QUOTED = LazyPattern(r"(?P<quote>[\"'])(?P<inner>[^\"']{1,200})(?P=quote)")
_SCHEDULE = LazyPattern(
    r"@(?:hourly|daily|midnight|weekly|monthly|yearly|annually|every [\w.]{1,20})"
    r"|(?=[^A-Za-z]*[*/])(?:[\w*/,?#-]{1,40}[ \t]+){4,5}[\w*/,?#-]{1,40}"
)
"""The five or six fields of cron, with a star or a step among them."""
_REFUSED = LazyPattern(
    r"(?i)\b(?:bad|cannot|could not|error|expected|fail\w*|fatal|illegal|invalid|malformed|syntax|unable"
    r"|unexpected|unknown|unrecogni[sz]ed|unsupported|wrong)\b"
)
"""Errors of a program about a schedule that it does not accept."""
_ENDS_AS_A_PART = LazyPattern(r"(?:(?:^|[ \t])[\d*]{1,2}[ \t]+|[\"'`])$")
"""The text before quotes that are a part of the value: a field of cron, or more quotes."""
PLAIN_VALUE = (
    r"\d{1,10}|true|false|[a-z][a-z0-9+]{1,20}://\S{1,200}|/[\w./-]{1,200}"
    r"|(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?"
)
"""The pattern of a number, a switch, an address or a path: these have no quotes and no spaces."""
_PLAIN = LazyPattern(rf"{PLAIN_VALUE}|yes|no|on|off")


class QuotedValue(msgspec.Struct, frozen=True):
    """A variable whose quotes are a part of its value."""

    container: Container
    variable: str
    value: str
    is_schedule: bool
    line: str = ""
    """The line of the log that shows that the program has taken the quotes for a part of it."""

    @property
    def inner(self) -> str:
        """The value that was meant."""
        return self.value[1:-1]


class QuotedValues(Items[QuotedValue], frozen=True):
    """The quoted values by container: its schedules, and else the first value."""


@evidence
def quoted_values(host: Host, containers: Containers) -> QuotedValues:
    """The variables with quotes in their values.

    A log is read only where the value is a schedule of cron.
    """
    values: list[QuotedValue] = []
    for container in containers.running:
        quoted = list(_values_in_quotes(container))
        schedules = [value for value in quoted if value.is_schedule]
        values += [_with_line(host, value) for value in schedules] or quoted[:1]
    return QuotedValues(tuple(values))


def _values_in_quotes(container: Container) -> Iterator[QuotedValue]:
    for name, value in container.config.environment:
        match = _QUOTED.fullmatch(value)
        inner = match["inner"] if match is not None else ""
        is_schedule = bool(inner) and _SCHEDULE.fullmatch(inner) is not None
        if is_schedule or (inner and _PLAIN.fullmatch(inner) is not None):
            yield QuotedValue(container, name, value, is_schedule=is_schedule)


def _with_line(host: Host, quoted: QuotedValue) -> QuotedValue:
    """The value with the last line that proves it.

    `schedule="0 3 * * *"` does not: many programs drop the quotes, and put their own around what
    they print.
    """
    log = host.ask(ReadLogs(quoted.container.id, _LINES))
    if isinstance(log, Failed):
        return quoted
    lines = [line.text for line in log.lines if _is_taken_whole(quoted.value, line.text)]
    return msgspec.structs.replace(quoted, line=lines[-1]) if lines else quoted


def _is_taken_whole(value: str, line: str) -> bool:
    """Whether a line shows that the quotes were not dropped."""
    before, separator, behind = line.partition(value)
    if not separator:
        return False
    if _REFUSED.search(before + behind) is not None:
        return True
    is_entry = not before.strip() and bool(behind.strip())
    return is_entry or _ENDS_AS_A_PART.search(before[-40:]) is not None
