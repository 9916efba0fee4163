"""Schedules of containers that have no time zone, on a host that has one.

    BACKUP_CRON=0 3 * * *

Without TZ a container has UTC: the job runs at another hour than the clock of its user shows.
"""

from datetime import datetime

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import paired
from diagnose.questions import Host
from diagnose.questions.file_answers import path_status
from diagnose.questions.files import FileText, ReadFile
from diagnose.registry import evidence

_IS_SCHEDULE = LazyPattern(r"(?:^|_)(?:CRON|CRONTAB|SCHEDULE|CRON_\w{1,20}|SCHEDULE_\w{1,20})$")
_AT_AN_HOUR = LazyPattern(
    r"(?:\d{1,2}\s+)?\d{1,2}\s+\d{1,2}(?:[,-]\d{1,2}){0,5}(?:\s+[\w*?/,#-]{1,20}){3}"
)
"""A time of cron with a fixed minute and a fixed hour: 0 3 * * *; some have a field of seconds."""
_OF_ZONE = LazyPattern(r"(?:^|_)(?:TZ|TIME_?ZONE)$")
_FILES = ("/etc/localtime", "/etc/timezone")
_FOLDER = "zoneinfo/"
_NAME = LazyPattern(r"[A-Za-z]+(?:/[\w+-]{1,40}){1,2}")


class UnsetZone(msgspec.Struct, frozen=True):
    """A schedule that means UTC."""

    container: Container
    variable: str
    schedule: str
    zone: str
    """That of the host: Europe/Berlin."""
    hours: float
    """By so many hours the host is ahead of UTC now."""


class UnsetZones(Items[UnsetZone], frozen=True):
    """At most one for each container."""


@evidence
def unset_zones(host: Host, containers: Containers, clock: Clock) -> UnsetZones:
    """By variables and mounts; the zone of the host is read where a container has a schedule."""
    scheduled = [
        (container, schedule)
        for container, schedule in paired(containers.running, _schedule)
        if not _has_zone(container)
    ]
    zone = _zone_of_host(host) if scheduled else ""
    hours = _hours_ahead(zone, clock.wall) if zone else 0.0
    if not hours:
        return UnsetZones()
    return UnsetZones(
        tuple(
            UnsetZone(container, variable, schedule, zone, hours)
            for container, (variable, schedule) in scheduled
        )
    )


def _schedule(container: Container) -> tuple[str, str] | None:
    """The first variable with a time of cron at a fixed hour."""
    schedules = (
        (name, value)
        for name, value in container.config.environment
        if _IS_SCHEDULE.search(name) and _AT_AN_HOUR.fullmatch(value.strip())
    )
    return next(schedules, None)


def _has_zone(container: Container) -> bool:
    """Whether a variable or a mount gives a container a zone."""
    is_set = any(value and _OF_ZONE.search(name) for name, value in container.config.environment)
    return is_set or any(container.mount_at(file) is not None for file in _FILES)


def _zone_of_host(host: Host) -> str:
    """The name of the host's zone; "" where it is not known."""
    link, file = _FILES
    status = path_status(host, link, follow=False)
    _, folder, name = (status.link or "").rpartition(_FOLDER)
    if not folder:
        name = host.answer_or(ReadFile(file, max_bytes=200), FileText("")).text.strip()
    return name if _NAME.fullmatch(name) else ""


def _hours_ahead(zone: str, at: float) -> float:
    """The hours by which a zone is ahead of UTC; 0 where this machine does not know the zone."""
    import zoneinfo  # only where a container has a schedule

    try:
        offset = datetime.fromtimestamp(at, zoneinfo.ZoneInfo(zone)).utcoffset()
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        return 0.0
    return offset.total_seconds() / 3600 if offset is not None else 0.0
