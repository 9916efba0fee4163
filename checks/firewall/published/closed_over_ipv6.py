"""firewall.closed-over-ipv6: a web port is open over IPv4 and closed over IPv6."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.published.closed_over_ipv6 import ClosedOverIpv6, ClosedPort
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.rules.rule_programs import place_of
from diagnose.first_steps.network import rule_cures
from diagnose.mappings import by_key, present, subjects_of
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import agree, joined, sentence
from diagnose.registry import check


@check("firewall.closed-over-ipv6", severity=Severity.advice)
def closed_over_ipv6(closed_over_ipv6: ClosedOverIpv6, firewall: Firewall | None) -> CheckResult:
    """A web port is open over IPv4, and a rule closes it over IPv6.

    The engine's rules lead IPv4 clients past the rules for the host's own programs. IPv6 clients of
    a container without IPv6 come to docker-proxy, a program of the host. Where the name of the site
    has an AAAA record, browsers wait before they take IPv4, and Let's Encrypt gives no certificate.
    It is a warning where a log says that a call to the host's IPv6 address failed.
    """
    if not closed_over_ipv6.walked:
        return Skipped("no web port is published on a host with an address of the IPv6 internet")
    for closed in by_key((port.obstacle.by, port) for port in closed_over_ipv6).values():
        yield _finding(closed, firewall)


def _finding(closed: list[ClosedPort], firewall: Firewall | None) -> Finding:
    first = closed[0]
    step = first.obstacle.by
    ports = sorted({port.host_port for port in closed})
    shown_ports = f"{agree(ports, 'port', 'ports')} {joined(list(map(str, ports)))}"
    return Finding(
        subject=HOST,
        summary=sentence(
            f"published {shown_ports} {agree(ports, 'is', 'are')} open over IPv4 but closed over "
            f"IPv6 at {first.address}: {step} drops the clients",
            "a log says that a call to this address failed" if first.line else "",
        ),
        evidence=present({**step.evidence, "address": first.address, "log": first.line}),
        variables=_cure(first, ports, firewall),
        discriminator=step.key,
        severity=Severity.warning if first.line else None,
        touches=subjects_of(port.container for port in closed),
        signs=NO_WAY_OUT if first.line else frozenset(),
    )


def _cure(first: ClosedPort, ports: list[int], firewall: Firewall | None) -> PageVariables:
    """The page variables with the rule's place; ufw opens a port for both families, unless it has
    no rules for IPv6.

    With `IPV6=no` it drops all of IPv6, and writes no chain of its own for it.
    """
    step = first.obstacle.by
    address = {"address": first.address}
    place = place_of(step, "ip6")
    if first.obstacle.hook != "input" or "program" not in place:
        return {**address, "closed_by": step.chain}
    if rule_cures.has_ufw(firewall, "ip6"):
        return {**address, "ufw_ports": ",".join(map(str, ports))}
    if rule_cures.has_ufw(firewall):
        return {**address, "ufw_file": "/etc/default/ufw"}
    return {**address, **place, "ports": ",".join(map(str, ports))}
