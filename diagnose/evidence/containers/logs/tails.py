"""The last log lines of containers that ended badly, or that run and do not work.

The rest is never asked for its log.
"""

import functools

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.inner_failures import InnerFailures
from diagnose.evidence.containers.logs.inner_patterns import UNREACHED
from diagnose.evidence.containers.logs.own_files.own_logs import OwnLogs
from diagnose.evidence.containers.logs.own_files.own_tails import own_tails
from diagnose.evidence.containers.logs.tail import NO_LINES, LogTail, read_tails
from diagnose.evidence.containers.service import is_build_step
from diagnose.evidence.containers.unsettled import has_just_begun_again
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.sockets.unserved_ports import UnservedPorts
from diagnose.evidence.run.options import Options
from diagnose.model import Unexamined
from diagnose.programs.failures import Recognised
from diagnose.questions import Host
from diagnose.registry import evidence

MOST = 60
"""Maximum number of logs that are read in one run: first those of unwatched containers, the latest
failures first."""
BRIEF_S = 60.0
"""A container that publishes ports is there for longer, whatever it ends with."""
SETTLED_S = 20.0
"""Seconds after which a program that serves no port is no longer about to."""


class LogTails(msgspec.Struct, frozen=True, dict=True):
    """The last lines of logs, by container id."""

    by_id: dict[str, LogTail]
    unread: dict[str, str]
    """The reasons why logs could not be read, by container id (usually a driver without reading).
    """
    unexamined: tuple[Unexamined, ...] = ()
    inside: frozenset[str] = frozenset()
    """The ids of running containers in which a program has failed: nothing listens on any port that
    they publish, or their supervisor has given the program up."""
    begun_again: frozenset[str] = frozenset()
    """The ids of running containers that were restarted a moment ago; their lines are from the run
    before."""

    def of(self, container: Container) -> LogTail:
        """Its last lines; none where nothing was asked, printed, or could be read."""
        return self.by_id.get(container.id, NO_LINES)

    @functools.cached_property
    def failures(self) -> dict[str, Recognised]:
        """By container id, the known failures that the logs show.

        The lines of the last run, or else of the runs before it.
        """
        recognised = {}
        for id, tail in self.by_id.items():
            failure = tail.failure or tail.before_this_run.failure
            if failure is not None:
                recognised[id] = failure
        return recognised


def suspicious(container: Container, now: float, since_s: float) -> bool:
    """Whether a container's log is worth a question.

    It failed within the looked-at time, loops, or is unhealthy. A container that publishes ports
    failed too where it exited at once with code 0. A step of a build has no log.
    """
    state = container.state
    if state.status == "restarting":
        return not is_build_step(container)
    if container.is_running:
        return container.is_unwell and not is_build_step(container)
    if state.status != "exited":
        return False
    finished = container.finished_at
    is_brief_service = bool(container.wanted_ports) and (container.ran_for or 0.0) < BRIEF_S
    has_failed = state.exit_code != 0 or is_brief_service
    is_recent = finished is not None and now - finished < since_s
    return has_failed and is_recent and not is_build_step(container)


@evidence
def log_tails(
    host: Host,
    containers: Containers,
    clock: Clock,
    options: Options,
    unserved: UnservedPorts | None,
    inner_failures: InnerFailures | None,
    own_logs: OwnLogs | None = None,
) -> LogTails:
    """The last log lines of failed containers, and of running ones whose programs do not work.

    Containers beyond `MOST` are named as not examined, except runs in the foreground, which
    somebody has read. Where a log explains nothing, a log file that the program itself writes may.
    """
    candidates = sorted(
        (
            container
            for container in containers
            if suspicious(container, clock.wall, options.since_s)
        ),
        key=lambda container: (not container.was_watched, container.finished_at or 0.0),
        reverse=True,
    )
    tails, unread = read_tails(host, candidates[:MOST])
    begun_again = frozenset(
        container.id for container in candidates if has_just_begun_again(container, clock.wall)
    )
    tails |= {id: tails[id].before_this_run for id in begun_again & tails.keys()}
    skipped = tuple(
        Unexamined(container.subject, "its log was not read: too many failed")
        for container in candidates[MOST:]
        if not container.was_watched
    )
    inside = _failed_inside(containers, clock, unserved, inner_failures)
    inside = {id: tail for id, tail in inside.items() if id not in tails}
    tails |= inside
    read_containers = [
        *candidates[:MOST],
        *(container for container in containers.running if container.id in inside),
    ]
    silent = [
        container for container in read_containers if not tails.get(container.id, NO_LINES).explains
    ]
    tails |= own_tails(host, silent, own_logs, options.since_s)
    return LogTails(tails, unread, skipped, frozenset(inside), begun_again)


def _failed_inside(
    containers: Containers,
    clock: Clock,
    unserved: UnservedPorts | None,
    inner_failures: InnerFailures | None,
) -> dict[str, LogTail]:
    """The last lines of running containers whose programs serve nothing or were given up."""
    tails: dict[str, LogTail] = {}
    if unserved is not None:
        for container in containers.running:
            is_settled = clock.has_passed(container.started_at, SETTLED_S)
            if is_settled and container.id in unserved.tails:
                tails[container.id] = unserved.of(container)
    for failure in inner_failures or ():
        if failure.reason and failure.name != UNREACHED:
            tails[failure.container.id] = LogTail((failure.reason,))
    return tails
