"""Lines of a log that are over: not repeated for long, or followed by a recovery of the program.

Pure. Lines are compared by their shapes: their text without what differs each time.
"""

import bisect
import itertools
import re
from collections.abc import Sequence

from diagnose.error_signatures import CALL_FAILED, signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.line_kinds import tells_of_own_work
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key

STARTING_S = 60.0
"""Seconds after its start within which a program's first error may mean that it waits for its
peers."""
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
"""Lines of a server that serves: earlier complaints about its start, or its master, are over."""
_CONNECTED = LazyPattern(
    r"(?<!\bnot )(?<!\bbe )\b(?:re)?connected\b|\bconnection (?:re-?)?(?:established|restored)\b",
    re.IGNORECASE,
)
"""Lines of a program that has reached its peer: earlier failed calls of its start are over."""


def past_shapes(
    container: Container, recent: Sequence[RecentLine], shapes: Sequence[str], clock: Clock | None
) -> set[str]:
    """The shapes of lines that are over when the log ends. clock: None where now is not known."""
    return (
        _overdue_shapes(recent, shapes)
        | _recovered_from(recent, shapes)
        | _calls_that_succeed_now(recent, shapes)
        | _waited_for(container, recent, shapes, clock)
    )


def _overdue_shapes(recent: Sequence[RecentLine], shapes: Sequence[str]) -> set[str]:
    """The lines that occurred several times, and whose next time is overdue when the log ends."""
    at = by_key((shape, line.at) for line, shape in zip(recent, shapes, strict=True))
    end = max((line.at for line in recent), default=0.0)
    return {
        shape
        for shape, times in at.items()
        if len(times) > 1 and end - times[-1] > SLACK_S + OVERDUE * _longest_pause(times)
    }


def _recovered_from(recent: Sequence[RecentLine], shapes: Sequence[str]) -> set[str]:
    """The lines of one start, or of one recovery, after which the server reports that it serves.

    Lines before several of these are not a single mishap.
    """
    serves = [place for place, line in enumerate(recent) if _RECOVERED.search(line.text)]
    spells: dict[str, set[int]] = {}
    for place, shape in enumerate(shapes):
        spells.setdefault(shape, set()).add(bisect.bisect_left(serves, place))
    return {shape for shape, of in spells.items() if len(of) == 1 and max(of) < len(serves)}


def _calls_that_succeed_now(recent: Sequence[RecentLine], shapes: Sequence[str]) -> set[str]:
    """The failed calls after which the program has connected, and that came no more since."""
    places = [place for place, line in enumerate(recent) if _CONNECTED.search(line.text)]
    if not places or signs(recent[places[-1]].text) & CALL_FAILED:
        return set()
    before = zip(recent[: places[-1]], shapes[: places[-1]], strict=True)
    failed = {shape for line, shape in before if signs(line.text) & CALL_FAILED}
    return failed - set(shapes[places[-1] :])


def _waited_for(
    container: Container, recent: Sequence[RecentLine], shapes: Sequence[str], clock: Clock | None
) -> set[str]:
    """The failed calls of the container's start, after which it reports successful work.

    The time since the last of them decides too: a late one comes again. A served request proves
    nothing, since it may not need the called server.
    """
    works = [place for place, line in enumerate(recent) if tells_of_own_work(line.text)]
    if not works or clock is None or container.started_at is None:
        return set()
    failed = by_key(
        (shape, (place, line.at))
        for place, (line, shape) in enumerate(zip(recent, shapes, strict=True))
        if signs(line.text) & CALL_FAILED
    )
    over = set()
    for shape, occurrences in failed.items():
        times = [at for _, at in occurrences]
        patience = GOT_OVER_S + OVERDUE * (_longest_pause(times) if len(times) > 1 else 0.0)
        is_of_start = times[0] - container.started_at < STARTING_S
        is_past = occurrences[-1][0] < works[-1] and clock.wall - times[-1] > patience
        if is_of_start and is_past:
            over.add(shape)
    return over


def _longest_pause(times: Sequence[float]) -> float:
    return max(later - earlier for earlier, later in itertools.pairwise(times))
