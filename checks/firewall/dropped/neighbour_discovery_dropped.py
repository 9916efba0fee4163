"""Neighbour discovery of IPv6, which rules can drop as they can drop no ARP."""

from collections import defaultdict
from collections.abc import Sequence

from checks.firewall.helpers import with_bridges
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.gateways.neighbour_discovery import NeighbourDiscovery, NeighbourLink
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.rules.rule_programs import place_of
from diagnose.mappings import names_of, subjects_of
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped, Subject, Unexamined
from diagnose.phrases import and_more, named
from diagnose.registry import check


@check("firewall.neighbour-discovery-dropped", severity=Severity.critical)
def neighbour_discovery_dropped(neighbour_discovery: NeighbourDiscovery) -> CheckResult:
    """A rule drops the ICMPv6 messages by which IPv6 neighbours find each other.

    They are neighbour solicitations (type 135) and advertisements (136). IPv4 has ARP for this,
    which iptables never sees. An input chain that accepts established connections and some ports
    drops them: then a container does not find its gateway, and the host neither its containers nor
    its router.
    """
    if neighbour_discovery.why_none:
        return Skipped(neighbour_discovery.why_none)
    if not len(neighbour_discovery):
        return Skipped("no running container has an IPv6 address on a bridge network")
    links_by_step: dict[Step, list[NeighbourLink]] = defaultdict(list)
    for link in neighbour_discovery:
        certain = [message for message in link.lost if message.is_certain]
        if certain:
            links_by_step[certain[0].obstacle.by].append(link)
        elif link.lost:
            subject = link.network.subject if link.network else Subject("interface", link.device)
            yield Unexamined(subject, f"the verdict depends on {link.lost[0].obstacle.by}")
    for step, links in links_by_step.items():
        yield _finding(step, links)


def _finding(step: Step, links: Sequence[NeighbourLink]) -> Finding:
    first = links[0]
    message = next(message for message in first.lost if message.is_certain)
    networks = {link.network.name: link.network for link in links if link.network is not None}
    members = {member.id: member for link in links for member in link.members}
    names = sorted(names_of(members.values()))
    has_ipv4 = all(member.has_ipv4 for member in members.values())
    return Finding(
        subject=HOST,
        summary=(
            f"IPv6 does not work {_place_clause(links)}: {step} drops neighbour discovery (ICMPv6); "
            f"{named('container', names)} cannot {_unfound_clause(links)} over IPv6"
        ),
        evidence={
            **step.evidence,
            "dropped": f"{message.message} of {message.sender} on {first.device}",
            "containers with IPv6": names,
        },
        variables=place_of(step, "ip6") or {"zone_bridge": first.device},
        discriminator=step.key,
        severity=Severity.warning if has_ipv4 else None,
        touches=(
            *with_bridges(networks.values()),
            *(Subject("interface", link.device) for link in links),
            *subjects_of(members.values()),
        ),
        signs=NO_WAY_OUT,
    )


def _place_clause(links: Sequence[NeighbourLink]) -> str:
    networks = sorted({link.network.name for link in links if link.network is not None})
    uplinks = [link.device for link in links if link.place == "uplink"]
    places = [f"on {named('network', networks)}"] if networks else []
    if uplinks:
        places.append(f"on uplink {and_more(uplinks)}")
    return " and ".join(places)


def _unfound_clause(links: Sequence[NeighbourLink]) -> str:
    places = {link.place for link in links}
    if places == {"containers"}:
        return "reach each other"
    if places == {"uplink"}:
        return "get beyond this host"
    return "reach this host or get beyond it"
