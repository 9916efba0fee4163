"""An address that a program shows to its users, and whose port does not lead to it. Pure."""

from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.sockets.listeners import Listener, Listeners


class ShownAddress(msgspec.Struct, frozen=True):
    """An address that a program shows, and at which it cannot be reached."""

    container: Container
    kind: Literal["web", "ssh", "bare"]
    """web, ssh: the port does not lead to it. bare: the address has no scheme, although it should
    be a URL."""
    place: str
    """The place of the setting: `Config.Env WEBHOOK_URL`, `log`, or the path of a file in the
    container."""
    value: str
    """The value there: a URL, or a port for SSH."""
    port: int
    """The port of the host that the address names."""
    right: str = ""
    """The value that leads to it: a URL, or a port; "" where several do."""
    variable: str = ""
    """The variable that holds the value, or that should."""
    way: int = 0
    """The port of the host that its users call."""
    front: Container | None = None
    """The proxy that has this port; None where it is the container's own, or the host's."""
    front_program: str = ""
    """The host's own program that has it."""
    holder: str = ""
    """The host's own program that listens at `port`; "" for none."""
    unused: str = ""
    """A variable with another address, which the program reads at its first start alone."""


def is_led_on(port: int, containers: Containers) -> bool:
    """Whether a container publishes this port of the host for other machines."""
    return any(
        binding.host_port == port and not binding.is_for_host_alone
        for container in containers.running
        for binding in container.published_by("tcp")
    )


def takers(port: int, listeners: Listeners) -> list[Listener]:
    """The sockets of the host that accept packets of other machines to this port."""
    return [
        listener
        for listener in listeners
        if listener.port == port
        and listener.proto.startswith("tcp")
        and not is_loopback(listener.address)
    ]
