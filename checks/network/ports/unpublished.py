"""Published ports that the engine does not publish, or publishes only on the loopback."""

import ipaddress
from collections.abc import Iterator

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.port_binding import PortBinding
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.addresses import ANY, EVERYWHERE, is_loopback, with_port
from diagnose.evidence.network.interfaces import Address, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.evidence.network.sockets.one_off_ports import OneOffPorts, OneOffs
from diagnose.mappings import names_of, only, subjects_of
from diagnose.model import (
    DAEMON,
    CheckResult,
    Finding,
    PageVariables,
    Severity,
    Skipped,
    Unavailable,
    Unexamined,
)
from diagnose.phrases import agree, and_more, named, sentence
from diagnose.registry import check

_ENTRIES = ("80", "443")
"""Ports through which users from outside come in."""


@check(
    "network.port-not-published",
    severity=Severity.warning,
    aloud=("publishes none of its ports", "publish none of their ports"),
)
def port_not_published(
    containers: Containers,
    listeners: Listeners | Unavailable,
    config: DaemonConfig | None,
    links: Interfaces | None,
    firewall: Firewall | None,
    networks: Networks | None,
    ping: Ping | None,
    one_offs: OneOffs | None,
) -> CheckResult:
    """A port that a container is configured to publish is not published.

    With the host's network the engine ignores published ports without an error: the program is
    reached at the port that it listens on. A port on an IPv6 address of the host needs docker-proxy
    or a network with IPv6.

    A container on several networks has one default route: where that leads through a macvlan
    network, the engine publishes none of its ports on the other ones either. Seen on engines
    20.10.24 and 28.5.2.

    `docker compose run` publishes none of its service's ports; that counts where it serves one of
    them and no other container of the service runs. On macvlan or ipvlan networks alone nothing is
    published: that is advice, for its clients may know the container's own address.
    """
    for one_off in one_offs or ():
        yield _one_off_finding(one_off)
    without_proxy = config
    if config is not None and config.starts_proxies:
        without_proxy = None
    for container in containers.running:
        if not container.wanted_ports:
            continue
        if container.shares_host_network:
            if isinstance(listeners, Unavailable):
                yield Unexamined(container.subject, f"the host's sockets: {listeners}")
            else:
                yield from _host_network_findings(container, listeners, firewall)
            continue
        if networks is not None:
            yield from _default_route_findings(container, networks, ping)
        if without_proxy is not None:
            yield from _ipv6_port_findings(container, without_proxy)
    if without_proxy is not None and links is not None:
        yield from _ipv4_only_findings(containers, without_proxy, links)


def _one_off_finding(one_off: OneOffPorts) -> Finding:
    container = one_off.container
    finding = Finding.about(
        container,
        f"{container} was started by docker compose run, which does not publish the ports of its "
        f"service ({and_more(one_off.ports)}): it cannot be reached from outside",
        {
            "label com.docker.compose.oneoff": "True",
            f"ports of service {container.compose_service}": list(one_off.ports),
            "HostConfig.PortBindings": "none",
        },
        recheck=(container.run,),
    )
    file = only(container.compose_files)
    if file is None:
        return finding.with_variables({"one_off": container.name})
    names = {"project": container.compose_project, "compose_file": file}
    return finding.with_variables({**names, "compose_service": container.compose_service})


_CHOOSES = (28,)
"""The first engine with an option for the network that has the default route (`--gw-priority`)."""


def _default_route_findings(
    container: Container, networks: Networks, ping: Ping | None
) -> Iterator[Finding]:
    """Findings about containers whose ports are not published, since they are only on the LAN, or
    on it too."""
    published = frozenset(container.published_names)
    missing = sorted({str(port) for port in container.wanted_ports if port.port not in published})
    attached = networks.of(container)
    direct = [network for network in attached if network.is_direct]
    bridges = [network for network in attached if network.is_bridge and not network.internal]
    if not missing or not direct:
        return
    if len(direct) == len(attached):
        yield _direct_finding(container, missing, direct[0], ping)
    elif bridges:
        finding = _default_route_finding(container, missing, attached, direct[0], bridges[0])
        yield finding.with_variables(_route_steps(direct[0], bridges[0], ping))


def _route_steps(direct: Network, bridge: Network, ping: Ping | None) -> PageVariables:
    """The page variables that move the default route, where the engine's version is known."""
    if ping is None:
        return {}
    return {"bridge_network": bridge.name} if ping.version >= _CHOOSES else {"left": direct.name}


def _direct_finding(
    container: Container, missing: list[str], lan: Network, ping: Ping | None
) -> Finding:
    """The finding about a container whose only networks are on a link of the host itself.

    The engine publishes on the network with the default route: before engine 28 that is the network
    whose name comes first.
    """
    end = container.endpoints.get(lan.name)
    address = (end.ip_address or end.global_ipv6_address) if end is not None else ""
    port = container.wanted_ports[0].number
    finding = Finding.about(
        container,
        sentence(
            f"{container} is configured to publish {agree(missing, 'port', 'ports')} "
            f"{and_more(missing)}, and the engine publishes nothing: "
            f"{lan.driver} {lan} is its only network, and no port is published there",
            f"it is reached at {with_port(address, port)}" if address else "",
        ),
        {
            "HostConfig.PortBindings": missing,
            "NetworkSettings.Ports": container.published_names,
            "networks": [f"{lan.name} ({lan.driver})"],
        },
        discriminator="default route",
        severity=Severity.advice,
        touches=(lan.subject,),
        recheck=(container.run,),
    )
    chooses = ping is not None and ping.version >= _CHOOSES
    if chooses:
        finding = finding.with_variables({"joined": "bridge"})
    return finding.with_variables({"own_address": address} if address else {})


def _default_route_finding(
    container: Container, missing: list[str], attached: list[Network], lan: Network, bridge: Network
) -> Finding:
    """The finding about a default route by the LAN. missing: the ports that are not published. lan,
    bridge: two of the networks attached."""
    return Finding.about(
        container,
        f"{container} is configured to publish {agree(missing, 'port', 'ports')} "
        f"{and_more(missing)}, and the engine publishes nothing: "
        f"its default route leads through {lan.driver} {lan}",
        {
            "HostConfig.PortBindings": missing,
            "NetworkSettings.Ports": container.published_names,
            "networks": [f"{network.name} ({network.driver})" for network in attached],
        },
        discriminator="default route",
        touches=subjects_of((lan, bridge)),
        recheck=(container.run,),
        variables={"lan": lan.name},
    )


def _host_network_findings(
    container: Container, listeners: Listeners, firewall: Firewall | None
) -> Iterator[Finding]:
    redirected = firewall.redirected_ports if firewall is not None else frozenset()
    for binding in container.wanted_ports:
        port = binding.host_port
        protocol = binding.protocol
        if not port or port == binding.number or (protocol, port) in redirected:
            continue
        if not listeners.on(protocol, ANY, port):
            serves = bool(listeners.on(protocol, ANY, binding.number))
            yield _host_network_finding(container, binding, serves=serves)


def _host_network_finding(container: Container, binding: PortBinding, *, serves: bool) -> Finding:
    """The finding about ports on the host's network. serves: its program listens at the port of the
    container, which is the host's own here."""
    port = binding.host_port
    protocol = binding.protocol
    finding = Finding.about(
        container,
        sentence(
            f"{container} is configured to publish port {binding}, "
            "but it uses the host's network, where the engine publishes nothing",
            f"it is reached at port {binding.number}" if serves else "",
        ),
        {
            "HostConfig.NetworkMode": "host",
            "HostConfig.PortBindings": str(binding),
            f"listener on port {port}": None,
        },
        discriminator=f"{port}/{protocol}",
        recheck=(container.run,),
    )
    if not serves or protocol not in ("tcp", "udp"):
        return finding
    return finding.with_variables(
        {"asked_port": str(port), "served_port": str(binding.number), "proto": protocol}
    )


def _ipv6_port_findings(container: Container, config: DaemonConfig) -> Iterator[Finding]:
    """Findings about ports on IPv6 addresses of a container that has none, where no proxy passes
    them on."""
    if container.has_ipv6:
        return
    for binding in container.wanted_ports:
        if not binding.is_ipv6:
            continue
        address = binding.host_ip
        port = binding.binding.host_port
        yield Finding.about(
            container,
            f"{container} is configured to publish port {port} on "
            f"{address}, but none of its networks has IPv6, and the userland proxy is off: "
            "nothing serves the port there",
            {
                "HostConfig.PortBindings": f"[{address}]:{binding}",
                "NetworkSettings.Ports": sorted(container.network_settings.ports or {}),
                f"userland-proxy in {config.where('userland-proxy')}": False,
            },
            discriminator=f"{address}:{port}",
            recheck=(container.run,),
        )


def _ipv4_only_findings(
    containers: Containers, config: DaemonConfig, links: Interfaces
) -> Iterator[Finding]:
    """Advice about clients that know the host's IPv6 address, and that all of these ports
    refuse."""
    addresses = [address.address for address in links.addresses if _is_public_ipv6(address)]
    members = [
        container
        for container in containers.running
        if not container.has_ipv6 and _publishes_on_all_addresses(container)
    ]
    if not addresses or not members:
        return
    address = addresses[0]
    names = sorted(names_of(members))
    yield Finding(
        subject=DAEMON,
        summary=(
            f"published ports of {named('container', names)} answer only over IPv4: the host has "
            f"{address}, the networks have no IPv6, and the userland proxy is off"
        ),
        evidence={
            "address of the host": address,
            f"userland-proxy in {config.where('userland-proxy')}": False,
        },
        variables={"proxy_json": '{"userland-proxy": true}'},
        severity=Severity.advice,
        discriminator="ipv6",
        is_quiet=True,
    )


def _publishes_on_all_addresses(container: Container) -> bool:
    return any(published.host_ip in EVERYWHERE for published in container.published_ports)


def _is_public_ipv6(address: Address) -> bool:
    """Whether an address of the host is one by which clients of the internet know it."""
    if address.family != "inet6" or address.scope != "global" or address.address is None:
        return False
    return not ipaddress.ip_address(address.address).is_private


@check("network.published-on-loopback", severity=Severity.warning)
def published_on_loopback(containers: Containers, config: DaemonConfig) -> CheckResult:
    """The engine's configuration publishes ports only on the loopback address.

    `ip` in daemon.json is the address of each port that is published without one. With 127.0.0.1
    only programs of the host reach it, for example a reverse proxy: advice, and a warning for the
    ports 80 and 443, which are entries for others.
    """
    default_address = config.value("ip")
    if not isinstance(default_address, str) or not is_loopback(default_address):
        return Skipped("the engine publishes ports on other addresses than the loopback")
    bound: dict[str, list[str]] = {}
    for container in containers.running:
        for_all = {str(binding) for binding in container.wanted_ports if not binding.host_ip}
        for published in container.published_ports:
            if str(published) in for_all and published.is_for_host_alone:
                bound.setdefault(container.name, []).append(published.binding.host_port)
    if bound:
        yield _loopback_finding(bound, default_address, config)


def _loopback_finding(
    bound: dict[str, list[str]], default_address: str, config: DaemonConfig
) -> Finding:
    entries = sorted({port for ports in bound.values() for port in ports if port in _ENTRIES})
    names = sorted(bound)
    ports_clause = "published ports"
    if entries:
        ports_clause = f"port {' and port '.join(entries)} and other published ports"
    return Finding(
        subject=DAEMON,
        summary=(
            f'{ports_clause} of {named("container", names)} answer only on this host: "ip" in '
            f"{config.where('ip')} is {default_address}"
        ),
        evidence={
            f"ip in {config.where('ip')}": default_address,
            **{f"NetworkSettings.Ports of {name}": bound[name] for name in names[:10]},
        },
        variables={"address_json": '{"ip": "0.0.0.0"}'},
        severity=None if entries else Severity.advice,
    )
