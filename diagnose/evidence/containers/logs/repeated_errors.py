"""Errors that running containers print again and again."""

import functools
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.error_signatures import CALL_FAILED, signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.awaited import line_that_waits, lines_at_the_end
from diagnose.evidence.containers.logs.known_lines import (
    limit_in,
    line_about_an_option,
    line_that_turns_away,
)
from diagnose.evidence.containers.logs.line_kinds import (
    is_about_no_page,
    is_about_surroundings,
    is_harmless,
    is_served,
    tells_of_work,
    turns_away,
)
from diagnose.evidence.containers.logs.lone_failures import (
    NONE,
    ComplaintLine,
    Complaints,
    complaints,
    goes_on,
    is_worker,
    parts_of_messages,
    prints_nothing_else,
)
from diagnose.evidence.containers.logs.past_errors import past_shapes
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.options.lacking_options import given_devices
from diagnose.evidence.containers.peers.own_servers import OF_ONE_KIND
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Unexamined
from diagnose.programs.callers import is_about_a_client
from diagnose.programs.failures import FAILURES, Recognised, family_of_running, recognise
from diagnose.programs.families import FAMILIES
from diagnose.programs.log_message import (
    DOES_WITHOUT,
    ERROR,
    FATAL,
    INFO,
    message,
    plain,
    without_numbers,
)
from diagnose.programs.telling_line import TRIED_AGAIN, TellingLine, telling_line
from diagnose.registry import evidence

_ADDRESS = LazyPattern(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
LEAST = 3
"""Minimum number of occurrences of a repeated line in the last lines of a log."""
BLOCK = 3
"""If so many different lines occur twice, they are one long message, and twice is enough: the lines
that were read have no room for a third time."""
MOSTLY = 0.5
"""Minimum share of skipped-item lines in a log from which on the program counts as failing."""
NEARLY_ALL = 0.75
"""Errors of several kinds are what a program prints if they are more of its log. Of 41 logs of
healthy programs none has more than two thirds."""
STEADY_S = 3600.0
"""A program that runs for so long since the engine restarted it has got over that."""
LOGS_KEPT = 256
"""Logs whose telling line is remembered: a proof collects this evidence again for each cause, and
the logs stay as they are. A run on 60 containers that fail took 3.6 instead of 5.9 s of CPU."""
_OF_PHP = "PHP Fatal error"


class RepeatedError(msgspec.Struct, frozen=True):
    """The line that explains most, and how many of the log's last lines are the same."""

    container: Container
    line: TellingLine
    times: int
    of: int
    """Lines of the last minutes, since its last start, that were read."""
    most: int = 0
    """The number of lines that repeat the most frequent message."""
    errors: int = 0
    """The number of lines that are errors of any kind by their level."""
    complaints: Complaints = NONE
    """The complaints of all lines."""
    serves: bool = False
    """Whether other lines report requests that went well."""
    ends_pages: bool = False
    """Whether each request ends with this error, whatever its status is."""
    ran_for: float = 0.0
    """Seconds from the container's start to its last line."""
    level: int | None = None
    """The severity of the line; None for a line without a level."""
    works: bool = False
    """Whether lines after the first error report successful work, other than for a monitor."""
    failure: Recognised | None = None
    """The known failure that the line shows, or else another one of the repeated lines."""
    peers: tuple[tuple[str, Container], ...] = ()
    """Addresses in the line that other containers have."""
    lines: tuple[str, ...] = ()
    """All lines that are repeated."""
    first_at: float = 0.0
    """Unix time of the first repetition of the line, among the lines that were read."""
    last_at: float = 0.0
    """Unix time of the last line that is the same."""
    lines_since: int = 0
    """The number of lines after the last one that is the same."""
    path: str = ""
    """The program's own log file with the line; "" for the container's log."""

    @property
    def is_aside(self) -> bool:
        """Whether the program works all the same, and the line is about nothing around it.

        That line is about one request or one item. A service that the program calls, or a missing
        file, setting or resource is more than that, and so is a program that was restarted, or
        prints little else. A server that turns away a client outside the containers works, whatever
        else it prints.
        """
        line = self.line.whole
        if is_about_a_client(line) and not (self.failure or self.peers):
            return True
        is_around = self.failure or self.peers or is_about_surroundings(line)
        is_most = self.times > MOSTLY * self.of or self.errors > NEARLY_ALL * self.of
        is_well = self.works or self.container.is_healthy
        was_restarted = self.container.restart_count > 0 and self.ran_for < STEADY_S
        is_fatal = self.level == FATAL and not is_about_no_page(line)
        is_grave = is_fatal or was_restarted
        return is_well and not is_grave and not is_around and not is_most

    @property
    def is_known_fault(self) -> bool:
        """Whether the line means a known fault of the program's own, and the log has little else.

        That is a fault of its settings, its files, its data or its build, and the program prints
        little else. Of 150 logs of healthy programs none repeats such a line. They repeat failed
        calls and refused logins, and so does a server of data about its clients' queries.
        """
        line = self.line.whole
        container = self.container
        if self.failure is None or self.serves or self.works:
            return False
        # a line that is known to be about settings refuses no client, whatever its words
        refuses = self.failure.failure.of_running is None and turns_away(line)
        is_of_others = is_about_a_client(line) or refuses or signs(line) & CALL_FAILED
        serves_data = any(int(port) in OF_ONE_KIND for port in container.offered_ports)
        is_most = self.times >= self.most or self.times >= MOSTLY * self.of
        is_lasting = goes_on(container, self.times, self.ran_for)
        return is_most and is_lasting and not (is_of_others or serves_data)

    @property
    def is_own_fault(self) -> bool:
        """Whether the line is known to mean a fault that no other state of the network mends."""
        failure = self.failure
        if failure is None or failure.failure.may_pass:
            return False
        return not signs(self.line.whole) & CALL_FAILED

    @property
    def is_alone(self) -> bool:
        """Whether the program prints nothing else, and the line is about its own call or file.

        A server that turns others away is well. A program without a port has no clients.
        """
        is_server = not is_worker(self.container)
        is_about_others = is_server and turns_away(self.line.whole)
        is_own = self.failure is not None or bool(signs(self.line.whole))
        is_idle = not (self.serves or self.works or is_about_others)
        return (
            is_own
            and is_idle
            and prints_nothing_else(
                self.container, self.times, self.complaints, self.of, self.ran_for
            )
        )


class RepeatedErrors(Items[RepeatedError], frozen=True):
    """The repeated errors, one for each container."""

    unexamined: tuple[Unexamined, ...] = ()
    """Running containers whose log was not read, and why they may have others."""


@evidence
def repeated_errors(
    containers: Containers, recent_logs: RecentLogs, clock: Clock | None = None
) -> RepeatedErrors:
    """The errors that each running container has printed within minutes, since its last start."""
    candidates = (
        _repeated_error(container, recent_logs.of_this_run(container), containers, clock)
        for container in containers.running
    )
    errors = [error for error in candidates if error is not None]
    return RepeatedErrors(
        (*errors, *_limits_behind(errors, recent_logs)),
        (*recent_logs.left_out(containers.running), *recent_logs.unexamined),
    )


def _limits_behind(
    errors: Sequence[RepeatedError], recent_logs: RecentLogs
) -> Iterator[RepeatedError]:
    """Limits that are reached in a program for which another container waits.

    Its log may report the limit only once.
    """
    reported = {error.container.id for error in errors}
    waiting = [error for error in errors if error.failure and error.failure.failure.follows]
    for peer in {peer.id: peer for error in waiting for _, peer in error.peers}.values():
        recent = recent_logs.of_this_run(peer)
        lines = [line.text for line in recent]
        limit = limit_in(lines)
        if limit is not None and peer.id not in reported:
            at = next(line.at for line in recent if plain(line.text).strip() == limit.line)
            yield RepeatedError(
                peer,
                line=TellingLine(limit.line),
                times=1,
                of=len(lines),
                most=1,
                failure=limit,
                lines=(limit.line,),
                first_at=at,
                last_at=at,
            )


def _repeated_error(
    container: Container, recent: Sequence[RecentLine], containers: Containers, clock: Clock | None
) -> RepeatedError | None:
    """The error that explains most, of the lines that come again and again."""
    lines = [line.text for line in recent]
    shapes = [shape_of(line) for line in lines]
    shaped = list(zip(lines, shapes, strict=True))
    times = Counter(shapes)
    lasting = _frequent_shapes(times) - past_shapes(container, recent, shapes, clock)
    lasting -= _shapes_of_skipped_items(shaped, times) | _shapes_of_earlier_calls(shaped)
    repeated = [line for line, shape in shaped if shape in lasting and not is_harmless(line)]
    telling = _telling_line(container, repeated)
    if telling is None:
        repeated = lines_at_the_end(shaped, lasting)
        telling = line_that_waits(repeated)
    if telling is None:
        return None
    return error_in(container, recent, shapes, telling, texts=repeated, containers=containers)


def error_in(
    container: Container,
    recent: Sequence[RecentLine],
    shapes: Sequence[str],
    telling: TellingLine,
    *,
    texts: Sequence[str],
    containers: Containers,
) -> RepeatedError:
    """The error of a line, with the facts in the other lines of the log.

    shapes: those of the recent lines. texts: the lines of which it is the telling one.
    """
    lines = [line.text for line in recent]
    shaped = list(zip(lines, shapes, strict=True))
    times = Counter(shapes)
    error = shape_of(texts[telling.index])
    of_error = [line for line, shape in zip(recent, shapes, strict=True) if shape == error]
    ends_pages = _ends_each_page(telling, times[error], lines)
    return RepeatedError(
        container,
        line=telling,
        times=times[error],
        of=len(lines),
        most=_most_of_one_message(lines, shapes),
        errors=sum((message(line).level or 0) >= ERROR for line in lines),
        complaints=complaints([ComplaintLine(line, shape == error) for line, shape in shaped]),
        serves=not ends_pages and any(shape != error and is_served(line) for line, shape in shaped),
        ends_pages=ends_pages,
        ran_for=recent[-1].at - (container.started_at or recent[-1].at),
        level=message(texts[telling.index]).level,
        works=not ends_pages and _reports_success(lines[shapes.index(error) :]),
        failure=_known_failure(container, texts, telling, lines),
        peers=_peers(container, telling.whole, containers),
        lines=tuple(texts),
        first_at=min(line.at for line in of_error),
        last_at=max(line.at for line in of_error),
        lines_since=shapes[::-1].index(error),
        path=of_error[-1].path,
    )


def shape_of(line: str) -> str:
    """The text of a line, without what differs each time.

    The level is a part of it: a web server that logs its requests as JSON uses the same words for
    those that went well.
    """
    return f"{message(line).level} {without_numbers(line)}"


def _most_of_one_message(lines: Sequence[str], shapes: Sequence[str]) -> int:
    """The number of lines that repeat the most frequent message; 0 for frames alone."""
    parts = parts_of_messages(lines)
    messages = [shape for shape, is_part in zip(shapes, parts, strict=True) if not is_part]
    return max(Counter(messages).values(), default=0)


def _ends_each_page(telling: TellingLine, times: int, lines: Sequence[str]) -> bool:
    """Whether each request ends with a fatal error of PHP, which may be answered with 200.

    php-fpm logs that status for a page that broke off behind its head, or that shows the error.
    """
    # only the status may be there of the first request in the part that was read
    served = sum(is_served(line) for line in lines)
    return _OF_PHP in telling.whole and 0 < served <= times + 1


def _telling_line(container: Container, repeated: Sequence[str]) -> TellingLine | None:
    """The repeated line that explains most; None if none explains anything."""
    telling = most_telling(tuple(repeated))
    if telling is not None and telling.explains:
        return telling
    return line_about_an_option(container, repeated) or line_that_turns_away(repeated)


@functools.lru_cache(LOGS_KEPT)
def most_telling(lines: tuple[str, ...]) -> TellingLine | None:
    """The line of a running program that explains most; worked out once for the same lines."""
    return telling_line(lines, has_ended=False)


@functools.lru_cache(LOGS_KEPT)
def _failure_in(lines: tuple[str, ...], telling: TellingLine) -> Recognised | None:
    failure = recognise(lines, telling, FAILURES, has_ended=False)
    return failure or family_of_running(telling, FAMILIES)


def _known_failure(
    container: Container, lines: Sequence[str], telling: TellingLine, every: Sequence[str]
) -> Recognised | None:
    """The failure, or else the family of failures, that these lines show.

    None where it is the lack of a device that the container has. Of a program that waits, what is
    used up counts, which its log may say once. every: also the lines that are not repeated.
    """
    failure = _failure_in(tuple(lines), telling)
    if failure is not None and failure.failure.follows:
        failure = limit_in(every) or failure
    return None if failure and failure.is_met_by(given_devices(container)) else failure


def _frequent_shapes(times: Counter[str]) -> set[str]:
    """The shapes of lines that occur often enough to count as repeated."""
    several = [shape for shape, count in times.items() if count > 1]
    least = LEAST if len(several) < BLOCK else 2
    return {shape for shape in several if times[shape] >= least}


def _shapes_of_earlier_calls(shaped: Sequence[tuple[str, str]]) -> set[str]:
    """The shapes of retried calls without an error level, where the last line is another one."""
    tried = {
        shape for line, shape in shaped if TRIED_AGAIN.search(line) and message(line).level == INFO
    }
    return tried if shaped and shaped[-1][1] not in tried else set()


def _shapes_of_skipped_items(shaped: Sequence[tuple[str, str]], times: Counter[str]) -> set[str]:
    """The shapes of lines about skipped items, unless they are most of the log."""
    few = {shape for shape, count in times.items() if count < MOSTLY * len(shaped)}
    return {shape for line, shape in shaped if shape in few and DOES_WITHOUT.search(line)}


def _reports_success(lines: Sequence[str]) -> bool:
    """Whether a line reports work that went well, without an error of its own."""
    return any(tells_of_work(line) for line in lines)


def _peers(
    container: Container, line: str, containers: Containers
) -> tuple[tuple[str, Container], ...]:
    """The addresses in the line that containers on the container's networks have."""
    holders = (
        (address, containers.by_place.get((network, address)))
        for address in sorted(set(_ADDRESS.findall(line)))
        for network in container.endpoints
    )
    return tuple(
        (address, holder)
        for address, holder in holders
        if holder is not None and holder.id != container.id
    )
