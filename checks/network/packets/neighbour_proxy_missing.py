"""network.neighbour-proxy-missing: the uplink's router does not find containers over IPv6."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.gateways.unproxied_addresses import (
    UnproxiedAddresses,
    UnproxiedNetwork,
)
from diagnose.mappings import names_of, subjects_of
from diagnose.model import CheckResult, Finding, Severity, Skipped, Subject
from diagnose.phrases import agree, and_more, named
from diagnose.registry import check


@check(
    "network.neighbour-proxy-missing",
    severity=Severity.critical,
    causes=["dns.upstream-unreachable", "network.call-unanswered"],
    aloud=(
        "has IPv6 addresses that its router may not find",
        "have IPv6 addresses that their router may not find",
    ),
)
def neighbour_proxy_missing(unproxied_addresses: UnproxiedAddresses) -> CheckResult:
    """The router asks the link for a container's IPv6 address, and nobody answers.

    A Docker network was given a part of the prefix that is on the link of the uplink, as a provider
    with a single /64 invites. The router takes these addresses for neighbours of its own. Their
    packets leave the host, and what is sent to them never arrives, until the host answers neighbour
    discovery for each (proxy_ndp), or a router has a route for them.

    It is a warning where the containers have IPv4 too, and advice where no request of theirs waits
    for an answer: the router may have a route that this host cannot see. Networks whose addresses
    are translated are left out, and a host with a program that answers for others, as ndppd.
    """
    if not unproxied_addresses.judged:
        return Skipped("no container sends packets from an address of an uplink's own IPv6 prefix")
    yield from map(_finding, unproxied_addresses)


def _finding(unproxied: UnproxiedNetwork) -> Finding:
    names = names_of(unproxied.members)
    addresses = list(unproxied.addresses)
    uplink = unproxied.uplink
    them = agree(addresses, "it", "them")
    loss = f"packets to {them} never arrive"
    if not unproxied.waiting:
        loss = f"packets to {them} do not arrive unless the router has a route of its own"
    return Finding(
        subject=unproxied.network.subject,
        summary=f"{unproxied.network}: {named('container', names)} {agree(names, 'has', 'have')} "
        f"{and_more(addresses)}, of the prefix {unproxied.prefix} that is on the link of interface "
        f'"{uplink}", and the host does not answer for {them} there: {loss}',
        evidence={
            "prefix on the link": f"{unproxied.prefix} dev {uplink}",
            "addresses of containers": addresses,
            f"net.ipv6.conf.{uplink}.proxy_ndp": int(unproxied.is_proxy_on),
            "without an answer": names_of(unproxied.waiting) or "no request is seen to wait",
        },
        variables={
            "uplink": uplink,
            "addresses": " ".join(addresses),
            "network": unproxied.network.name,
        },
        severity=_severity(unproxied),
        touches=(Subject("interface", uplink), *subjects_of(unproxied.members)),
        signs=NO_WAY_OUT,
        recheck=tuple(container.run for container in unproxied.members),
    )


def _severity(unproxied: UnproxiedNetwork) -> Severity:
    if not unproxied.waiting:
        return Severity.advice
    has_ipv4 = all(container.has_ipv4 for container in unproxied.members)
    return Severity.warning if has_ipv4 else Severity.critical
