"""The container behind an address or name of this very host that a program calls. Pure."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import is_address
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.evidence.network.interfaces import Interfaces

_THIS_HOST = "host-gateway"
"""The address in `--add-host` that the engine replaces by one of its host."""


class PublishedPeer(msgspec.Struct, frozen=True):
    """A container that serves a place of this host: its name or address, with the port."""

    place: str
    container: Container


def publisher_in(
    line: str, caller: Container, containers: Containers, links: Interfaces
) -> PublishedPeer | None:
    """The place that a line names, and the container that publishes it on this host.

    A name counts where the caller was given an address of this host for it: what DNS says of a name
    that is served here may be a proxy elsewhere.
    """
    name, port = place_in(line)
    if not name or not port or not _is_of_this_host(name, caller, links):
        return None
    for container in containers.running:
        if container.publishes(port) and container.id != caller.id:
            return PublishedPeer(f"{name}:{port}", container)
    return None


def _is_of_this_host(name: str, caller: Container, links: Interfaces) -> bool:
    address = name if is_address(name) else _given_address(name, caller)
    return address == _THIS_HOST or (bool(address) and links.holds(address))


def _given_address(name: str, caller: Container) -> str:
    """The address that the caller's `extra_hosts` give that name; "" without one."""
    for entry in caller.host_config.extra_hosts or ():
        entry_name, _, address = entry.replace("=", ":", 1).partition(":")
        if entry_name == name:
            return address
    return ""
