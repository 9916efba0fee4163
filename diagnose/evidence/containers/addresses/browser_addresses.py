"""Variables whose address the browsers of users call, and that names a container.

Tools that build pages put the variables of these names into the code of the page. A browser knows
neither the names of containers nor what localhost is for the server.
"""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

_FOR_BROWSERS = LazyPattern(
    r"^(?:REACT_APP|VITE|NEXT_PUBLIC|NUXT_PUBLIC|VUE_APP|GATSBY|EXPO_PUBLIC|SNOWPACK_PUBLIC)_"
)
"""The beginnings that React, Vite, Next.js, Nuxt, Vue, Gatsby and their like reserve for pages."""
_ADDRESS = LazyPattern(
    r"^(?P<scheme>https?|wss?)://(?:[^\s/@]{0,200}@)?(?P<host>[\w.-]{1,253})(?::(?P<port>\d{1,5}))?(?:/|$)"
)
"""The value of a variable that is a URL for browsers, with its host and port."""


class BrowserAddress(msgspec.Struct, frozen=True):
    """A variable for pages whose address only containers can call."""

    container: Container
    variable: str
    value: str
    callee: Container
    """The container that has this name."""

    @property
    def published(self) -> int:
        """The host's port at which browsers reach the same server; 0 where there is none."""
        match = _ADDRESS.match(self.value)
        wanted = match["port"] if match is not None else None
        ports = self.callee.published_by("tcp")
        return next((port.host_port for port in ports if wanted in (None, str(port.number))), 0)


class BrowserAddresses(Items[BrowserAddress], frozen=True):
    """The browser addresses, in the order of the containers."""


@evidence
def browser_addresses(containers: Containers) -> BrowserAddresses:
    """The variables of running containers."""
    addresses: list[BrowserAddress] = []
    for container in containers.running:
        for variable, value in container.config.environment:
            if not _FOR_BROWSERS.match(variable):
                continue
            callee = _callee(container, value, containers)
            if callee is not None:
                addresses.append(BrowserAddress(container, variable, value, callee))
    return BrowserAddresses(tuple(addresses))


def _callee(container: Container, value: str, containers: Containers) -> Container | None:
    """The other container that an address names by a word without a dot."""
    match = _ADDRESS.match(value)
    if match is None or "." in match["host"]:
        return None
    callees = containers.called_by(container, match["host"])
    return next((callee for callee in callees if callee.id != container.id), None)
