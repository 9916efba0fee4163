"""Connections to addresses of Docker's networks that fail now, by containers' logs and sockets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address

import msgspec

from diagnose.error_signatures import FOUND_NOBODY, signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.called_places import EPHEMERAL, ContainerCall
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.evidence.network.subnets.given_addresses import is_never_given
from diagnose.evidence.network.subnets.subnet_stock import engine_pools
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, only
from diagnose.model import Unexamined
from diagnose.phrases import count, quoted
from diagnose.registry import evidence

_PLACE = LazyPattern(
    r"(?<![\w.])(?P<address>\d{1,3}(?:\.\d{1,3}){3})[\"')]?(?:[:,]\s?(?:port )?| port )"
    r"(?P<port>\d{2,5})(?!\d)"
)
"""192.0.2.1:5432, or 192.0.2.1, port 5432"""
_PLACE6 = LazyPattern(
    r"(?<![\w:.\[])\[?(?P<address>[0-9a-f]{1,4}:[0-9a-f:]{0,40}:[0-9a-f]{1,4})\]?:"
    r"(?P<port>\d{2,5})(?!\w|:\w)",
    re.IGNORECASE,
)
"""[2001:db8::1]:5432"""
_NAMED_PLACE = LazyPattern(
    r"(?<![\w.-])(?P<name>[A-Za-z][\w.-]*+)(?::| port )(?P<port>\d{2,5})(?!\d)"
)
"""A port behind a name, which may be another container's; curl writes the word."""
_BARE_ADDRESS = LazyPattern(
    r"(?<![\w.:])(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?![\w.:]|[\"')]?,? port )"
)
"""An address without a port, as busybox' wget writes it."""
_PORTLESS_URL = LazyPattern(r"\bhttp://(?P<name>[A-Za-z][\w.-]*+)(?=[/?#\s'\"]|$)")
_WEB_PORT = 80
_AT_ONCE = LazyPattern(r"after [12]?\d{1,3} ms: Could(?:n't| not) connect to server")
"""The error of curl from 7.86 on for a refused call. Within a network of the caller's there is a
route, and the kernel looks for three seconds for a machine that does not answer."""
_WITHOUT_REASON = LazyPattern(
    r"""(?xi)
    \b(?: failed | unable | not\ possible )\ to\ (?:re)?connect\b
    | \b(?: could\ not | couldn't | cannot | can't )\ (?:re)?connect\b
    | \bconnection\ to\ [^\n]{1,120}\ could\ not\ be\ established  # Kafka
    | \berror\ (?:while\ )?connecting\ to\b
    | \bunable\ to\ revive\ connection\b  # clients of Elasticsearch
    """
)
"""Errors of clients that get no connection, without the reason."""
_SLOW_CURL = LazyPattern(r"after \d{4,9} ms:")


def where_named(address: str, container: Container) -> str:
    """The setting of a container that has this very address; "" without one."""
    for entry in container.host_config.extra_hosts or ():
        if _names_address(entry, address):
            name = entry.replace("=", ":", 1).partition(":")[0]
            return f'extra_hosts (name "{name}")'
    for variable, value in container.config.environment:
        if _names_address(value, address):
            return f"environment variable {variable}"
    if any(_names_address(word, address) for word in container.command):
        return "its command"
    return ""


def _names_address(text: str, address: str) -> bool:
    """Whether an address is in a text as a whole: 10.0.0.1 is not in 10.0.0.12."""
    return re.search(rf"(?<!\d){re.escape(address)}(?!\d)", text) is not None


class FailingCall(msgspec.Struct, frozen=True):
    """Calls of one container to one address that failed."""

    container: Container
    network: Network
    """The network whose subnet holds the address."""
    address: str
    port: int
    line: str
    at: float
    """Unix time of the last call."""
    times: int
    """How many of the last lines say so; of a socket, its repetitions."""
    refused: bool
    """Whether the answer was a refusal: no program listens there."""
    by_socket: bool = False
    """Whether a socket shows it, not a log."""
    by_name: bool = False
    """Whether the line names the other container, and its address is the present one."""
    is_outside: bool = False
    """Whether no container has the address: a machine outside is intended."""
    moments: tuple[float, ...] = ()
    """Unix times of the lines that say so; empty for a socket."""

    @property
    def key(self) -> ContainerCall:
        """The key that distinguishes calls."""
        return ContainerCall(self.container.id, self.address, self.port)

    def since(self, moment: float | None) -> FailingCall | None:
        """The same calls without those before a Unix time; None where none is left."""
        if moment is None or not self.moments:
            return self
        later = tuple(at for at in self.moments if at >= moment)
        return msgspec.structs.replace(self, times=len(later), moments=later) if later else None

    @property
    def seen_in(self) -> str:
        """The source of `line`: socket or log."""
        return "socket" if self.by_socket else "log"


class FailingCalls(Items[FailingCall], frozen=True):
    """The calls that failed within the last minutes, by container, address and port."""

    unread: tuple[Unexamined, ...] = ()
    """The containers whose logs were not read."""


@evidence
def failing_calls(
    containers: Containers,
    networks: Networks,
    recent_logs: RecentLogs,
    links: Interfaces,
    network_losses: NetworkLosses | None,
    clock: Clock,
    info: Info | None,
) -> FailingCalls:
    """The failed calls of the last minutes, by lines and sockets. A line tells more. Pure."""
    callers = [container for container in containers.running if not container.shares_host_network]
    logged = by_key(
        (call.key, call)
        for call in _logged_calls(callers, containers, networks, recent_logs)
        if not links.holds(call.address) and _is_of_server(call, containers)
    )
    calls = {place: _together(repeated) for place, repeated in logged.items()}
    for call in _waiting_calls(network_losses, networks, clock):
        if not links.holds(call.address):
            calls.setdefault(call.key, call)
    pools = engine_pools(info) if info is not None else ()
    marked = (
        msgspec.structs.replace(
            call, is_outside=is_never_given(call.address, call.network, containers, pools)
        )
        for call in calls.values()
    )
    return FailingCalls(tuple(marked), recent_logs.left_out(callers))


def _together(repeated: Sequence[FailingCall]) -> FailingCall:
    """Calls to the same place as the last of them, with the times of all."""
    moments = tuple(call.at for call in repeated)
    return msgspec.structs.replace(repeated[-1], times=len(repeated), moments=moments)


def _logged_calls(
    callers: Iterable[Container], containers: Containers, networks: Networks, logs: RecentLogs
) -> Iterator[FailingCall]:
    """The failed calls in log lines, by their address or by a name."""
    names = _addresses_by_name(containers)
    for container in callers:
        for line in logs.of(container):
            if _signs(line.text) & FOUND_NOBODY:
                yield from (
                    _calls(container, networks, line)
                    or _calls_by_name(container, names, networks, line)
                    or _calls_without_port(container, names, networks, line)
                )


def _waiting_calls(
    network_losses: NetworkLosses | None, networks: Networks, clock: Clock
) -> Iterator[FailingCall]:
    """The calls whose answer a socket waits for now."""
    for loss in network_losses or ():
        for call in loss.calls:
            network = _bridge_of(call.address, networks)
            if network is None:
                continue
            yield FailingCall(
                loss.container,
                network=network,
                address=call.address,
                port=call.port,
                line=f"no answer, asked again {count(call.repeats, 'time')}",
                at=clock.wall,
                times=call.repeats + 1,
                refused=False,
                by_socket=True,
            )


def _is_of_server(call: FailingCall, containers: Containers) -> bool:
    """Whether the port is that of a server: a high one beside an address may be a caller's own,
    unless the container that has the address publishes that port of the host."""
    if call.port < EPHEMERAL or call.by_name:
        return True
    peer = containers.by_place.get((call.network.name, call.address))
    published = peer.published_by("tcp") if peer is not None else ()
    return any(binding.host_port == call.port for binding in published)


def _signs(text: str) -> frozenset[str]:
    """The classes of error in a line; "refused" also for a client that gives no reason.

    Where the line is about a neighbour that exists, its port has not answered.
    """
    known_signs = signs(text)
    if known_signs & FOUND_NOBODY:
        return known_signs
    fails_without_reason = _WITHOUT_REASON.search(text) and not _SLOW_CURL.search(text)
    if fails_without_reason or _AT_ONCE.search(text):
        return known_signs | {"refused"}
    return known_signs


def _calls(container: Container, networks: Networks, line: RecentLine) -> list[FailingCall]:
    """The calls of a line that names an address of a network of the engine."""
    calls = []
    for match in (*_PLACE.finditer(line.text), *_PLACE6.finditer(line.text)):
        port = int(match["port"])
        network = _bridge_of(match["address"], networks)
        if network is None:
            continue
        calls.append(_call(container, network, match["address"], port, line))
    return calls


def _call(
    container: Container,
    network: Network,
    address: str,
    port: int,
    line: RecentLine,
    *,
    by_name: bool = False,
) -> FailingCall:
    """The call that a line of a log says to have failed."""
    return FailingCall(
        container,
        network=network,
        address=address,
        port=port,
        line=quoted(line.text),
        at=line.at,
        times=1,
        refused="refused" in _signs(line.text),
        by_name=by_name,
    )


def _addresses_by_name(containers: Containers) -> dict[tuple[str, str], str]:
    """By network and name, the address of the running container that has the name there."""
    addresses: dict[tuple[str, str], str] = {}
    for container in containers.running:
        for network, endpoint in container.endpoints.items():
            names = {container.name, *(endpoint.aliases or ()), *(endpoint.dns_names or ())}
            if endpoint.ip_address:
                addresses |= {(network, name): endpoint.ip_address for name in names}
    return addresses


def _calls_by_name(
    container: Container,
    addresses: dict[tuple[str, str], str],
    networks: Networks,
    line: RecentLine,
) -> list[FailingCall]:
    """The calls of a line that names another container instead of its address."""
    calls = []
    for match in _NAMED_PLACE.finditer(line.text):
        for name in container.endpoints:
            address = addresses.get((name, match["name"]), "")
            network = _bridge_of(address, networks) if address else None
            if network is not None and network.name == name:
                port = int(match["port"])
                calls.append(_call(container, network, address, port, line, by_name=True))
    return calls


def _calls_without_port(
    container: Container,
    addresses: dict[tuple[str, str], str],
    networks: Networks,
    line: RecentLine,
) -> list[FailingCall]:
    """The calls of a line that has the address of a container, and not its port.

    The port comes from the caller's settings. Where they name several ports of that container, the
    call is left out.
    """
    calls = []
    for match in _BARE_ADDRESS.finditer(line.text):
        network = _bridge_of(match["address"], networks)
        if network is None:
            continue
        names = {
            name
            for (network_name, name), address in addresses.items()
            if network_name == network.name and address == match["address"]
        }
        port = only(_configured_ports(container, names))
        if port is not None:
            calls.append(_call(container, network, match["address"], port, line, by_name=True))
    return calls


def _configured_ports(container: Container, names: set[str]) -> set[int]:
    """The ports that the command and the variables of a container name with one of these names."""
    values = container.config.variable_values
    ports: set[int] = set()
    for text in (*container.command, *values):
        ports |= {
            int(named_place["port"])
            for named_place in _NAMED_PLACE.finditer(text)
            if named_place["name"] in names
        }
        if any(named_place["name"] in names for named_place in _PORTLESS_URL.finditer(text)):
            ports.add(_WEB_PORT)
    return ports


def _bridge_of(text: str, networks: Networks) -> Network | None:
    try:
        return networks.bridge_of(ip_address(text))
    except ValueError:
        return None
