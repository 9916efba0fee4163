"""Ports that a process of the host has, and addresses that the host does not have."""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.run_evidence import failed_start_evidence
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.nonlocal_bind import NonlocalBind
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.sockets.port_connections import PortConnection, PortConnections
from diagnose.evidence.network.sockets.refused_ports import IN_USE, BindFailure, bind_failures
from diagnose.evidence.network.sockets.unbound_ports import UnboundPort, UnboundPorts
from diagnose.first_steps.network.port_holders import freeing, owner_of
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Finding, Severity, Subject, Unavailable
from diagnose.phrases import sentence
from diagnose.registry import check


@check("network.port-held-by-process", severity=Severity.critical, observed=True)
def port_held_by_process(
    containers: Containers, listeners: Listeners | None, port_connections: PortConnections | None
) -> CheckResult:
    """A container did not start because a process of the host listens on its port.

    Without root the process cannot be named. The near end of a connection that the host opened has
    a port too, and nobody listens on it. Where the port is free now, the finding is a warning: the
    next start may succeed.
    """
    for failure in bind_failures(containers, IN_USE):
        port = failure.port
        near_ends = port_connections.by_port.get(port, ()) if port_connections is not None else ()
        holders = listeners.on(failure.proto, failure.address, port) if listeners else ()
        if holders:
            state = _held_clause(holders[0], port, containers)
            finding = _port_in_use_finding(failure, state, holders)
            steps = freeing(failure.container, port, holders, containers, listeners)
            touches = _holder_subjects(holders, containers)
            yield replace(finding, touches=touches).with_variables(steps)
        elif near_ends:
            state = f"is in use by a connection to {near_ends[0].peer}{_opened_by(near_ends)}"
            variables = {"container": failure.container.name, "near_end": str(port)}
            yield replace(_port_in_use_finding(failure, state), variables=variables)
        elif listeners is not None:
            finding = _port_in_use_finding(failure, "was in use and is free now")
            steps = freeing(failure.container, port, (), containers)
            yield replace(finding, severity=Severity.warning).with_variables(steps)
        else:
            yield _port_in_use_finding(failure, "was in use")


def _port_in_use_finding(
    failure: BindFailure, state: str, holders: tuple[Listener, ...] = ()
) -> Finding:
    """The finding about a port that was in use. state: its present state, as a clause."""
    container = failure.container
    port = failure.port
    return Finding.about(
        container,
        f"{container} did not start: {failure.proto} port {port} of the host {state}",
        {**failed_start_evidence(container), **_listener_evidence(holders)},
        discriminator=f"{port}/{failure.proto}",
        severity=Severity.critical,
        signs=signs(container.state.error),
        variables={"port": str(port), "proto": failure.proto},
    )


def _opened_by(near_ends: Sequence[PortConnection]) -> str:
    """The process that opened a connection, as the end of a sentence; empty where unknown."""
    holder = next((end for end in near_ends if end.pid), None)
    return f" of {holder.comm} (pid {holder.pid})" if holder is not None else ""


def _listener_evidence(holders: tuple[Listener, ...]) -> dict[str, str]:
    """The listeners by protocol and address, as evidence."""
    return {
        f"listener {listener.proto} {listener.address}:{listener.port}": listener.holder
        for listener in holders
    }


def _holder_subjects(holders: tuple[Listener, ...], containers: Containers) -> tuple[Subject, ...]:
    """The containers that listeners belong to."""
    ids = (listener.container for listener in holders if listener.container)
    return tuple(containers.by_id[id].subject for id in ids if id in containers.by_id)


def _held_clause(listener: Listener, port: int, containers: Containers) -> str:
    """The process that has a port, and its container or unit, as the predicate of a sentence."""
    owner = owner_of(listener, port, containers)
    if owner is not None:
        return f"is held by {listener.holder} of {owner}"
    if listener.unit:
        return f"is held by {listener.holder} of {listener.unit}"
    return f"is held by {listener.holder}"


@check("network.bind-address-missing", severity=Severity.critical)
def bind_address_missing(
    containers: Containers, links: Interfaces | Unavailable, nonlocal_bind: NonlocalBind | None
) -> CheckResult:
    """A container publishes a port on an address that the host does not have.

    It may be a floating address, or one of a VPN that comes up after the engine: once the host has
    the address, the finding is a warning. It is also a warning where the host lost the address
    while the container runs, unless the host may listen on foreign addresses
    (`net.ipv4.ip_nonlocal_bind`), as a stand-by does.
    """
    interfaces = None if isinstance(links, Unavailable) else links
    if interfaces is not None and nonlocal_bind is not None and not nonlocal_bind.allowed:
        yield from _leftover_findings(containers, interfaces)
    for failure in bind_failures(containers, "cannot assign requested address"):
        container = failure.container
        address = failure.address
        is_back = interfaces is not None and interfaces.holds(address)
        addresses = str(links) if interfaces is None else interfaces.shown_addresses
        branch = "returned" if is_back else "address"
        yield Finding.about(
            container,
            sentence(
                f"{container} did not start: "
                f"the host had no address {address} to publish port {failure.port} on",
                "the host has it now" if is_back else "",
            ),
            {**failed_start_evidence(container), "addresses of the host": addresses},
            discriminator=f"{address}:{failure.port}/{failure.proto}",
            severity=Severity.warning if is_back else Severity.critical,
            signs=signs(container.state.error),
            variables={"port": str(failure.port), branch: address},
        )


def _leftover_findings(containers: Containers, links: Interfaces) -> Iterator[Finding]:
    """Findings about containers published on an IPv4 address that the host has lost."""
    for container in containers.running:
        bindings_by_address: dict[str, list[str]] = {}
        for published in container.published_ports:
            address = published.host_ip
            if "." in address and not links.holds(address):
                bindings_by_address.setdefault(address, []).append(str(published))
        for address, bindings in bindings_by_address.items():
            port = bindings[0].partition(" ")[0]
            yield Finding.about(
                container,
                f"{container} is published on {address}, "
                f"which the host no longer has: port {port} cannot be reached there",
                {
                    f"NetworkSettings.Ports on {address}": bindings,
                    "addresses of the host": links.shown_addresses,
                    "net.ipv4.ip_nonlocal_bind": "0",
                },
                discriminator=address,
                severity=Severity.warning,
                recheck=(container.run,),
                variables={"address": address, "port": port},
            )


_PORT = LazyPattern(r"(?::|\bport )(\d{2,5})\b")
_NUMBER = LazyPattern(r"\b\d{2,5}\b")
_OWN_PORT = LazyPattern(r"(?:^|_)(?:ADDR(?:ESS)?|BIND|LISTEN(?:ERS?)?|PORT|URLS)$")
_OF_A_SERVER = LazyPattern(
    r"(?:DATABASE|DB|KAFKA|MAIL|MONGO(?:DB)?|MYSQL|PG|POSTGRES(?:QL)?|REDIS|SMTP)_"
)
"""Parts of variables that name the port of another program."""


def _taken_by_settings(container: Container, listeners: Listeners | None) -> int:
    """The first port of its settings on which another program listens; 0 for none."""
    if listeners is None:
        return 0
    texts = [
        *container.command,
        *_port_variables(container),
        *(container.config.exposed_ports or {}),
    ]
    numbers = (int(number) for text in texts for number in _NUMBER.findall(text))
    return next((number for number in numbers if listeners.on("tcp", "", number)), 0)


def _port_variables(container: Container) -> Iterator[str]:
    """The values of variables that may name the port on which the program listens."""
    for name, value in container.config.environment:
        if _OWN_PORT.search(name) and not _OF_A_SERVER.search(name):
            yield value


@check(
    "network.host-port-conflict",
    severity=Severity.critical,
    causes=[
        "container.answers-with-errors",
        "container.errors-in-log",
        "container.exits-at-start",
        "container.restart-loop",
    ],
)
def host_port_conflict(
    containers: Containers,
    words: LogTails,
    listeners: Listeners | None,
    unbound_ports: UnboundPorts | None,
) -> CheckResult:
    """A container on the host's network does not get its port, which is in use.

    The engine does not know of these ports, so that only the container's own log shows them.
    Programs that listen only over UDP, as DNS servers may, are found too. A running program that
    asks for a port over TCP again and again is found while another program listens there, unless
    that is a copy of itself: a warning where it listens elsewhere too.
    """
    for unbound in unbound_ports or ():
        yield _unbound_finding(unbound, containers)
    for container in containers:
        line = words.of(container).find(IN_USE, "eaddrinuse", "address in use")
        runs_well = container.is_running and container.id not in words.begun_again
        if not container.shares_host_network or runs_well or not line:
            continue
        ports = _PORT.findall(line)
        port = int(ports[-1]) if ports else _taken_by_settings(container, listeners)
        holders = _holders(port, listeners)
        port_clause = f"port {port}" if port else "port"
        is_known = bool(port) and listeners is not None
        state_clause = "was in use, and is free now" if is_known else "is in use"
        if holders:
            state_clause = _held_clause(holders[0], port, containers)
        steps = freeing(container, port, holders, containers) if is_known else {}
        yield Finding.about(
            container,
            f"{container} ended: its {port_clause} on the host {state_clause}",
            {
                "HostConfig.NetworkMode": container.host_config.network_mode,
                "State.ExitCode": container.state.exit_code,
                "log": line,
                **_listener_evidence(holders),
            },
            touches=_holder_subjects(holders, containers),
            signs=frozenset({"port-taken"}),
            variables=steps,
        )


def _unbound_finding(unbound: UnboundPort, containers: Containers) -> Finding:
    """The finding about a program that runs, and waits for a port of the host."""
    container = unbound.container
    port = unbound.port
    holders = unbound.holders
    holder_clause = _held_clause(holders[0], port, containers)
    return Finding.about(
        container,
        f"{container} runs without its port: port {port} of the host {holder_clause}",
        unbound.evidence | _listener_evidence(holders),
        severity=Severity.warning if unbound.serves else Severity.critical,
        discriminator=str(port),
        touches=_holder_subjects(holders, containers),
        signs=frozenset({"port-taken"}),
        variables=freeing(container, port, holders, containers),
    )


def _holders(port: int, listeners: Listeners | None) -> tuple[Listener, ...]:
    """The listeners on a port of the host, over TCP or else over UDP."""
    if listeners is None or not port:
        return ()
    return listeners.on("tcp", "", port) or listeners.on("udp", "", port)
