"""firewall.arp-dropped: rules of nftables that drop ARP."""

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.gateways.arp_filters import ArpFilter, ArpFilters
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.rules.rule_programs import place_of
from diagnose.mappings import by_key, names_of, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped, Unexamined
from diagnose.model.subjects import HOST, Subject
from diagnose.phrases import named, numbered
from diagnose.registry import check

_AT_DEVICE = "netdev"


@check("firewall.arp-dropped", severity=Severity.critical)
def arp_dropped(arp_filters: ArpFilters) -> CheckResult:
    """A rule drops ARP, by which IPv4 neighbours find each other.

    A chain of nftables of the family arp with the policy drop knows no rule of the other families,
    and one of the family netdev, at an interface, drops what it does not name: nobody learns a
    hardware address any more. Containers do not find their gateway, and the host finds neither its
    containers nor its router, as soon as the entries that they have are old. Rules about single
    addresses or machines, as keepalived and LVS write them, count only where the host gets no
    answer from a container or its router. Interfaces are left out on which all of them have
    permanent entries, and on which everybody else answers.
    """
    if arp_filters.why_none:
        return Skipped(arp_filters.why_none)
    if not arp_filters.chains:
        return Skipped("nftables has no chain of the family arp, and none at these interfaces")
    certain = [arp_filter for arp_filter in arp_filters if arp_filter.is_certain]
    for step, items in by_key((arp_filter.by, arp_filter) for arp_filter in certain).items():
        yield _finding(step, items)
    for arp_filter in arp_filters:
        if not arp_filter.is_certain and arp_filter.is_felt:
            subject = Subject("interface", arp_filter.device)
            yield Unexamined(subject, f"the verdict on ARP depends on {arp_filter.by}")


def _finding(step: Step, arp_filters: list[ArpFilter]) -> Finding:
    devices = sorted({arp_filter.device for arp_filter in arp_filters})
    members = {member.id: member for arp_filter in arp_filters for member in arp_filter.members}
    names = sorted(names_of(members.values()))
    victims_clause = (
        f": {named('container', names)} can neither be reached nor reach others" if names else ""
    )
    return Finding(
        subject=HOST,
        summary=(
            f"{step} drops ARP on {numbered('interface', devices)}, without which machines cannot "
            f"find each other over IPv4{victims_clause}"
        ),
        evidence={**step.evidence, "interfaces": devices, "containers": names},
        variables=_variables(step),
        discriminator=step.key,
        touches=(
            *(Subject("interface", device) for device in devices),
            *(
                Subject("network", arp_filter.network)
                for arp_filter in arp_filters
                if arp_filter.network
            ),
            *subjects_of(members.values()),
        ),
        signs=NO_WAY_OUT,
    )


def _variables(step: Step) -> PageVariables:
    """The page variables with the chain, for the block of its family: at a device IP passes too."""
    place = place_of(step)
    if place.get("nft_family") != _AT_DEVICE:
        return place
    return {"device_table": place["nft_table"], "device_chain": place["nft_chain"]}
