"""Containers whose variable TZ names a time zone that their image does not know."""

from datetime import UTC, datetime, timedelta

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.registry import evidence

ZONES = "/usr/share/zoneinfo"
LEAST = 3
"""Minimum number of lines that show the clock of a program: one may quote another time."""
NEAR_S = 120.0
"""A line is written so soon after the time that it states."""
_PLACE = LazyPattern(r"[A-Z][A-Za-z]+(?:/[A-Z][\w+-]*)+")
_TIME = LazyPattern(
    r"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?![.,]?\d*\s?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))"
)
"""A date and a time without a zone, which is the local one."""


class UnknownZone(msgspec.Struct, frozen=True):
    """A program that writes UTC although its container asks for another zone."""

    container: Container
    zone: str
    line: str
    """A line of its log; "" where its cron shows it."""
    offset_s: float
    """The seconds by which the zone is ahead of UTC now."""


class UnknownZones(Items[UnknownZone], frozen=True):
    """The unknown zones, at most one for each container."""

    unread: tuple[Unexamined, ...] = ()
    """Containers with a zone whose log was not read."""


@evidence
def unknown_zones(
    host: Host,
    containers: Containers,
    recent_logs: RecentLogs,
    processes: Processes | None = None,
    clock: Clock | None = None,
) -> UnknownZones:
    """The image is looked into only where a log shows the time of UTC, or where cron runs.

    A program that writes UTC on purpose has a database of zones all the same. Cron takes the time
    from the C library, which takes UTC where it does not know the zone.
    """
    with_zone = [container for container in containers.running if _asked_zone(container)]
    zones = [zone for container in with_zone if (zone := _zone(container, recent_logs))]
    shown = {zone.container.id for zone in zones}
    if processes is not None and clock is not None:
        for container in with_zone:
            offset_s = _offset_s(_asked_zone(container), clock.wall)
            if container.id not in shown and offset_s and _runs_cron(container, processes):
                zones.append(UnknownZone(container, _asked_zone(container), "", offset_s))
    missing = [zone for zone, file in host.ask_about(zones, _description) if is_gone(file)]
    missing.sort(key=lambda zone: zone.container.name)
    return UnknownZones(tuple(missing), recent_logs.left_out(with_zone))


def _runs_cron(container: Container, processes: Processes) -> bool:
    """Whether the cron of Debian or of busybox runs, which may be called busybox alone."""
    names = processes.names_inside(container.id)
    is_called = any("crond" in word.split() for word in container.config.words)
    return bool(names & {"cron", "crond"}) or ("busybox" in names and is_called)


def _asked_zone(container: Container) -> str:
    """The zone in TZ as a place name; "" for none, or a rule such as CET-1."""
    name = container.config.value_of("TZ").removeprefix(":")
    return name if _PLACE.fullmatch(name) else ""


def _zone(container: Container, recent_logs: RecentLogs) -> UnknownZone | None:
    """The zone of a container whose last lines state the time of UTC."""
    name = _asked_zone(container)
    lines = recent_logs.of_this_run(container)
    stated = [(line, match[0]) for line in lines if (match := _TIME.search(line.text))]
    if len(stated) < LEAST:
        return None
    offset_s = _offset_s(name, lines[-1].at)
    if abs(offset_s) <= 2 * NEAR_S or not all(_is_of_utc(line, time) for line, time in stated):
        return None
    return UnknownZone(container, name, stated[-1][0].text, offset_s)


def _offset_s(zone: str, at: float) -> float:
    """The seconds by which a zone is ahead of UTC; 0 where this machine does not know the zone."""
    import zoneinfo  # only where a container has a zone

    try:
        offset = datetime.fromtimestamp(at, zoneinfo.ZoneInfo(zone)).utcoffset()
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        return 0.0
    return (offset or timedelta()).total_seconds()


def _is_of_utc(line: RecentLine, stated: str) -> bool:
    """Whether the time in a line is the time of its writing, in UTC."""
    try:
        moment = datetime.fromisoformat(stated.replace("/", "-")).replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(moment.timestamp() - line.at) <= NEAR_S


def _description(zone: UnknownZone) -> ReadContainerFile:
    """The question for the container's own file of the zone, of which only the existence counts."""
    return ReadContainerFile(zone.container.id, f"{ZONES}/{zone.zone}", bytes=4)


def is_gone(answer: object) -> bool:
    """Whether the container has no such file."""
    return isinstance(answer, Failed) and answer.reason == "gone"
