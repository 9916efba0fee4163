"""The last hours of a host in one ordered list.

Each moment has its source; the list says from when on it is complete.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog
from diagnose.evidence.run.recent_changes import RecentChanges
from diagnose.judgement import selection
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Unavailable
from diagnose.phrases import size
from diagnose.word_sets import vocabulary

KINDS = (Clock, Containers, Events, KernelLog, DaemonLog, DaemonConfig, RecentChanges)
"""The evidence that a timeline is made of; each is left out where it could not be had, and that is
said."""

_SHOWN = {
    "container": vocabulary(
        "create start die oom kill stop restart pause unpause destroy health_status update"
    ),
    "image": {"pull", "delete", "tag", "untag"},
    "network": {"create", "destroy"},
    "volume": {"create", "destroy"},
    "daemon": {"reload"},
}
"""The actions of the engine's events that the timeline shows, by the kind of thing."""
_KERNEL = LazyPattern(
    r"blocked for more than|table full, dropping|EXT4-fs error|XFS .{0,300}(Shutting|error)|I/O error"
    r"|unregister_netdevice|Remounting filesystem read-only|segfault at|soft lockup|fork rejected"
)
"""Lines of the kernel that belong into a timeline: disks, hung tasks, lockups, full tables."""
_ID = LazyPattern(r"\b[0-9a-f]{64}\b")
_DAEMON = LazyPattern(
    r"^(Starting up|Processing signal|API listen on|Daemon has completed|Got signal to reload"
    r"|Loading containers)"
)
"""Lines of the engine that belong into a timeline: its start, its end, a reload."""


class Moment(msgspec.Struct, frozen=True):
    """One thing that happened."""

    at: float
    """Unix time."""
    source: str
    """Who reports the event: the engine, the kernel, a file."""
    text: str
    container: str = ""
    """The container's name, empty if the event is about none."""


class Timeline(msgspec.Struct, frozen=True):
    """Moments, oldest first."""

    moments: tuple[Moment, ...]
    complete_since: float | None
    """Unix time from which the engine's events are all there, None where nothing tells; it
    remembers 256, and none from before its start."""
    gaps: tuple[str, ...]
    """What could not be read."""


class _Known(msgspec.Struct, frozen=True):
    """The evidence of `KINDS`, in its order; None for what could not be had."""

    clock: Clock | None
    containers: Containers | None
    events: Events | None
    kernel: KernelLog | None
    log: DaemonLog | None
    config: DaemonConfig | None
    changes: RecentChanges | None


def make(collected: Sequence[Any], since_s: float, words: Sequence[str]) -> Timeline:
    """The timeline of collected evidence, in the order of KINDS.

    words: containers, as `selection.called` reads them: only their events are listed.
    """
    kinds = zip(KINDS, collected, strict=True)
    evidence = _Known(*(answer if isinstance(answer, kind) else None for kind, answer in kinds))
    earliest = (evidence.clock.wall if evidence.clock is not None else 0.0) - since_s
    names = {container.id: container.name for container in evidence.containers or ()}
    containers = _wanted_containers(words, names)
    moments = dict.fromkeys(
        moment
        for moment in _moments(evidence, names)
        if moment.at >= earliest and (not containers or moment.container in containers)
    )
    gaps = [
        f"{kind.__name__}: {answer}"
        for kind, answer in zip(KINDS, collected, strict=True)
        if isinstance(answer, Unavailable)
    ]
    complete = None
    began = _engine_began(evidence)
    if evidence.events is not None and began is not None:
        complete = max(began, evidence.events.complete_since or 0.0, earliest)
    ordered = sorted(moments, key=lambda moment: (moment.at, moment.source, moment.text))
    return Timeline(tuple(ordered), complete, tuple(gaps))


def _wanted_containers(words: Iterable[str], names: Mapping[str, str]) -> set[str]:
    """The names of the containers that a user calls so; a word that fits none stands for itself."""
    return {
        name
        for word in words
        for name in selection.called(word, names) or (word.removeprefix("/"),)
    }


def _moments(evidence: _Known, names: dict[str, str]) -> Iterator[Moment]:
    """Every moment that the evidence knows, in no order. names: of containers, by id."""
    config = evidence.config
    if evidence.events is not None:
        yield from _events(evidence.events)
    if evidence.containers is not None:
        yield from _states(evidence.containers, evidence.events)
    if evidence.kernel is not None:
        yield from _kernel(evidence.kernel, names)
    if evidence.log is not None:
        yield from _log(evidence.log, names)
    if config is not None and config.mtime:
        yield Moment(config.mtime, "file", f"{config.path} was last changed")
    if evidence.changes is not None:
        yield from _changes(evidence.changes)


def _changes(changes: RecentChanges) -> Iterator[Moment]:
    """Packages and files: what the engine's events say is there already."""
    for change in changes.items:
        if change.source == "packages":
            yield Moment(change.at, "packages", change.text)
        elif change.source == "file":
            yield Moment(change.at, "file", f"{change.text} was last changed", change.subject.name)


def _engine_began(evidence: _Known) -> float | None:
    """Unix time at which the running engine was started, as its process says, or else its log."""
    clock = evidence.clock
    config = evidence.config
    if clock is not None and config is not None and config.started is not None:
        return clock.booted + config.started
    starts = [line.at for line in evidence.log or () if line.message == "Starting up" and line.at]
    return max(starts, default=None)


def _with_names(text: str, by_id: dict[str, str]) -> tuple[str, str]:
    """The text with names in place of containers' ids, and the last name.

    The first twelve digits stand for a container that is gone.
    """
    names = [by_id[id] for id in _ID.findall(text) if id in by_id]
    with_names = _ID.sub(lambda match: by_id.get(match[0], match[0][:12]), text)
    return with_names, names[-1] if names else ""


def _events(events: Events) -> Iterator[Moment]:
    for event in events:
        if event.action in _SHOWN.get(event.type, ()):
            yield Moment(
                event.at,
                "event",
                _event_words(event),
                event.name if event.type == "container" else "",
            )


def _event_words(event: Event) -> str:
    """An event of the engine in a few words."""
    detail = event.detail
    if event.action == "die":
        detail = f"exit {event.exit_code}"
    elif event.action == "kill":
        detail = f"signal {event.attributes.get('signal', '?')}"
    name = event.name or event.id[:12]
    return " ".join(
        part
        for part in (event.type, name, event.action.replace("health_status", "health"), detail)
        if part
    )


def _states(containers: Containers, events: Events | None) -> Iterator[Moment]:
    """The last start, end and health probes that inspect remembers.

    Those that the engine's events have already are left out.
    """
    for container in containers:
        actions = {event.action for event in events.of(container.id)} if events else set()
        if container.started_at and "start" not in actions:
            yield Moment(
                container.started_at,
                "inspect",
                f"container {container.name} started",
                container.name,
            )
        if container.finished_at and "die" not in actions and not container.is_running:
            text = f"container {container.name} ended, exit {container.state.exit_code}"
            yield Moment(
                container.finished_at,
                "inspect",
                text + (", OOM-killed" if container.state.oom_killed else ""),
                container.name,
            )


def _kernel(kernel: KernelLog, names: dict[str, str]) -> Iterator[Moment]:
    """The kernel's messages, and the processes that it killed for memory."""
    for record, _ in kernel.matching(_KERNEL):
        yield Moment(record.at, "kernel", *_with_names(record.text, names))
    for kill in kernel.oom_kills:
        name = names.get(kill.container, "")
        whose = f"of container {name or kill.container[:12]}" if kill.container else "of the host"
        memory = f", holding {size(kill.rss)}" if kill.rss is not None else ""
        if kill.of_host:
            why = "the host had no memory left"
        else:
            why = "at a limit" + (f" of {size(kill.limit)}" if kill.limit else "")
        yield Moment(
            kill.at, "kernel", f"killed {kill.task} (pid {kill.pid}) {whose}{memory}: {why}", name
        )


def _log(log: DaemonLog, names: dict[str, str]) -> Iterator[Moment]:
    for line in log:
        if line.at is not None and (
            _DAEMON.match(line.message) or line.level in ("fatal", "panic", "error")
        ):
            yield Moment(line.at, "dockerd", *_with_names(line.text, names))
