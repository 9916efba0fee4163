"""The word by which a server calls itself otherwise than its callers call it."""

import itertools
import re

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import host_of, host_of_url
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.programs.failures import Recognised

_SAYS_WHO = LazyPattern(r"host|url|uri|issuer|domain|address|authority", re.IGNORECASE)
"""Names of options and variables that give a server its own address."""


class OwnAddress(msgspec.Struct, frozen=True):
    """A server that its caller reaches by one name, and that gives itself another one."""

    server: str
    """Its container."""
    place: str
    """The setting: `option --hostname` or `variable KC_HOSTNAME`."""
    host: str
    """Its value there."""

    @property
    def clause(self) -> str:
        """The end of a sentence about the caller."""
        return f'container "{self.server}" calls itself so by its {self.place}={self.host}'


def own_address(
    failure: Recognised | None, caller: Container, containers: Containers
) -> OwnAddress | None:
    """The only word of the server from which the line's other address comes.

    The line has the address that the caller expected, and the one that the server gave.
    """
    values = failure.values if failure is not None else {}
    expected, got = (host_of_url(values.get(name, "")) for name in ("expected", "got"))
    if not expected or not got or expected == got:
        return None
    server = only(containers.called_by(caller, expected))
    places = _places(server, got) if server is not None else []
    return (
        OwnAddress(server.name, places[0], got) if server is not None and len(places) == 1 else None
    )


def _places(server: Container, host: str) -> list[str]:
    """The options and the variables that give a server this host."""
    words = server.config.words
    options = [
        (f"option {word.partition('=')[0]}", word.partition("=")[2] or following)
        for word, following in itertools.pairwise((*words, ""))
        if word.startswith("-")
    ]
    variables = [(f"variable {name}", value) for name, value in server.config.environment]
    places = (*options, *variables)
    return [place for place, value in places if _SAYS_WHO.search(place) and host_of(value) == host]
