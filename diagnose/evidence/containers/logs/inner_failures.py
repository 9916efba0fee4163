"""Programs inside running containers that have failed, as the logs of their keepers say.

A container is `running` as long as its first process is. Where that one is a supervisor, a child
that it has given up leaves no other trace; and a server may run on while it refuses its work. Logs
are read of those containers alone that run such a program, by the names of their processes, or that
hold the files of a server which does not run.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.inner_pattern import Pattern
from diagnose.evidence.containers.logs.inner_patterns import PATTERNS
from diagnose.evidence.containers.logs.own_files.keeper_logs import KEEPERS, KeeperLogs, keeper_logs
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.mappings import by_key, first_of
from diagnose.model import Failed, Unexamined
from diagnose.programs.log_message import message, plain
from diagnose.programs.telling_line import telling_line
from diagnose.questions import Host
from diagnose.questions.container_logs import ContainerLog, ReadLogs
from diagnose.registry import evidence

LINES = 200
BYTES = 48 * 1024
MOST = 40
"""Logs that are read in one run, those of the youngest containers first."""
FRESH_S = 24 * 3600.0
"""Lines that are older say nothing about today."""
ECHO_S = 0.1
LAST_WORDS = 3
"""Lines behind the note of a keeper that may be the program's own last ones."""
LEAST = 3
"""Minimum number of ends of a program that ends again and again."""
SLACK_S = 15.0
OVERDUE = 3
"""Number of usual pauses without an end after which a program has recovered."""
LONG_S = 600.0
"""A program that runs so long between two ends works in between."""
_MAY_RUN = frozenset().union(*(pattern.commands for pattern in PATTERNS if pattern.data))
"""Servers that may well run in a container of which no process is seen."""


class InnerFailure(msgspec.Struct, frozen=True):
    """A program inside a running container that has failed and is not back."""

    container: Container
    name: str
    """The name of the pattern that found the failure."""
    program: str
    cause: str
    """What happened, as a clause behind the container's name."""
    line: str
    at: float | None
    """Unix time of the line, None if it has none."""
    reason: str
    """The line that explains it, "" where no line does."""
    recurs: bool = False
    """Whether its keeper starts it again and again."""
    explanation: str = ""
    """Why, as far as the pattern of the line tells; "" where it does not."""
    path: str = ""
    """The log file of its own with the reason; "" for the container's log."""
    known_as: tuple[str, ...] = ()
    """The names that its partners have for it and for each other."""

    @property
    def explained_cause(self) -> str:
        """The cause, with its explanation as far as the pattern tells."""
        return f"{self.cause}: {self.explanation}" if self.explanation else self.cause

    @property
    def is_unexplained(self) -> bool:
        """Whether no line says more than that the program has ended."""
        return not self.reason or ("exit" in self.reason and "spawnerr: " not in self.reason)


class InnerFailures(Items[InnerFailure], frozen=True):
    """The first of each kind and program per container."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def inner_failures(
    host: Host, containers: Containers, processes: Processes, clock: Clock
) -> InnerFailures:
    """Failures of programs inside running containers, by lines of supervisors and proxies.

    Each running container with such a program has its log read; most hosts have few.
    """
    commands = {container.id: _commands(container, processes) for container in containers.running}
    keepers = [
        container
        for container in containers.running
        if _patterns_about(container, commands[container.id])
    ]
    keepers.sort(key=lambda container: container.started_at or 0.0, reverse=True)
    items: list[InnerFailure] = []
    unexamined: list[Unexamined] = []
    examined = [container for container in keepers[:MOST] if commands[container.id] & KEEPERS]
    logs_of_keepers = keeper_logs(host, examined, FRESH_S)
    logs = host.ask_about(keepers[:MOST], lambda container: ReadLogs(container.id, LINES, BYTES))
    for container, log in logs:
        if not isinstance(log, Failed):
            words = commands[container.id]
            since = 0.0 if _may_last(container, words) else clock.wall - FRESH_S
            lines = _lines_of_this_run(log, container, since)
            items += in_lines(
                container, words, lines or logs_of_keepers.lines(host, container), clock.wall
            )
        elif log.reason != "gone":
            unexamined.append(Unexamined(container.subject, f"its log: {log}"))
    items = [_with_own_reason(host, failure, logs_of_keepers) for failure in items]
    items.sort(key=lambda failure: (failure.container.name, failure.name, failure.program))
    unexamined += [
        Unexamined(container.subject, "its log was not read: too many have such a program")
        for container in keepers[MOST:]
    ]
    return InnerFailures(tuple(items), tuple(unexamined))


def _with_own_reason(
    host: Host, failure: InnerFailure, logs_of_keepers: KeeperLogs
) -> InnerFailure:
    """The failure with the program's own lines, where its keeper gives no reason."""
    if not failure.is_unexplained:
        return failure
    tail = logs_of_keepers.explaining(host, failure.container, failure.program, failure.at)
    if tail is None or tail.telling is None:
        return failure
    return msgspec.structs.replace(failure, reason=tail.telling.whole, path=tail.path)


def _may_last(container: Container, commands: set[str]) -> bool:
    """Whether one of these programs writes of a failure once, and the failure lasts."""
    return any(pattern.lasts for pattern in _patterns_about(container, commands))


def _patterns_about(container: Container, commands: set[str]) -> list[Pattern]:
    """The patterns of failures that one of these programs may meet."""
    return [pattern for pattern in PATTERNS if pattern.is_about(container, commands)]


def _commands(container: Container, processes: Processes) -> set[str]:
    """The programs in a container; where no process is seen, any server may run."""
    commands = {_command(name) for name in processes.names_inside(container.id)}
    return _own_words(container) | (commands or _MAY_RUN)


def _own_words(container: Container) -> set[str]:
    """The names of programs and Python modules in its command."""
    return {re.split(r"[/.]", word)[-1] for word in container.command}


def _command(comm: str) -> str:
    """The name of a process without the title that PM2 and others write behind it."""
    return comm.partition(" ")[0]


def _lines_of_this_run(
    log: ContainerLog, container: Container, since: float
) -> list[tuple[float | None, str]]:
    """Time and text of the lines since the container's start, and since this Unix time."""
    return [
        (line.at, plain(line.text))
        for line in log.lines
        if line.at is None or (line.at >= since and container.wrote_in_this_run(line.at))
    ]


def in_lines(
    container: Container,
    commands: set[str],
    lines: Sequence[tuple[float | None, str]],
    now: float = 0.0,
) -> list[InnerFailure]:
    """The failures that these lines of one container show, and that no later line takes back.

    now: Unix time, by which a program that ends again and again still does.
    """
    texts = [text for _, text in lines]
    inner_failures = []
    for pattern in _patterns_about(container, commands):
        signs = _signs(pattern, texts)
        chosen = _recurring_signs(signs, lines, now) if pattern.recurs else _first_of_each(signs)
        for sign in chosen:
            if not _is_over(pattern, sign.program, texts[sign.index + 1 :]):
                at, line = lines[sign.index]
                failure = InnerFailure(
                    container,
                    name=pattern.name,
                    program="" if pattern.is_of_address else sign.program,
                    cause=sign.filled(pattern.cause),
                    line=line,
                    at=at,
                    reason=_reason(pattern, sign, texts),
                    recurs=pattern.recurs,
                    explanation=sign.filled(pattern.explanation),
                    known_as=_partners_names(pattern, texts),
                )
                inner_failures.append(failure)
    return inner_failures


class _Sign(msgspec.Struct, frozen=True):
    """A line that mentions a program's failure."""

    index: int
    program: str
    detail: str
    which: str
    """The program, where each one's failure is one of its own; "" for all."""
    after: int = 0
    """Lines before this one are about what was before."""
    until: int = 0
    """The index behind the program's last lines: a keeper may note the end before it passes them
    on."""

    def filled(self, text: str) -> str:
        """A text of the pattern with the program's name and its detail in their places."""
        return text.format(program=self.program, detail=self.detail)


def _signs(pattern: Pattern, texts: Sequence[str]) -> list[_Sign]:
    """Each line that a pattern finds."""
    signs: list[_Sign] = []
    for index, text in enumerate(texts):
        match = pattern.failed.search(text)
        if match is None or (pattern.is_of_address and _is_of_internet(match["program"])):
            continue
        program = match["program"] or ""
        detail = match.groupdict().get("detail") or ""
        which = program if pattern.is_of_each_program else ""
        signs.append(_Sign(index, program, detail, which))
    return signs


def _first_of_each(signs: Iterable[_Sign]) -> Iterable[_Sign]:
    """The first line of each failure."""
    first: dict[str, _Sign] = {}
    for sign in signs:
        first.setdefault(sign.which, sign)
    return first.values()


def _recurring_signs(
    signs: Iterable[_Sign], lines: Sequence[tuple[float | None, str]], now: float
) -> Iterator[_Sign]:
    """The last line of each repeated failure whose next time is not overdue."""
    for noted in by_key((sign.which, sign) for sign in signs).values():
        group = [
            sign
            for before, sign in zip([None, *noted], noted, strict=False)
            if before is None or not _is_echo(lines[before.index], lines[sign.index])
        ]
        times = [at for sign in group if (at := lines[sign.index][0]) is not None]
        if len(times) < LEAST:
            continue
        pause = (times[-1] - times[0]) / (len(times) - 1)
        if now - times[-1] < SLACK_S + OVERDUE * pause and pause < LONG_S:
            after = group[-2].index + 1
            until = group[-1].index + 1 + LAST_WORDS
            yield msgspec.structs.replace(group[-1], after=after, until=until)


def _is_echo(line: tuple[float | None, str], other: tuple[float | None, str]) -> bool:
    """Whether a line is the one before once more.

    supervisord in the foreground writes each of its lines twice, if its log file is the output too.
    """
    (at, text) = line
    (other_at, other_text) = other
    is_at_once = at is not None and other_at is not None and other_at - at < ECHO_S
    return is_at_once and text == other_text


def _is_of_internet(address: str) -> bool:
    """Whether an address is a stranger's, which a server may ignore."""
    try:
        return ipaddress.ip_address(address.rstrip(".:")).is_global
    except ValueError:
        return False


def _is_over(pattern: Pattern, program: str, after: Sequence[str]) -> bool:
    """Whether a later line shows the recovery of this program, without a new failure behind it."""
    if not pattern.over:
        return False
    if _is_left_behind(pattern, program, after):
        return True
    over = re.compile(pattern.over.format(program=re.escape(program)))
    last_over = max((at for at, line in enumerate(after) if over.search(line)), default=-1)
    return last_over > _last_failure(pattern, program, after)


def _is_left_behind(pattern: Pattern, program: str, after: Sequence[str]) -> bool:
    """Whether a whole round of work has come since the failure was last met."""
    since = after[_last_failure(pattern, program, after) + 1 :]
    return sum(bool(pattern.round_ends.search(line)) for line in since) > 1


def _last_failure(pattern: Pattern, program: str, lines: Sequence[str]) -> int:
    """The index of the last line in which this program fails; -1 without one."""
    for at in reversed(range(len(lines))):
        match = pattern.failed.search(lines[at])
        if match is not None and (match["program"] or "") == program:
            return at
    return -1


def _reason(pattern: Pattern, sign: _Sign, texts: Sequence[str]) -> str:
    """The line that explains a failure, "" where no line does."""
    of_sign = texts[sign.after : sign.until or sign.index + 1]
    telling_texts = [text for text in of_sign if not pattern.noise.search(text)]
    for text in reversed(telling_texts):
        if pattern.why.search(text) and (why := message(text).text):
            return why
    failure = LogTail(tuple(telling_texts)).failure if pattern.data else None
    if failure is not None:
        return failure.line
    telling = telling_line(telling_texts)
    if telling is not None and telling.explains:
        return telling.whole
    return _keepers_reason(sign.program, texts[: sign.index])


def _partners_names(pattern: Pattern, texts: Sequence[str]) -> tuple[str, ...]:
    """The names by which the program's partners know it and each other, each once."""
    matches = (match for text in texts for match in pattern.known_as.finditer(text))
    return tuple(dict.fromkeys(match["name"] for match in matches))


def _keepers_reason(program: str, before: Sequence[str]) -> str:
    """The line in which the supervisor explains the program's end; "" without one.

    supervisord names the command that it cannot find, and not its program: the line with the name
    counts first.
    """
    ends = [line for line in reversed(before) if "spawnerr: " in line or "exit" in line]
    program_ends = [line for line in ends if program and program in line]
    return first_of(program_ends or ends, "")
