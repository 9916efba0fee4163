"""Names that a container's settings have for the target of a call at a port."""

from collections.abc import Iterator

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.mounted_settings import (
    SETTINGS_FILE,
    SETTINGS_FOLDER,
    mounted_settings,
)
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import distinct
from diagnose.questions import Host

_PLACE = LazyPattern(
    r"(?<![\w.@-])(?P<name>[A-Za-z0-9][\w-]{0,62}"
    r"(?:\.[\w-]{1,63}){0,7}\.[A-Za-z][\w-]{0,62})\.?:(?P<port>\d{2,5})(?!\d)"
)
"""A name of several parts with its port: db.example.com:5432."""
_URL = LazyPattern(
    r"(?<![\w+.-])(?P<scheme>https?|wss?)://(?:[^\s/@]{0,200}@)?"
    r"(?P<name>[A-Za-z0-9][\w-]{0,62}(?:\.[\w-]{1,63}){0,7}\.[A-Za-z][\w-]{0,62})(?![\w.:-])"
)
"""A URL whose host is a name of several parts, and without a port."""
_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}
"""The port of a URL that names none, by its scheme."""


def names_at(host: Host, container: Container, port: int) -> tuple[str, ...]:
    """The names with this port in its variables, its command and its mounted settings."""
    texts = [*container.config.variable_values, *container.command]
    files = mounted_settings(
        host, container, "names", SETTINGS_FILE, SETTINGS_FOLDER, with_volumes=True
    )
    texts += [file.text for file in files]
    port_suffix = f":{port}"
    places = (place for text in texts for place in places_in(text) if place.endswith(port_suffix))
    return distinct(place.removesuffix(port_suffix) for place in places)


def places_in(text: str) -> Iterator[str]:
    """NAME:PORT of each name of several words."""
    for match in _PLACE.finditer(text):
        yield f"{match['name'].lower()}:{match['port']}"
    for match in _URL.finditer(text):
        yield f"{match['name'].lower()}:{_PORTS[match['scheme']]}"
