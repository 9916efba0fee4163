"""network.clients-hidden: a program refuses clients who all seem to be its network's gateway."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.engine.port_drivers import HIDES_CLIENTS, KEEPS_CLIENTS, OPTION, port_drivers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.calls.client_refusals import (
    LIMITS,
    Refusals,
    RefusingContainers,
    refusal_of,
)
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.paths.published.translated_clients import AllTranslatedClients
from diagnose.evidence.network.proxies.client_sources import (
    LEAST_VISITORS,
    fronts_of,
    is_limit_of,
    passes_visitors_on,
    ports_of_ipv6,
    publishes_on,
    sees_only,
    web_server_before,
)
from diagnose.evidence.network.proxies.gateway_clients import GatewayInLog, is_sender, named_gateway
from diagnose.evidence.network.rules.rule_programs import program_of
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.first_steps.network.network_steps import with_ipv6
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, EvidenceGroup, Finding, PageVariables, Severity, Skipped
from diagnose.model.units import Count
from diagnose.phrases import shortened
from diagnose.registry import check


class EngineKind(EvidenceGroup, frozen=True):
    """The kind of the engine that takes calls to published ports."""

    info: Info | None
    ping: Ping | None

    @property
    def is_rootless(self) -> bool:
        return self.info is not None and self.info.is_rootless

    @property
    def is_podman(self) -> bool:
        return self.ping is not None and self.ping.is_podman


class HostSide(EvidenceGroup, frozen=True):
    """Evidence of the host's own addresses, and of the programs that listen there."""

    interfaces: Interfaces | None
    listeners: Listeners | None
    processes: Processes | None


@check("network.clients-hidden", severity=Severity.warning)
def clients_hidden(
    containers: Containers,
    recent_logs: RecentLogs,
    networks: Networks,
    host: HostSide,
    engine: EngineKind,
    translated: AllTranslatedClients | None,
    clock: Clock,
    *,
    least: Count = Count(3),
) -> CheckResult:
    """A program refuses its clients, who all seem to be its network's gateway.

    On a network without IPv6, docker-proxy accepts IPv6 clients and calls the container itself: the
    program sees the gateway in place of each of them. Lists of allowed addresses, limits of
    requests and bans hit all of them at once. IPv4 clients keep their address, unless they call
    from the host itself. The program's own log shows the refusals. A host that has only link-local
    IPv6 addresses is left out.

    Requests that a web server of the host itself passes on come from the gateway too: a limit or a
    ban by that address then hits all visitors, where the container does not take their addresses
    from a header. The same goes for what a proxy in another container passes on: all its visitors
    have the proxy's address. It is advice where nothing is refused, and the program's log has that
    one address while the log of the proxy has several.

    A rule of the packet filter that translates the source of what comes in does the same.
    RootlessKit's port driver `builtin` hides all clients of a rootless engine, over IPv4 as well.
    """
    refusals = Refusals(containers, recent_logs, clock, least)
    if engine.is_rootless and port_drivers(host.processes) == {HIDES_CLIENTS}:
        yield from _rootless_findings(refusals, networks)
        yield from recent_logs.left_out(containers.running)
        return None
    if engine.is_rootless or engine.is_podman:
        return Skipped("no docker-proxy stands between clients and containers")
    by_rule = list(_translated_findings(refusals, translated))
    yield from by_rule
    fronts = fronts_of(containers, host.listeners)
    yield from _passed_on_findings(refusals, fronts, networks)
    processes = host.processes
    proxies = [
        container for container in containers.running if passes_visitors_on(container, processes)
    ]
    for network in networks.bridges:
        yield from _proxy_limited_findings(refusals, proxies, network)
        yield from _unseen_findings(recent_logs, proxies, containers, network)
    interfaces = host.interfaces
    has_ipv6_clients = interfaces is None or interfaces.has_ipv6_for_others
    asks_for_ipv6 = has_ipv6_clients and not by_rule
    if asks_for_ipv6:
        yield from _ipv6_findings(refusals, networks, host.listeners, engine.ping)
        yield from _unseen_senders_findings(refusals, networks, engine.ping)
    has_hiding_place = bool(translated or fronts or proxies)
    if asks_for_ipv6 or has_hiding_place:
        yield from recent_logs.left_out(containers.running)


def _translated_findings(
    refusals: Refusals, translated: AllTranslatedClients | None
) -> Iterator[Finding]:
    """Findings about networks whose clients get the gateway's address from a rule of the host."""
    for translation in translated or ():
        network = translation.network
        rule = translation.rule
        endpoint = translation.container.endpoints.get(network.name)
        gateway = endpoint.gateway if endpoint is not None else ""
        refusing = refusals.on(network, refusal_of(gateway))
        if not gateway or not refusing:
            continue
        yield Finding.about(
            translation.container,
            f"{refusing.clause} clients with the address {gateway} of the gateway of {network}: "
            f"{rule} gives it to all clients of published ports",
            refusing.evidence | {"published port looked at": translation.host_port},
            touches=(network.subject, *refusing.subjects),
            variables=_exception_variables(rule, network),
        )


def _exception_variables(rule: Step, network: Network) -> PageVariables:
    """The page variables for a rule before this one, where iptables has written it."""
    if program_of(rule) != "iptables" or not network.subnets:
        return {"translating": str(rule)}
    return {"bridge": network.bridge, "subnet": str(network.subnets[0])}


def _passed_on_findings(
    refusals: Refusals, fronts: Mapping[str, str], networks: Networks
) -> Iterator[Finding]:
    """Findings about visitors whom a web server of the host passes on to a published port.

    One finding for each network: about the first container with a published port that refuses them
    itself, else about the first one.
    """
    bridges = networks.bridges if fronts else ()
    for network in bridges:
        members = refusals.containers.running_on(network.name)
        edges = [member for member in members if member.name in fronts]
        gateways = [edge.endpoints[network.name].gateway for edge in edges]
        if not edges or not gateways[0]:
            continue
        limiting = refusals.on(network, refusal_of(gateways[0], LIMITS))
        if limiting:
            edge = next((edge for edge in edges if edge.name in limiting.lines), edges[0])
            yield _passed_on_finding(edge, network, gateways[0], fronts[edge.name], limiting)


def _passed_on_finding(
    edge: Container, network: Network, gateway: str, front: str, limiting: RefusingContainers
) -> Finding:
    subnet = str(network.subnets[0]) if network.subnets else ""
    return Finding.about(
        edge,
        f"{limiting.clause} clients with address {gateway}, the gateway of {network}: all visitors "
        f"that {front} of this host passes on to {edge} have it, unless a header gives their own",
        limiting.evidence | {"web server of the host": front},
        touches=(network.subject, *limiting.subjects),
        variables=present({"passed_on_to": edge.name, "front": front, "trusted": subnet}),
    )


_NEXTCLOUD = LazyPattern(r"(?<!linuxserver/)\bnextcloud(?:[:@]|$)")


def _proxy_limited_findings(
    refusals: Refusals, proxies: Sequence[Container], network: Network
) -> Iterator[Finding]:
    """Findings about containers of a network that limit or ban the address of a proxy
    beside them."""
    addresses = {
        proxy.id: proxy.endpoints[network.name].ip_address
        for proxy in proxies
        if network.name in proxy.endpoints
    }
    if not addresses:
        return
    limiting = refusals.on(network, lambda text: bool(LIMITS.search(text))).containers
    for server, proxy in itertools.product(limiting, proxies):
        address = addresses.get(proxy.id, "")
        lines = refusals.of(server, is_limit_of(address)) if address else ()
        if lines and server.id != proxy.id:
            yield _proxy_limited_finding(server, proxy, address, lines)


def _proxy_limited_finding(
    server: Container, proxy: Container, address: str, lines: Sequence[RecentLine]
) -> Finding:
    cure = {"nextcloud": server.name} if _is_nextcloud(server) else {"behind": server.name}
    return Finding.about(
        server,
        f"{server} refuses clients with the address {address} of {proxy}: all visitors that it passes "
        "on come with it, unless their own address is taken from a header",
        {"log": shortened(lines[-1].text), "refusals in its last lines": len(lines)},
        touches=(proxy.subject,),
        variables={**cure, "proxy": proxy.name, "proxy_address": address},
    )


def _unseen_findings(
    logs: RecentLogs, proxies: Sequence[Container], containers: Containers, network: Network
) -> Iterator[Finding]:
    """Advice about programs whose access log has the address of the proxy for each visitor."""
    for proxy in proxies:
        endpoint = proxy.endpoints.get(network.name)
        address = endpoint.ip_address if endpoint is not None else ""
        visitors = {line.address for line in logs.requests_of(proxy)} - {""}
        if not address or len(visitors) < LEAST_VISITORS:
            continue
        for program in containers.running_on(network.name):
            if program.id != proxy.id and sees_only(address, visitors, logs, program):
                yield _unseen_finding(program, proxy, address, len(visitors))


def _unseen_finding(program: Container, proxy: Container, address: str, visitors: int) -> Finding:
    return Finding.about(
        program,
        f"{program} sees all its visitors as one, {address} of {proxy}: the log of the proxy has "
        f"{visitors} addresses, and that of the program this one alone",
        {"addresses in the log of the proxy": visitors, "address in its own log": address},
        severity=Severity.advice,
        discriminator="unseen",
        touches=(proxy.subject,),
        variables={"behind": program.name, "proxy": proxy.name, "proxy_address": address},
    )


def _is_nextcloud(container: Container) -> bool:
    """Whether Nextcloud's own command can add a trusted proxy.

    The build of linuxserver has the command and its user under other names.
    """
    return _NEXTCLOUD.search(container.config.image) is not None


def _ipv6_findings(
    refusals: Refusals, networks: Networks, listeners: Listeners | None, ping: Ping | None
) -> Iterator[Finding]:
    """Findings about containers that refuse the gateway of a network without IPv6, from which
    all IPv6 clients come."""
    for container in refusals.containers.running:
        if web_server_before(container, listeners):
            continue
        gateway_in_log = named_gateway(container, refusals, networks, refusal_of)
        if gateway_in_log is not None:
            finding = _ipv6_finding(container, gateway_in_log)
            yield finding.with_variables(with_ipv6(gateway_in_log.network, ping))


def _ipv6_finding(container: Container, gateway_in_log: GatewayInLog) -> Finding:
    network = gateway_in_log.network
    gateway = gateway_in_log.gateway
    lines = gateway_in_log.lines
    return Finding.about(
        container,
        f"{container} refuses clients with the address {gateway} of its gateway: all IPv6 "
        f"clients get it, because {network} has no IPv6",
        {
            "log": shortened(lines[-1].text),
            "refusals in its last lines": len(lines),
            "EnableIPv6": network.enable_ipv6,
            "published for IPv6": ", ".join(ports_of_ipv6(container)),
        },
        touches=(network.subject,),
    )


_MAIL = frozenset({25, 465, 587})


def _unseen_senders_findings(
    refusals: Refusals, networks: Networks, ping: Ping | None
) -> Iterator[Finding]:
    """Advice about mail servers whose log has the gateway for clients, as for all that come over
    IPv6.

    Their lists of networks that may send mail have the gateway's address.
    """
    for container in refusals.containers.running:
        if not any(port.number in _MAIL for port in container.published_by("tcp")):
            continue
        gateway_in_log = named_gateway(container, refusals, networks, is_sender)
        if gateway_in_log is not None:
            finding = _unseen_senders_finding(container, gateway_in_log)
            yield finding.with_variables(with_ipv6(gateway_in_log.network, ping))


def _unseen_senders_finding(container: Container, gateway_in_log: GatewayInLog) -> Finding:
    network = gateway_in_log.network
    gateway = gateway_in_log.gateway
    lines = gateway_in_log.lines
    return Finding.about(
        container,
        f"{container} takes clients for its gateway {gateway}, as it does all that arrive over "
        f"IPv6, because {network} has no IPv6: if it trusts that address, they may send mail "
        "as neighbours do",
        {
            "log": shortened(lines[-1].text),
            "published for IPv6": ", ".join(ports_of_ipv6(container)),
        },
        severity=Severity.advice,
        discriminator="senders",
        touches=(network.subject,),
    )


def _rootless_findings(refusals: Refusals, networks: Networks) -> Iterator[Finding]:
    """Findings about containers that refuse the gateway from which all clients of a network's
    published ports seem to come.

    The program may stand behind a proxy, which passes on the address that it saw.
    """
    for container in refusals.containers.running:
        for network, endpoint in networks.places_of(container):
            servers = [container, *refusals.containers.beside(container)]
            if not endpoint.gateway or not publishes_on(network, servers):
                continue
            lines = refusals.of(container, refusal_of(endpoint.gateway))
            if lines:
                yield Finding.about(
                    container,
                    f"{container} refuses clients with the address {endpoint.gateway} of its "
                    "gateway: all clients get it, because the port driver of this rootless engine "
                    f"is {HIDES_CLIENTS}",
                    {
                        "log": shortened(lines[-1].text),
                        "refusals in its last lines": len(lines),
                        "rootlesskit": f"{OPTION}={HIDES_CLIENTS}",
                    },
                    touches=(network.subject,),
                    variables={"driver": KEEPS_CLIENTS},
                )
                break
