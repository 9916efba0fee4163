"""The state and the log of containers that a question names, where no finding is about them.

"jellyfin does not play" on a host where every check passes: a person looks next whether the
container runs, and at the last lines of its log.
"""

import itertools
from collections.abc import Iterable, Iterator

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.reading import RECENT_S
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Reported, Severity
from diagnose.phrases import ago, count, duration, joined
from diagnose.programs.telling_line import says_what_is_wrong
from diagnose.symptoms.user_question import UserQuestion

KINDS = (Containers, RecentLogs, Clock)
"""The evidence with the facts."""
MOST = 2
"""At most this many containers are described."""
SHOWN = 200
"""Characters of a line that are shown."""


def named_in(question: UserQuestion, containers: Iterable[Container]) -> tuple[Container, ...]:
    """The containers that the words name, by any name by which others can call them."""
    return tuple(
        container for container in containers if not question.words.isdisjoint(container.dns_names)
    )


def quiet(containers: Iterable[Container], findings: Iterable[Reported]) -> tuple[Container, ...]:
    """The named containers without a finding above advice."""
    loud = [finding for finding in findings if finding.severity > Severity.advice]
    covered = {
        subject for finding in loud for subject in (finding.subject, *finding.finding.touches)
    }
    uncovered = (container for container in containers if container.subject not in covered)
    return tuple(itertools.islice(uncovered, MOST))


def facts_of(container: Container, logs: RecentLogs | None, clock: Clock) -> Iterator[str]:
    """The state of a container, the recent complaints in its log, and the command that shows more
    of it."""
    yield _state(container, clock)
    yield from _log(container, logs, clock)


def _state(container: Container, clock: Clock) -> str:
    """The state of a container, as a sentence."""
    if not container.is_running:
        finished = container.finished_at
        since = f", {ago(clock.wall - finished)}" if finished else ""
        return f"{container} does not run: {container.state.status}{since}"
    parts = ["runs"]
    if container.started_at is not None:
        parts = [f"has run for {duration(clock.wall - container.started_at)}"]
    if container.state.health is not None:
        parts.append(f"is {container.state.health.status}")
    if container.published_names:
        parts.append(f"publishes {joined(container.published_names)}")
    return f"{container} {joined(parts)}"


def _log(container: Container, logs: RecentLogs | None, clock: Clock) -> Iterator[str]:
    """Sentences about the recent complaints in a log, and the command that shows more of its
    lines."""
    if not container.is_running:
        yield f"its last lines: docker logs --timestamps --tail 50 {container.name}"
        return
    if logs is None or container.id in logs.unread:
        return
    lines = logs.of(container)
    wrong = [line for line in lines if says_what_is_wrong(line.text)]
    period = f"the last {duration(RECENT_S)}"
    if wrong:
        last = wrong[-1]
        yield (
            f"its log complains in {count(len(wrong), 'line')} of {period}, last "
            f"{ago(clock.wall - last.at)}: {last.text.strip()[:SHOWN]}"
        )
    elif lines:
        yield f"no line of its log of {period} complains ({count(len(lines), 'line')})"
    else:
        yield f"its log has no line of {period}"
    yield f"what it said before: docker logs --timestamps --since 24h {container.name} | tail -50"
