"""Published ports: taken by others, bound to what is not there, or served by nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from checks.network._words import not_up
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import LogTails
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.listeners import Listener, Listeners, overlap
from diagnose.evidence.network.nonlocal_bind import NonlocalBind
from diagnose.model import CheckItem, Finding, Json, Seconds, Severity, Subject, Unavailable
from diagnose.registry import check

_ALLOCATED = re.compile(r"Bind for (?P<address>\S+):(?P<port>\d+) failed: port is already allocated")
_BIND = re.compile(
    r"(?:listen (?P<old>tcp|udp|sctp)[46]? (?P<oldip>\S+):(?P<oldport>\d+): bind"
    r"|failed to bind host port (?:for )?(?P<ip>\S+?):(?P<port>\d+)(?::\S+)?/(?P<proto>tcp|udp|sctp)): (?P<why>.+)"
)
"""Engines up to 27, whose proxy binds, and newer ones, which bind themselves (28.5.2: `host port for
0.0.0.0:80:172.17.0.3:80/tcp`)."""


def _publishes(container: Container, proto: str, address: str, port: int) -> bool:
    return any(
        each.partition("/")[2] == proto and binding.host_port == str(port) and overlap(binding.host_ip, address)
        for each, binding in container.published_ports
    )


def _protocols(container: Container, port: int) -> set[str]:
    """The protocols in which this host port was asked for: the engine's message does not say."""
    wanted = {each.partition("/")[2] for each, binding in container.wanted_ports if binding.host_port == str(port)}
    return wanted or {"tcp"}


def _failed(container: Container, **more: Json) -> dict[str, Json]:
    return {
        "State.Status": container.state.status,
        "State.ExitCode": container.state.exit_code,
        "State.Error": container.state.error,
        **more,
    }


@check("network.port-allocated", severity=Severity.critical)
def port_allocated(containers: Containers) -> Iterable[Finding]:
    """A container did not start because another one already has its host port.

    The engine's own allocator refuses, before the kernel is asked. An old error of a container that nobody
    means to run again looks the same: it is a warning once the port is free.
    """
    for container in not_up(containers):
        said = _ALLOCATED.search(container.state.error)
        if said is None:
            continue
        address, port = said["address"], int(said["port"])
        holders = [
            each
            for each in containers.running
            if each.id != container.id
            and any(_publishes(each, proto, address, port) for proto in _protocols(container, port))
        ]
        by = f"{holders[0].name} has it" if holders else "no running container has it now"
        yield Finding(
            subject=container.subject,
            summary=f"{container.name} did not start: host port {port} is already allocated; {by}",
            evidence=_failed(
                container,
                **{
                    f"NetworkSettings.Ports of {each.name}": sorted(each.network_settings.ports or {})
                    for each in holders
                },
            ),
            variables={"container": container.name, "port": str(port)},
            discriminator=str(port),
            severity=Severity.critical if holders else Severity.warning,
            touches=tuple(each.subject for each in holders),
            signs=signs(container.state.error),
            service=container.service,
        )


def _bind_failures(containers: Containers, why: str) -> Iterator[tuple[Container, str, str, int]]:
    """Containers whose host port could not be bound for this reason: protocol, address, port."""
    for container in not_up(containers):
        said = _BIND.search(container.state.error)
        if said is not None and why in said["why"]:
            address, port = said["ip"] or said["oldip"], said["port"] or said["oldport"]
            yield container, said["proto"] or said["old"], address.strip("[]"), int(port)


@check("network.port-held-by-process", severity=Severity.critical)
def port_held_by_process(containers: Containers, listeners: Listeners | Unavailable) -> Iterable[Finding]:
    """A container did not start because a process of the host listens on its port.

    Without root the process cannot be named. Where nobody listens any more the finding is a warning: the next
    start may succeed.
    """
    for container, proto, address, port in _bind_failures(containers, "address already in use"):
        known = isinstance(listeners, Listeners)
        held = listeners.on(proto, address, port) if isinstance(listeners, Listeners) else ()
        yield Finding(
            subject=container.subject,
            summary=f"{container.name} did not start: {proto} port {port} of the host "
            + (
                _held_by(held[0], containers)
                if held
                else "was in use" + (", nobody listens on it now" if known else "")
            ),
            evidence=_failed(
                container, **{f"listener {each.proto} {each.address}:{each.port}": each.holder for each in held}
            ),
            variables={"container": container.name, "port": str(port), "proto": proto},
            discriminator=f"{port}/{proto}",
            severity=Severity.warning if known and not held else Severity.critical,
            touches=tuple(_owner(each, containers) for each in held if each.container in containers.by_id),
            signs=signs(container.state.error),
            service=container.service,
        )


def _owner(listener: Listener, containers: Containers) -> Subject:
    return containers.by_id[listener.container or ""].subject


def _held_by(listener: Listener, containers: Containers) -> str:
    inside = containers.by_id.get(listener.container or "")
    if inside is not None:
        return f"is held by {listener.holder} of container {inside.name}"
    return f"is held by {listener.holder}"


@check("network.bind-address-missing", severity=Severity.critical)
def bind_address_missing(
    containers: Containers, links: Interfaces | Unavailable, nonlocal_bind: NonlocalBind | Unavailable
) -> Iterable[Finding]:
    """A container publishes a port on an address that the host does not have.

    A floating address or a VPN that comes up after the engine: once the host has the address the finding is a
    warning. So it is where an address has left the host under a running container, unless the host may listen on foreign
    addresses (`net.ipv4.ip_nonlocal_bind`), as a stand-by does.
    """
    if isinstance(links, Interfaces) and isinstance(nonlocal_bind, NonlocalBind) and not nonlocal_bind.allowed:
        yield from _left_behind(containers, links)
    for container, proto, address, port in _bind_failures(containers, "cannot assign requested address"):
        there = isinstance(links, Interfaces) and links.holds(address)
        yield Finding(
            subject=container.subject,
            summary=f"{container.name} did not start: the host has no address {address} to publish port {port} on"
            + (", it has it now" if there else ""),
            evidence=_failed(
                container,
                **{
                    "addresses of the host": [each.address for each in links.addresses]
                    if isinstance(links, Interfaces)
                    else str(links)
                },
            ),
            variables={"container": container.name, "address": address, "port": str(port)},
            discriminator=f"{address}:{port}/{proto}",
            severity=Severity.warning if there else Severity.critical,
            signs=signs(container.state.error),
            service=container.service,
        )


def _left_behind(containers: Containers, links: Interfaces) -> Iterator[Finding]:
    """Running containers that are published on an IPv4 address that the host no longer has."""
    for each in containers.running:
        lost: dict[str, list[str]] = {}
        for port, binding in each.published_ports:
            if "." in binding.host_ip and not links.holds(binding.host_ip):
                lost.setdefault(binding.host_ip, []).append(f"{binding.host_port} -> {port}")
        for address, published in lost.items():
            yield Finding(
                subject=each.subject,
                summary=f"{each.name} is published on {address}, which the host no longer has: port"
                f" {published[0].partition(' ')[0]} cannot be reached there",
                evidence={
                    f"NetworkSettings.Ports on {address}": published,
                    "addresses of the host": [one.address for one in links.addresses],
                    "net.ipv4.ip_nonlocal_bind": "0",
                },
                variables={"container": each.name, "address": address, "port": published[0].partition(" ")[0]},
                discriminator=address,
                severity=Severity.warning,
                stable=(each.life,),
                service=each.service,
            )


def has_own_kernel(container: Container) -> bool:
    """Whether its sockets are inside a sandbox (gVisor, Kata) and not the host kernel's."""
    return any(word in container.host_config.runtime for word in ("runsc", "gvisor", "kata"))


@check("network.published-port-not-listening", severity=Severity.warning)
def published_port_not_listening(
    containers: Containers, namespaces: Namespaces, clock: Clock, *, grace: Seconds = Seconds(20)
) -> Iterable[CheckItem]:
    """Nothing in a container listens on a port that it publishes.

    Clients are accepted by the engine's proxy and cut off at once. TCP only. It is advice where other published ports of the
    container are served: images declare more ports than they use. A stand-by that begins to listen when it is needed looks the same.
    """
    publishing = {each.subject for each in containers.running if each.published_ports}
    yield from (each for each in namespaces.unvisited if each.subject in publishing)
    for each in containers.running:
        inside = namespaces.of(each)
        age = clock.age(each.started_at)
        if inside is None or age is None or age < grace or each.state.status != "running" or has_own_kernel(each):
            continue
        wanted = dict.fromkeys(int(port.partition("/")[0]) for port, _ in each.published_ports if port.endswith("/tcp"))
        sockets = {port: inside.sockets("tcp", port) for port in wanted}
        served = [port for port, listed in sockets.items() if any(not one.is_loopback for one in listed)]
        for port, listed in sockets.items():
            if port in served:
                continue
            what = (
                f"listens on port {port} at {listed[0].address} only"
                if listed
                else f"publishes port {port} and serves nothing there"
            )
            yield Finding(
                subject=each.subject,
                summary=f"{each.name} {what}: no client can reach it",
                evidence={
                    "NetworkSettings.Ports": sorted(port for port, _ in each.published_ports),
                    "TCP sockets inside": sorted(
                        {f"{one.address}:{one.port}" for one in inside.listeners if one.protocol == "tcp"}
                    ),
                    "State.StartedAt": each.state.started_at,
                },
                variables={"container": each.name, "port": str(port)},
                discriminator=str(port),
                severity=Severity.advice if served else Severity.warning,
                stable=(each.life,),
                service=each.service,
            )


_PORT = re.compile(r":(\d{2,5})\b")
_NUMBER = re.compile(r"\b\d{2,5}\b")


def _from_command(each: Container, listeners: Listeners | Unavailable) -> int:
    """The first number of its command that is a port which somebody listens on; 0 if there is none."""
    if isinstance(listeners, Unavailable):
        return 0
    numbers = (int(number) for word in each.command for number in _NUMBER.findall(word))
    return next((number for number in numbers if listeners.on("tcp", "", number)), 0)


@check(
    "network.host-port-conflict",
    severity=Severity.critical,
    causes=["container.restart-loop", "container.exits-at-start"],
)
def host_port_conflict(
    containers: Containers, words: LogTails, listeners: Listeners | Unavailable
) -> Iterable[Finding]:
    """A container with host networking ended because its port is in use on the host.

    The engine does not know of such ports, so that only the container's own last words tell.
    """
    for each in containers:
        said = words.of(each).find("address already in use", "eaddrinuse", "address in use")
        if not each.shares_host_network or each.is_running or not said:
            continue
        named = _PORT.findall(said)
        port = int(named[-1]) if named else _from_command(each, listeners)
        held = listeners.on("tcp", "", port) if isinstance(listeners, Listeners) and port else ()
        by = f"; it {_held_by(held[0], containers)}" if held else ""
        yield Finding(
            subject=each.subject,
            summary=f"{each.name} ended: its port{f' {port}' if port else ''} is in use on the host{by}",
            evidence={
                "HostConfig.NetworkMode": each.host_config.network_mode,
                "State.ExitCode": each.state.exit_code,
                "log": said,
                **{f"listener {one.proto} {one.address}:{one.port}": one.holder for one in held},
            },
            variables={"container": each.name, "port": str(port or "PORT")},
            touches=tuple(_owner(one, containers) for one in held if one.container in containers.by_id),
            signs=frozenset({"port-taken"}),
            service=each.service,
        )
