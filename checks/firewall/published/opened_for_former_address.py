"""Rules that open a published port for the address that its container had before."""

from collections.abc import Iterator

from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.paths.packet_paths import PacketPaths, Step
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.rules.packet_filter import AddressOpening, Firewall
from diagnose.evidence.network.rules.rule_programs import program_of
from diagnose.mappings import only, present
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.registry import check


@check("firewall.opened-for-former-address", severity=Severity.warning)
def opened_for_former_address(
    packet_paths: PacketPaths, firewall: Firewall, containers: Containers
) -> CheckResult:
    """A rule opens a published port for an address that its container no longer has.

    `ufw route allow to ADDRESS`, and rules in DOCKER-USER, name the container by its address. After
    `down` and `up` the container may have another one: the rule never matches then, and the next
    rule drops the clients. The check says nothing where another container offers the port on that
    network, running or not: the rule may be meant for that one. The same holds where a rule names
    the present address, which may let in some clients only: the other one is left over. A rule for
    some clients is advice, for the port is closed to all others on purpose.
    """
    if not packet_paths.inbound_paths:
        return Skipped(packet_paths.why_none or "no running container publishes a port")
    for inbound in packet_paths.inbound_paths:
        step = inbound.sample.by
        if not inbound.sample.is_blocked or inbound.sample.hook != "forward" or step is None:
            continue
        rule = only(list(_rules_for_nobody(inbound, firewall, containers)))
        if rule is not None:
            yield _finding(inbound, step, rule, containers)


def _rules_for_nobody(
    inbound: InboundPath, firewall: Firewall, containers: Containers
) -> Iterator[AddressOpening]:
    """The rules that open the port for an address at which no program offers it."""
    if any(_offers(other, inbound) for other in containers if other.id != inbound.container.id):
        return
    rules = [
        opened
        for subnet in inbound.network.subnets
        for opened in firewall.openings.at_addresses(
            inbound.protocol,
            inbound.container_port,
            inbound.family,
            subnet,
            iif=inbound.uplink.name,
        )
    ]
    if not any(rule.address in inbound.addresses for rule in rules):
        yield from rules


def _offers(other: Container, inbound: InboundPath) -> bool:
    is_near = inbound.network.name in other.endpoints or not other.is_running
    return is_near and str(inbound.container_port) in other.offered_ports


def _finding(
    inbound: InboundPath, step: Step, opened: AddressOpening, containers: Containers
) -> Finding:
    former = opened.address
    rule = opened.step
    holder = containers.by_place.get((inbound.network.name, former))
    holder_clause = "which no container has" if holder is None else f"which {holder} has now"
    present_address = min(inbound.addresses, default="")
    for_whom = " for some clients" if opened.is_for_some else ""
    # the page's rules are for all clients
    steps = {} if opened.is_for_some else _new_rule(inbound, opened)
    return Finding.about(
        inbound.container,
        f"published port {inbound.host_port} of {inbound.container} is closed by {step}; the rule that "
        f"should open it{for_whom} names {former}, {holder_clause}: the address of the container is "
        f"{present_address}",
        {
            "rule that should open it": str(rule),
            "decided by": str(step),
            f"address of {inbound.container.name}": present_address,
        },
        severity=Severity.advice if opened.is_for_some else None,
        discriminator=f"{inbound.host_port}/{inbound.protocol}",
        touches=(inbound.network.subject,),
        signs=NO_WAY_OUT,
        recheck=(inbound.container.run,),
        variables=steps,
    )


def _new_rule(inbound: InboundPath, opened: AddressOpening) -> PageVariables:
    """The page variables of a rule with the address of today; empty where a program that the page
    does not know has written the old one."""
    rule = opened.step
    written_by = program_of(rule)
    is_of_ufw = rule.chain.startswith(("ufw-", "ufw6-"))
    if not is_of_ufw and written_by not in ("iptables", "iptables-legacy"):
        return {}
    return present(
        {
            "program": written_by,
            "chain": rule.chain,
            "ufw": opened.address if is_of_ufw else "",
            "address": min(inbound.addresses, default=""),
            "container_port": str(inbound.container_port),
            "proto": inbound.protocol,
        }
    )
