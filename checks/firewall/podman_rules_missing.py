"""The rules that Podman writes for its networks."""

import re
from ipaddress import ip_address

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import names_of, subjects_of
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped, Subject, Unavailable
from diagnose.phrases import agree, named, numbered
from diagnose.registry import check

_OWN = LazyPattern(r"netavark|^CNI", re.IGNORECASE)
"""The names of Podman's chains and tables: netavark's from Podman 4 on, before it those of CNI."""
_TRANSLATES = LazyPattern(r"masquerade|snat", re.IGNORECASE)


@check(
    "firewall.podman-rules-missing",
    severity=Severity.critical,
    causes=["dns.upstream-unreachable", "network.call-unanswered"],
)
def podman_rules_missing(
    firewall: Firewall, containers: Containers, networks: Networks, ping: Ping, info: Info | None
) -> CheckResult:
    """Podman's rules are gone from the packet filter.

    Podman writes the rules of a network when a container starts, and no process watches them:
    `nft flush ruleset`, `iptables -F` or a reload of firewalld takes them. Podman itself keeps
    running containers without a way out, and published ports without an answer. Seen with Podman
    4.3.1 and netavark. Where some other rule translates addresses, the host does it by itself.
    """
    if not ping.is_podman:
        return Skipped("the engine is not Podman")
    if info is not None and info.is_rootless:
        return Skipped("a rootless engine keeps its rules in a network namespace of its own")
    members = [member for member in containers.running if _leads_out(member, networks)]
    if not members:
        return Skipped("no running container is on a bridge that leads out")
    if firewall.hides_docker:
        return Unavailable("refused", f"the tables of {firewall.hides_docker} could not be read")
    if not _has_own(firewall) and not _translates(firewall):
        yield _finding(members)


def _has_own(firewall: Firewall) -> bool:
    """Whether any chain or table is Podman's."""
    names = {name for chain in firewall.chains for name in (chain.name, chain.table.name)}
    return any(map(_OWN.search, names))


def _translates(firewall: Firewall) -> bool:
    """Whether any rule changes the source of packets."""
    return any(_TRANSLATES.search(rule.text) for chain in firewall.chains for rule in chain.rules)


def _leads_out(container: Container, networks: Networks) -> bool:
    """Whether a container is on a bridge, by its address: Podman 4 lists "podman" as "bridge"."""
    addresses = [endpoint.ip_address for endpoint in container.endpoints.values()]
    bridges = [networks.bridge_of(ip_address(address)) for address in addresses if address]
    return any(network is not None and not network.internal for network in bridges)


def _finding(members: list[Container]) -> Finding:
    homes = sorted({name for member in members for name in member.endpoints})
    return Finding(
        subject=HOST,
        summary=(
            "Podman's rules are gone: "
            f"{named('container', sorted(names_of(members)))} cannot reach the outside"
            f"{_closed_ports(members)}"
        ),
        evidence={
            "chains of netavark or CNI": 0,
            "rules that translate addresses": 0,
            "networks": homes,
        },
        touches=(*(Subject("network", name) for name in homes), *subjects_of(members)),
        signs=NO_WAY_OUT,
        recheck=tuple(member.run for member in members),
    )


def _closed_ports(members: list[Container]) -> str:
    """The published ports that get no answer, as the end of a sentence."""
    published = (port for member in members for port in member.published_ports)
    ports = sorted({port.host_port for port in published if port.protocol in ("tcp", "udp")})
    if not ports:
        return ""
    return f"; published {numbered('port', ports)} {agree(ports, 'gets', 'get')} no answer"
