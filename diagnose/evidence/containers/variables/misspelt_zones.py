"""Containers whose variable TZ names no time zone at all.

The C library then takes UTC without a word, and so do most others.
"""

import difflib

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.variables.unknown_zones import ZONES, is_gone
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of, paired
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.registry import evidence

MOST = 20
_WORDS = LazyPattern(r"[A-Za-z][\w+-]{1,40}(?:/[A-Za-z][\w+-]{1,40}){0,2}")
_RULE = LazyPattern(r"(?:<[+-]?\w{1,8}>|[A-Za-z]{3,8})[+-]?\d.{0,80}")
"""A zone by its hours, as POSIX writes it: CET-1CEST, <+03>-3."""
_OLD = LazyPattern(r"(?:US|Canada|Brazil|Chile|Mexico)/\w{1,30}|[A-Z]{3,4}")
"""Names that newer databases leave out, and abbreviations of which each database has others."""
_KNOWN = "Europe/Berlin"
"""A zone that each database has."""
_CLOSE = 0.8


class MisspeltZone(msgspec.Struct, frozen=True):
    """A value of TZ that neither the host nor the container has a zone for."""

    container: Container
    zone: str
    likely_zone: str = ""
    """The zone that is most likely meant; "" for none."""


class MisspeltZones(Items[MisspeltZone], frozen=True):
    """At most one for each container."""


@evidence
def misspelt_zones(host: Host, containers: Containers) -> MisspeltZones:
    """The container is looked into where the host does not know the zone, and knows others."""
    unknown = [
        container
        for container in containers.running
        if _is_unknown(container.config.value_of("TZ"))
    ]
    if not unknown or _is_unknown(_KNOWN):
        return MisspeltZones()
    chosen = host.first(unknown, MOST, "containers with an unknown time zone")
    answers = host.ask_about(
        chosen,
        lambda container: ReadContainerFile(
            container.id, f"{ZONES}/{container.config.value_of('TZ')}", bytes=4
        ),
    )
    lacking = (container for container, answer in answers if is_gone(answer))
    zones = paired(lacking, lambda container: container.config.value_of("TZ"))
    return MisspeltZones(
        tuple(MisspeltZone(container, zone, _nearest_zone(zone)) for container, zone in zones)
    )


def _is_unknown(name: str) -> bool:
    """Whether a name is written like that of a zone, and this machine knows none of that name."""
    import zoneinfo  # only where a container has a zone

    if not _WORDS.fullmatch(name) or _RULE.fullmatch(name) or _OLD.fullmatch(name):
        return False
    try:
        zoneinfo.ZoneInfo(name)
    except (OSError, ValueError, zoneinfo.ZoneInfoNotFoundError):
        return True
    return False


def _nearest_zone(name: str) -> str:
    """The zone with the same parts in another order or case, of the same city, or of like letters;
    "" for none."""
    import zoneinfo

    zones = sorted(zoneinfo.available_timezones())
    places = [zone for zone in zones if not zone.startswith(("posix/", "right/"))]
    parts = sorted(name.lower().split("/"))
    rearranged = [zone for zone in places if sorted(zone.lower().split("/")) == parts]
    city = [zone for zone in places if zone.lower().rpartition("/")[2] == name.lower()]
    like = difflib.get_close_matches(name, places, 1, _CLOSE)
    return first_of((*rearranged, *city, *like), "")
