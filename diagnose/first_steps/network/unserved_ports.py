"""A published port that nobody serves: why, and what leads to one that is served."""

import msgspec

from diagnose.evidence.containers.addresses.loopback_words import with_host
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.mounts.empty_mounts import EmptyMounts
from diagnose.evidence.containers.mounts.unread_settings import UnreadSettings
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.containers.settings.named.named_settings import (
    missing_variable,
    named_setting,
)
from diagnose.evidence.network.addresses import ANY
from diagnose.evidence.network.container_netns import ContainerNetns
from diagnose.mappings import only, present
from diagnose.model import PageVariables

_TAKEN = "network.host-port-conflict"
"""The check that is about ports which somebody else has."""
_MISSING = "container.variable-missing"
"""The check that is about variables which a log asks for."""
_LOOPBACK = "127.0.0.1"


def serves_elsewhere(netns: ContainerNetns) -> bool:
    """Whether a program listens at another port: it got past the calls of its start."""
    return any(socket.protocol == "tcp" and not socket.is_loopback for socket in netns.listeners)


class UnservedReason(msgspec.Struct, frozen=True):
    """The reason why a container serves none of its ports, as far as its log shows it."""

    tail: LogTail
    ready: tuple[Container, ...]
    """The containers that its program called without an answer, and that serve by now."""
    watcher: str
    """The program that waits for a change of files, since the container's own has ended; "" for
    none."""
    absent: tuple[Container, ...] = ()
    """The containers that share its network, may be meant to serve the port, and do not run."""
    parted: tuple[Container, ...] = ()
    """The containers that shared its network until it was recreated, and do not run since."""
    deaf: tuple[Container, ...] = ()
    """The containers that its program called without an answer, and that listen only for
    themselves."""
    down: tuple[Container, ...] = ()
    """The containers that its program called without an answer, and that do not run."""


class UnservedPort(msgspec.Struct, frozen=True):
    """A published TCP port at which nobody outside the container reaches a program."""

    container: Container
    netns: ContainerNetns
    port: int
    inward: list[str]
    """The addresses inside at which a program listens for its own container."""
    why: UnservedReason
    unread: UnreadSettings | None
    """The settings that the program did not read."""

    @property
    def is_for_udp(self) -> bool:
        return not self.inward and self.netns.serves_others("udp", self.port)

    @property
    def what(self) -> str:
        """The predicate about the container's sockets at the port."""
        if self.netns.serves_ipv6_alone("tcp", self.port):
            return f"listens on port {self.port} at [{self.inward[0]}], which takes no IPv4"
        if self.inward:
            return f"listens on port {self.port} at {self.inward[0]} only"
        if self.is_for_udp:
            return f"publishes port {self.port} for TCP, and its program listens there for UDP"
        return f"publishes port {self.port} and serves nothing there"


def serves_clients(netns: ContainerNetns, port: int) -> bool:
    """Whether clients of a published port reach a program; most networks have only IPv4."""
    has_ipv6 = any(place.global_ipv6_address for place in netns.container.endpoints.values())
    is_closed = netns.serves_ipv6_alone("tcp", port) and not has_ipv6
    return netns.serves_others("tcp", port) and not is_closed


def was_taken(port: UnservedPort) -> bool:
    """Whether the log says that the port was taken, which its sockets disprove by now."""
    failure = port.why.tail.failure
    is_of_ports = failure is not None and failure.confirmed_by == _TAKEN
    return is_of_ports and not port.inward


def steps_to_port(port: UnservedPort, hidden: EmptyMounts) -> PageVariables:
    """The variables of the page that lead to a port which others can reach."""
    container = port.container
    if port.unread is not None:
        return {"place": port.unread.place}
    if port.inward:
        return with_host(container, port.port, ANY) or _loopback_variables(port)
    if port.why.absent:
        return {"sharer": port.why.absent[0].name}
    if port.why.parted:
        return {}
    if port.is_for_udp:
        return publish_instead(container, f"{port.port}/udp")
    if port.why.ready:
        return {"again": container.name}
    if port.why.down:
        return {"awaited": port.why.down[0].name}
    return _serving_variables(container, port.netns, port.why.tail, hidden)


def _loopback_variables(port: UnservedPort) -> PageVariables:
    """The page variables that lead the port's calls to loopback, where a file has the address."""
    is_ipv4 = _LOOPBACK in port.inward
    return {"inner": port.container.name, "inner_port": str(port.port)} if is_ipv4 else {}


def _serving_variables(
    container: Container, netns: ContainerNetns, tail: LogTail, hidden: EmptyMounts
) -> PageVariables:
    """The page variables that lead to a port where nothing listens at all."""
    cure = _setting_variables(container, tail) or _port_that_is_served(container, netns)
    return cure if cure or tail.failure is not None else hidden.variables_of(container)


def known_failure_line(tail: LogTail) -> LogTail:
    """Only the line of a known failure: the rest of a running program's log is about its work."""
    return LogTail((tail.failure.line,)) if tail.failure is not None else LogTail(())


def _setting_variables(container: Container, tail: LogTail) -> PageVariables:
    """The page variable with the variable whose value a person types, or that is removed."""
    failure = tail.failure
    if failure is not None and failure.confirmed_by == _MISSING:
        name = missing_variable(container, failure)
        return present({"typed": name})
    setting = named_setting(container, tail.telling)
    changes = setting.variables if setting is not None else {}
    return {name: changes[name] for name in ("typed", "unset") if name in changes}


def _port_that_is_served(container: Container, netns: ContainerNetns) -> PageVariables:
    """The variable that publishes the port on which the program listens instead.

    Empty where more than one can be meant.
    """
    sockets = [
        socket for socket in netns.listeners if socket.protocol == "tcp" and not socket.is_loopback
    ]
    ports = {socket.port for socket in sockets}
    if len(ports) != 1:
        return {}
    (served,) = ports
    misled = misled_binding(container, netns)
    if misled is not None and len(container.published_names) > 1:
        return _publish_beside(container, misled, str(served))
    return publish_instead(container, str(served))


def _publish_beside(container: Container, misled: PortBinding, served: str) -> PageVariables:
    """The page variables that correct one published port, and keep the other one."""
    others = [
        way for way in container.published_ports if way.port != misled.port and not way.is_ipv6
    ]
    if len(others) != 1:
        return {}
    return {"corrected": misled.leading_to(served), "kept": others[0].leading_to(others[0].port)}


def misled_binding(container: Container, netns: ContainerNetns) -> PortBinding | None:
    """The published port of the host that has the number of the one port that is served inside, and
    leads to another one: 80:8000, where the program listens at 80."""
    served = only(netns.served_ports)
    ways = [
        way
        for way in container.published_by("tcp")
        if way.host_port == served and way.number != served and not way.is_ipv6
    ]
    return only(ways)


def publish_instead(container: Container, port: str) -> PageVariables:
    """The page variable that publishes another port in place of the published one.

    Empty where more than one is published. port: in Docker's form, 53 or 53/udp.
    """
    places = {
        published.leading_to(port)
        for published in container.published_ports
        if not published.is_ipv6
    }
    if len(places) != 1 or len(container.published_names) != 1:
        return {}
    return {"publish": places.pop()}
