"""Errors that running containers print again and again."""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_address

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.lone_failures import (
    complaints,
    is_worker,
    prints_nothing_else,
)
from diagnose.evidence.containers.logs.recent import RecentLine, RecentLogs
from diagnose.evidence.containers.settings.lacking_options import lacks
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Unexamined
from diagnose.programs.failures import (
    FAILURES,
    Failure,
    Recognised,
    family_of_running,
    recognise,
)
from diagnose.programs.families import FAMILIES
from diagnose.programs.log_message import (
    DOES_WITHOUT,
    ERROR,
    FATAL,
    INFO,
    TAKES_ANOTHER,
    message,
    plain,
)
from diagnose.programs.telling_line import TellingLine, telling_line
from diagnose.registry import evidence

_ADDRESS = LazyPattern(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
LEAST = 3
"""How often a line must occur in the last lines of a log to count as repeated."""
BLOCK = 3
"""If so many different lines occur twice, they are one long message, and twice is enough: the lines
that were read have no room for a third time."""
_SERVED = LazyPattern(
    r"\b(?:DELETE|GET|HEAD|OPTIONS|PATCH|POST|PROPFIND|PUT|REPORT)\b"
    r"(?:(?!(?:(?<=\s)|(?<=tatus=)|(?<=tatus\":))[45]\d\d(?![\w.])).)*(?<![\w.])[23]\d\d(?![\w.])"
)
"""A request with a status that says it went well, as web servers log it. Behind a status that says
otherwise, such a number is a size: Apache's page for 503 has 299 bytes."""
_SERVED_BY_STATUS = LazyPattern(
    r"(?:^|[\s|>=])[23]\d\d(?: [A-Z][A-Za-z ]{1,30})?(?=[ ,|\"])(?:(?![45]\d\d(?![\w.])).){0,120}"
    r"\b(?:DELETE|GET|HEAD|OPTIONS|PATCH|POST|PROPFIND|PUT|REPORT)[\"' ]{1,12}/"
)
"""The same where the status stands before the request, as Gin and Verdaccio log it."""
_OF_A_PROBE = LazyPattern(
    r"/(?:-/)?(?:alive|healthz?|healthcheck|live|livez|metrics|ping|readyz?|ready|server-status"
    r"|status|up)\b|health.?check|kube-probe|prometheus/",
    re.IGNORECASE,
)
"""A request of a monitor, which is answered while all others fail."""
_WORKED = LazyPattern(
    r"(?<!not )(?<!un)\b(?:complet(?:ed|e)|delivered|finished|processed|saved|sent|stored|succeed(?:ed|s)"
    r"|success(?:ful|fully)?|synced|up-to-date|wrote)\b"
    r"|\b(?:joined|placed|created|updated|uploaded|imported|downloaded)\b|\bNOERROR\b"
    r"|\bstatus[\"=: ]{1,3}[23]\d\d\b",
    re.IGNORECASE,
)
"""Words of a program that has done what it was asked for."""
_AROUND = LazyPattern(
    r"\b(?:backends?|broker|certificates?|config\w*|connect\w*|credentials?|databases?|director(?:y|ies)"
    r"|disk|files?|folders?|gateways?|librar(?:y|ies)|memory|migrat\w+|provision\w*|queues?|refused"
    r"|resources?|servers?|SIG[A-Z]{3,4}|threads?|timed? ?out|timeouts?|unavailable|unreachable"
    r"|upstreams?)\b"
    r"|\b(?:back[- ]?ups?|buckets?|clocks?|clusters?|CLUSTERDOWN|collectors?|crash\w*|drives?"
    r"|encryption|exporters?|heap|I/O|killed|leader|licen[cs]es?|OOM|\w*pool|quorum|quota|replica\w*"
    r"|segfault|segmentation)\b|corrupt|skewed|exited unexpectedly|invalid page in block"
    r"|\b(?:api|access)[-_ ]?key|AccessDenied|AccessKey|\b(?:JWKS|LDAP|OIDC)\b"
    r"|\bECONNRESET\b|socket hang up|\bfetch failed\b|Service ?Unavailable|Bad Gateway"
    r"|\b(?:answered|replied|returned|responded|status(?: code)?)\b[^\d\n]{0,20}\b50[234]\b"
    r"|unknown column|\bcolumn\b.{0,80}\bdoes not exist",
    re.IGNORECASE,
)
"""What a program stands on or calls: a line about it is not about one request."""
_OF_NGINX = LazyPattern(r", server: [^,]{0,200}(?=, request: )")
"""Which of its servers was asked, as nginx says it in each line about a request."""
_NO_SUCH_PAGE = LazyPattern(
    r"\bNo route matches \[|\b[Nn]o route found for\b|\bNoRouteError\b|\bNotFoundHttpException\b"
    r"|\bNoResourceFoundException\b"
)
"""What Rails, Symfony, Phoenix and Spring call a request for a page that the program does not have.
Rails and Symfony give it their gravest level."""
_CHANGING = LazyPattern(r"\b[0-9a-f]{8,}\b|\d+")
"""What differs from one time to the next: times, numbers, ids."""
MOSTLY = 0.5
"""A program that logs what it skips counts as failing if such lines are most of its log."""
NEARLY_ALL = 0.75
"""Errors of several kinds are what a program prints if they are more of its log. Of 41 logs of
healthy programs none has more than two thirds."""
_OPTION = "container.option-missing"
"""The check of what a container was not given; its configuration shows that."""
STEADY_S = 3600.0
"""A program that runs for so long since the engine restarted it has got over that."""
STARTING_S = 60.0
"""A program whose first error comes so soon after its start may have waited for its peers."""
GOT_OVER_S = 10.0
"""The same as `SLACK_S` for errors of a start, after which the program reports its work."""
OVERDUE = 2
SLACK_S = 60.0
"""An error counts as over if no line has followed for so many of its longest pauses, and so many
seconds more."""
_RECOVERED = LazyPattern(
    r"\bMASTER MODE enabled\b|MASTER <-> (?:REPLICA|SLAVE) sync: Finished with success"
    r"|\bready (?:to accept|for) connections\b",
    re.IGNORECASE,
)
"""What a server says when it serves: complaints of its start, or of its master, are over then."""
_TURNED_AWAY = LazyPattern(
    r"access denied|denied by|forbidden by rule|auth\w{0,20} (?:failed|failure)|failed to authenticate"
    r"|failed (?:password|authentication)|log[io]n (?:failed|error|attempt)|\blogin_error\b"
    r"|(?:password|login|access)\b.{0,20}\b(?:failed|refused|rejected)|invalid (?:user|uri)"
    r"|no pg_hba\.conf entry|not authori[sz]ed|unauthori[sz]ed|relay access|\breject(?:ed)?:"
    r"|handshake|ssl_accept|plaintext http|unable to (?:authenticate|negotiate)|security attack"
    r"|\bno such user\b|could not be resolved|as host\b|http_host|\bincorrect\b|tls error|unwrapping failed"
    r"|(?:parser|protocol|authentication) error|invalid receive|\bquery\b.{0,60}\bdenied"
    r"|directory index of (?!.*\"(?:GET|HEAD) / HTTP)"
    r"|primary script unknown.{0,300}\"[A-Z]+ /(?!index\.php)[^ ?\"]{0,300}\.php\d?[ /?]",
    re.IGNORECASE,
)
"""Words of a server that refuses somebody."""
_CALLER = LazyPattern(
    r"(?:\b(?:client(?:[ _]?(?:ip|addr\w*))?|from|peer|remote[ _-]?\w*|r?ip(?:[ _-]?addr\w*)?|host\w*"
    r"|header)\b|\bunknown|@)[\\\"']{0,3}[\s:=\[(/]{0,3}[\\\"']{0,3}(?P<address>\d{1,3}(?:\.\d{1,3}){3})"
    r"(?![\w.]\d|[:#](?:\d{1,4}|[12]\d{4})\b)"
    r"|(?<![\w.])(?P<caller>\d{1,3}(?:\.\d{1,3}){3})[:#](?:3[3-9]|[4-6]\d)\d{3}\b",
    re.IGNORECASE,
)
"""Who is meant, in such a line; or this host's own address, by which a scanner has asked for it.
An address with a port that systems give to those who call is a caller's, and one with another port
is not."""
_HARMLESS = LazyPattern(
    r"\bnot yet due\b|\bfailed[:=] ?(?:false|0)\b|\berrors?[:=] ?[\"']?(?:none|null|nil|false)\b"
    r"|^(?!.*\b(?:ERROR|FATAL|CRITICAL)\b).*\bdeprecat(?:ed|ion)\b"
    r"|\bdeprecation\.elasticsearch\b|\bmoby\.buildkit\.v1\.[\w.]{1,60}/Solve returned error\b"
    r"|\bwhile proxying upgraded connection\b",
    re.IGNORECASE,
)
"""A line that counts no failure, or tells the program's author of what a later version drops. Also
what nginx says of each WebSocket that its client leaves, and BuildKit of a build that failed, which
its caller has seen."""


_CONNECTED = LazyPattern(
    r"(?<!\bnot )(?<!\bbe )\b(?:re)?connected\b|\bconnection (?:re-?)?(?:established|restored)\b",
    re.IGNORECASE,
)
"""What a program says that has reached what it calls: failed calls of its start are over then."""
_WENT_WELL = LazyPattern(r"(?<!not )\bok\b", re.IGNORECASE)
"""What a job says at its end, beside `_WORKED`: of a start that has failed calls alone."""
_CALL_FAILED = frozenset({"dns", "refused", "timeout", "unreachable"})


class RepeatedError(msgspec.Struct, frozen=True):
    """The line that explains most, and how many of the log's last lines are the same."""

    container: Container
    line: TellingLine
    times: int
    of: int
    """Lines of the last minutes, since its last start, that were read."""
    most: int = 0
    """How many of them are the same as the line that is there most often."""
    errors: int = 0
    """How many of them are errors of any kind by their level."""
    complaining: int = 0
    """How many of them belong to complaints, with the frames of their traces."""
    serves: bool = False
    """Whether other lines report requests that went well."""
    ran_for: float = 0.0
    """Seconds from the container's start to its last line."""
    level: int | None = None
    """What the level of the line is worth; None where it has none."""
    works: bool = False
    """Whether lines after the first error report work that went well, other than for a monitor."""
    failure: Recognised | None = None
    """The known failure that the line shows, or else another one of the repeated lines."""
    peers: tuple[tuple[str, Container], ...] = ()
    """Addresses in the line that other containers have."""
    lines: tuple[str, ...] = ()
    """All lines that are repeated."""
    last_at: float = 0.0
    """Unix time of the last line that is the same."""

    @property
    def is_aside(self) -> bool:
        """Whether the program works all the same, and the line is about nothing around it.

        Such a line is about one request or one item. A service that the program calls, a file, a
        setting or a resource that it lacks is more than that, and so is a program that was
        restarted, or prints little else.
        """
        line = _OF_NGINX.sub("", self.line.whole)
        is_around = self.failure or self.peers or signs(line) or _AROUND.search(line)
        is_most = self.times > MOSTLY * self.of or self.errors > NEARLY_ALL * self.of
        health = self.container.state.health
        is_well = self.works or (health is not None and health.status == "healthy")
        was_restarted = self.container.restart_count > 0 and self.ran_for < STEADY_S
        is_fatal = self.level == FATAL and not _NO_SUCH_PAGE.search(line)
        is_grave = is_fatal or was_restarted
        return is_well and not is_grave and not is_around and not is_most

    @property
    def is_alone(self) -> bool:
        """Whether the program prints nothing else, and the line is about its own call or file.

        A server that turns others away is well. A program without a port turns nobody away.
        """
        is_server = not is_worker(self.container)
        is_about_others = is_server and _TURNED_AWAY.search(self.line.whole) is not None
        is_own = self.failure is not None or bool(signs(self.line.whole))
        is_idle = not (self.serves or self.works or is_about_others)
        return (
            is_own
            and is_idle
            and prints_nothing_else(
                self.container, self.times, self.complaining, self.of, self.ran_for
            )
        )


class RepeatedErrors(Items[RepeatedError], frozen=True):
    """One for each container that repeats an error."""

    unexamined: tuple[Unexamined, ...] = ()
    """Running containers whose log was not read."""


@evidence
def repeated_errors(
    containers: Containers, recent_logs: RecentLogs, clock: Clock | None = None
) -> RepeatedErrors:
    """The errors that each running container has printed within minutes, since its last start."""
    errors = (
        _repeated_error(container, recent_logs.of_this_run(container), containers, clock)
        for container in containers.running
    )
    return RepeatedErrors(
        tuple(error for error in errors if error is not None),
        recent_logs.left_out(containers.running),
    )


def _repeated_error(
    container: Container,
    recent: Sequence[RecentLine],
    containers: Containers,
    clock: Clock | None,
) -> RepeatedError | None:
    """The error that explains most, of the lines that come again and again."""
    lines = [line.text for line in recent]
    shapes = [_shape(line) for line in lines]
    shaped = list(zip(lines, shapes, strict=True))
    times = Counter(shapes)
    over = _overdue_shapes(recent, shapes) | _waited_for(container, recent, shapes, clock)
    lasting = _frequent(times) - over - _skipped(shaped, times)
    repeated = [line for line, shape in shaped if shape in lasting and not _is_harmless(line)]
    telling = _telling_line(container, repeated)
    if telling is None:
        return None
    error = _shape(repeated[telling.index])
    of_error = [line for line, shape in zip(recent, shapes, strict=True) if shape == error]
    return RepeatedError(
        container,
        line=telling,
        times=times[error],
        of=len(lines),
        most=max(times.values()),
        errors=_errors(lines),
        complaining=complaints(line for line, shape in shaped if shape != error) + times[error],
        serves=any(shape != error and _is_served(line) for line, shape in shaped),
        ran_for=recent[-1].at - (container.started_at or recent[-1].at),
        level=message(repeated[telling.index]).level,
        works=_works(lines[shapes.index(error) :]),
        failure=_known_failure(repeated, telling),
        peers=_peers(container, telling.whole, containers),
        lines=tuple(repeated),
        last_at=max(line.at for line in of_error),
    )


def _telling_line(container: Container, repeated: Sequence[str]) -> TellingLine | None:
    """Of lines that are repeated, the one that explains most; None if none explains anything."""
    telling = telling_line(repeated, has_ended=False)
    if telling is not None and telling.explains:
        return telling
    return _line_about_an_option(container, repeated)


def _errors(lines: Sequence[str]) -> int:
    """How many lines call themselves an error."""
    return sum((message(line).level or 0) >= ERROR for line in lines)


def _line_about_an_option(container: Container, lines: Sequence[str]) -> TellingLine | None:
    """The line that misses what the container was not given, though it calls itself no error.

    Uptime Kuma warns of each monitor that fails, and the container has no docker.sock.
    """
    grave = [line for line in lines if (message(line).level or ERROR) > INFO]
    rows = _rows_about_options() if grave else ()
    failure = recognise([line for line in grave if not DOES_WITHOUT.search(line)], None, rows)
    if failure is None:
        return None
    path = failure.values.get("path", "")
    if not any(lacks(container, failure.filled(option), path) for option in failure.needs):
        return None
    index = max(at for at, line in enumerate(lines) if plain(line).strip() == failure.line)
    return TellingLine(failure.line, index)


@functools.cache
def _rows_about_options() -> tuple[Failure, ...]:
    """Chosen once: many containers repeat a line that is no error."""
    return tuple(row for row in (*FAILURES, *FAMILIES) if row.confirmed_by == _OPTION)


def _known_failure(lines: Sequence[str], telling: TellingLine) -> Recognised | None:
    """The failure, or else the family of failures, that these lines show."""
    return recognise(lines, telling, FAILURES) or family_of_running(telling, FAMILIES)


def _frequent(times: Counter[str]) -> set[str]:
    """The shapes of lines that occur often enough to count as repeated."""
    several = [shape for shape, count in times.items() if count > 1]
    least = LEAST if len(several) < BLOCK else 2
    return {shape for shape in several if times[shape] >= least}


def _overdue_shapes(recent: Sequence[RecentLine], shapes: Sequence[str]) -> set[str]:
    """The lines that came several times, and whose next time is overdue when the log ends.

    Or that came in one run alone, before the server said that it serves.
    """
    at = by_key((shape, line.at) for line, shape in zip(recent, shapes, strict=True))
    end = max((line.at for line in recent), default=0.0)
    overdue = {
        shape
        for shape, times in at.items()
        if len(times) > 1 and end - times[-1] > SLACK_S + OVERDUE * _longest_pause(times)
    }
    return overdue | _recovered_from(recent, shapes) | _calls_that_succeed_now(recent, shapes)


def _recovered_from(recent: Sequence[RecentLine], shapes: Sequence[str]) -> set[str]:
    """The lines of one start, or of one recovery, after which the server has said that it serves.

    What comes before several of these is no single mishap.
    """
    serves = [place for place, line in enumerate(recent) if _RECOVERED.search(line.text)]
    spells: dict[str, set[int]] = {}
    for place, shape in enumerate(shapes):
        spells.setdefault(shape, set()).add(bisect.bisect_left(serves, place))
    return {shape for shape, of in spells.items() if len(of) == 1 and max(of) < len(serves)}


def _calls_that_succeed_now(recent: Sequence[RecentLine], shapes: Sequence[str]) -> set[str]:
    """The failed calls after which the program has connected, and that came no more since."""
    places = [place for place, line in enumerate(recent) if _CONNECTED.search(line.text)]
    if not places or signs(recent[places[-1]].text) & _CALL_FAILED:
        return set()
    before = zip(recent[: places[-1]], shapes[: places[-1]], strict=True)
    failed = {shape for line, shape in before if signs(line.text) & _CALL_FAILED}
    return failed - set(shapes[places[-1] :])


def _waited_for(
    container: Container, recent: Sequence[RecentLine], shapes: Sequence[str], clock: Clock | None
) -> set[str]:
    """The failed calls of the container's start, after which it reports work that went well.

    The time since the last of them decides too: one that is only late comes again. A request that
    is served proves nothing, since it may not need what was called.
    """
    works = [place for place, line in enumerate(recent) if _tells_of_own_work(line.text)]
    if not works or clock is None or container.started_at is None:
        return set()
    failed = by_key(
        (shape, (place, line.at))
        for place, (line, shape) in enumerate(zip(recent, shapes, strict=True))
        if signs(line.text) & _CALL_FAILED
    )
    over = set()
    for shape, seen in failed.items():
        times = [at for _, at in seen]
        patience = GOT_OVER_S + OVERDUE * (_longest_pause(times) if len(times) > 1 else 0.0)
        is_of_start = times[0] - container.started_at < STARTING_S
        is_past = seen[-1][0] < works[-1] and clock.wall - times[-1] > patience
        if is_of_start and is_past:
            over.add(shape)
    return over


def _tells_of_own_work(line: str) -> bool:
    if _is_served(line) or signs(line) & _CALL_FAILED:
        return False
    said = message(line)
    is_calm = said.level is None or said.level <= INFO
    return _tells_of_work(line) or (
        is_calm and not _OF_A_PROBE.search(line) and _WENT_WELL.search(said.text) is not None
    )


def _skipped(shaped: Sequence[tuple[str, str]], times: Counter[str]) -> set[str]:
    """The shapes of lines about skipped items, unless they are most of the log."""
    few = {shape for shape, count in times.items() if count < MOSTLY * len(shaped)}
    return {shape for line, shape in shaped if shape in few and DOES_WITHOUT.search(line)}


def _works(lines: Sequence[str]) -> bool:
    """Whether a line reports work that went well, without an error of its own."""
    return any(_tells_of_work(line) for line in lines)


def _tells_of_work(line: str) -> bool:
    if _OF_A_PROBE.search(line):
        return False
    if _is_served(line):
        return True
    said = message(line)
    return (said.level is None or said.level <= INFO) and _WORKED.search(said.text) is not None


def _is_served(line: str) -> bool:
    """Whether a line is a request that went well."""
    return bool(_SERVED.search(line) or _SERVED_BY_STATUS.search(line))


def _longest_pause(times: Sequence[float]) -> float:
    return max(later - earlier for earlier, later in itertools.pairwise(times))


def _is_harmless(line: str) -> bool:
    """Whether a line that looks like an error reports none."""
    harmless = _HARMLESS.search(line) or TAKES_ANOTHER.search(line)
    return harmless is not None or _is_about_a_stranger(line)


def _is_about_a_stranger(line: str) -> bool:
    """Whether the program tells that it has turned an address of the internet away.

    Whatever is reachable from there is scanned, and asked for passwords: that is no failure.
    """
    if _TURNED_AWAY.search(line) is None:
        return False
    callers = (match["address"] or match["caller"] for match in _CALLER.finditer(line))
    return any(_is_of_the_internet(address) for address in callers)


def _is_of_the_internet(address: str) -> bool:
    try:
        return ip_address(address).is_global
    except ValueError:
        return False


def _shape(line: str) -> str:
    """What a line says, without what differs each time."""
    return _CHANGING.sub("#", message(line).text)


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
