"""The engine's own rules: the chains, the translation of addresses on the way out, the published ports on the way in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from checks.firewall._words import (
    Judged,
    base,
    count,
    is_lost,
    left_alone,
    port_list,
    proxied,
    repair_of,
    shortened,
    subjects_of,
    unsure,
)
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.lost_rules import LostRules
from diagnose.evidence.network.packet_paths import Egress, Firewall, Ingress, PacketPaths
from diagnose.model import HOST, Finding, Severity, Skipped, Unavailable, Unexamined
from diagnose.registry import check


@check("firewall.chains-missing", severity=Severity.critical, caused_by=["firewall.backend-mixed"])
def chains_missing(
    firewall: Firewall, crossings: PacketPaths, config: DaemonConfig | Unavailable, lost_rules: LostRules | None
) -> Judged:
    """Docker's rules are gone from the packet filter, or nothing leads to them.

    Flushed by another tool after the engine wrote them. Seen on engines 20.10.24, 26.1.5 and 28.5.2:
    `iptables -F` leaves FORWARD's policy, DROP where the engine set it; SIGHUP does not bring the rules back,
    a restart does.
    """
    why_not = left_alone(config)
    if why_not is not None:
        return Skipped(why_not)
    if not crossings.networks:
        return Skipped(crossings.why_none)
    if firewall.hides_docker and not firewall.docker_tables:
        return Unavailable("refused", f"the tables of {firewall.hides_docker} could not be read")
    return _chains_missing(firewall, crossings, proxied(config), repair_of(lost_rules, "firewall.chains-missing"))


def _chains_missing(
    firewall: Firewall, crossings: PacketPaths, proxied: bool, repair: dict[str, str]
) -> Iterable[Finding | Unexamined]:
    bare = [each for each in crossings.networks.values() if not firewall.names_bridge(each.bridge)]
    fallen = [each for each in crossings.outlets if is_lost(firewall, each.reach)]
    no_ports = bool(crossings.inlets) and not firewall.translates_ports
    empty = "" if no_ports or bare else _emptied(firewall, crossings)
    yield from unsure(crossings)
    lost = {network.name: network for network in [*bare, *(each.network for each in fallen)]}
    if not lost and not no_ports and not empty:
        return
    cut = [each for each in crossings.outlets if each.network.name in lost and each.reach.is_blocked]
    ports = [
        each for each in crossings.inlets if no_ports or empty or (each.reach.is_blocked and each.network.name in lost)
    ]
    served = proxied and all(_is_served(each) for each in ports)
    hidden = [each for each in crossings.outlets if _unmasked(each) and (no_ports or each.network.name in lost)]
    names = sorted({each.container.name for each in [*cut, *hidden]})
    losses = [f"{count(len(names), 'container')} ({shortened(names)}) cannot reach the outside"] if names else []
    shut = "served by docker-proxy alone" if served else "not forwarded"
    losses += [f"published {port_list(ports)} {shut}"] if ports else []
    where = [f"FORWARD has no rules for {shortened(each.bridge for each in bare)}"] if bare else []
    where += _fallen(fallen, {network.name for network in bare})
    where += ["PREROUTING does not lead to the published ports"] if no_ports else []
    where += [empty] if empty else []
    touched = list(lost.values()) or list(crossings.networks.values())
    yield Finding(
        subject=HOST,
        summary=f"Docker's rules are gone: {', '.join(where)}; {'; '.join(losses) or 'networks are not kept apart'}",
        evidence=base(firewall, "forward")
        | base(firewall, "prerouting")
        | {"bridges without rules": [each.bridge for each in bare]}
        | {f"{each.container.name} sends": str(each.reach.by) for each in cut[:1]},
        variables=repair,
        severity=None if names or (ports and not served) else Severity.warning,
        touches=subjects_of(touched) + tuple(each.container.subject for each in ports),
        signs=NO_WAY_OUT | {"iptables"},
    )


_SEVERAL = 2
"""Of fewer published ports none is left by chance: firewall.dnat-missing speaks of the one."""


def _emptied(firewall: Firewall, crossings: PacketPaths) -> str:
    """Which of Docker's chains of published ports has lost all that was in it, in words."""
    inlets = crossings.inlets
    if len(inlets) < _SEVERAL or crossings.unwalked:
        return ""
    if all(each.reach.nat is None and not each.reach.nat_unknown and _is_served(each) for each in inlets):
        return "none of the published ports has a rule in nat"
    if all(each.reach.nat and each.reach.hook == "forward" and is_lost(firewall, each.reach) for each in inlets):
        return "no rule lets in what is sent to the published ports"
    return ""


def _is_served(inlet: Ingress) -> bool:
    """Whether a client gets to a process of the host at a published port, as docker-proxy is one."""
    return inlet.reach.nat is None and inlet.reach.outcome == "accept"


def _fallen(outlets: Sequence[Egress], bare: set[str]) -> list[str]:
    """What is missing for bridges that some rules are still about."""
    words = []
    for part, what in (("request", "no rule lets out what comes from"), ("reply", "no rule lets the answers back to")):
        bridges = {each.network.bridge for each in outlets if each.reach.part == part and each.network.name not in bare}
        if bridges:
            words.append(f"{what} {shortened(bridges)}")
    return words


def _unmasked(outlet: Egress) -> bool:
    """Whether its packets surely leave with the container's own address although the engine is to hide it."""
    sample = outlet.sample
    return outlet.network.masquerades and sample.outcome == "accept" and sample.nat is None and not sample.nat_unknown


@check("firewall.masquerade-missing", severity=Severity.critical, caused_by=["firewall.chains-missing"])
def masquerade_missing(
    firewall: Firewall,
    crossings: PacketPaths,
    config: DaemonConfig | Unavailable,
    links: Interfaces | Unavailable,
    lost_rules: LostRules | None,
) -> Judged:
    """A network's packets leave the host from addresses that nobody can answer.

    Their packets leave, no answer finds the way back: they are not translated, or a rule gives them an address of the uplink's
    subnet that the host has no more. Seen on engines 20.10.24, 26.1.5 and 28.5.2.
    """
    why_not = left_alone(config) or _nat_gone(firewall, crossings)
    if why_not is not None:
        return Skipped(why_not)
    if not crossings.networks:
        return Skipped(crossings.why_none)
    if not any(each.network.masquerades for each in crossings.outlets):
        return Skipped("no running container is on a network whose addresses the engine should hide")
    return _masquerade_missing(crossings, links, repair_of(lost_rules, "firewall.masquerade-missing"))


def _nat_gone(firewall: Firewall, crossings: PacketPaths) -> str | None:
    if crossings.inlets and not firewall.translates_ports:
        return "all of Docker's translation rules are gone: firewall.chains-missing"
    return None


def _is_foreign(outlet: Egress, links: Interfaces | Unavailable) -> bool:
    """Whether its packets surely leave with an address that the uplink's neighbours ask for in vain; another one may be routed here."""
    nat = outlet.sample.nat
    if outlet.sample.outcome != "accept" or nat is None or nat.kind != "snat" or not nat.address:
        return False
    return (
        isinstance(links, Interfaces)
        and links.is_on_link(nat.address, outlet.uplink.name)
        and not links.holds(nat.address)
    )


def _masquerade_missing(
    crossings: PacketPaths, links: Interfaces | Unavailable, repair: dict[str, str]
) -> Iterable[Finding | Unexamined]:
    outlets = defaultdict(list)
    for each in crossings.outlets:
        if each.network.masquerades and (each.sample.nat_unknown or each.sample.outcome == "unknown"):
            yield Unexamined(each.container.subject, f"its translation hangs on {each.sample.by}")
        elif _unmasked(each) or _is_foreign(each, links):
            outlets[each.network.name].append(each)
    for listed in outlets.values():
        network = listed[0].network
        subnet = ", ".join(str(each) for each in network.subnets if each.version == 4)
        nat = listed[0].sample.nat
        source = f"{nat.address}, which this host does not have" if nat else subnet
        yield Finding(
            subject=network.subject,
            summary=f"{network.name}: packets of {count(len(listed), 'container')}"
            f" ({shortened(each.container.name for each in listed)}) leave as {source}; no answer comes back",
            evidence={
                "nat POSTROUTING": str(nat or f"no translation of {subnet} on the way to {listed[0].uplink.name}"),
                "IPAM.Config.Subnet": subnet,
                "container": listed[0].container.name,
                "address": listed[0].address,
            },
            variables={"network": network.name, "bridge": network.bridge, "subnet": subnet.partition(",")[0], **repair},
            touches=subjects_of([network]),
            signs=NO_WAY_OUT,
        )


@check("firewall.dnat-missing", severity=Severity.critical, caused_by=["firewall.chains-missing"])
def dnat_missing(
    firewall: Firewall, crossings: PacketPaths, config: DaemonConfig | Unavailable, lost_rules: LostRules | None
) -> Judged:
    """A published port has no rule that leads to its container.

    Where docker-proxy listens, it still serves the port, and the container sees the bridge's address for
    every client: seen on engines 20.10.24, 26.1.5 and 28.5.2.
    """
    why_not = left_alone(config) or _nat_gone(firewall, crossings)
    if why_not is not None:
        return Skipped(why_not)
    if not crossings.networks:
        return Skipped(crossings.why_none)
    if not crossings.inlets:
        return Skipped("no running container publishes a port on an outer IPv4 address")
    return _dnat_missing(firewall, crossings, proxied(config), repair_of(lost_rules, "firewall.dnat-missing"))


def _dnat_missing(
    firewall: Firewall, crossings: PacketPaths, proxied: bool, repair: dict[str, str]
) -> Iterable[Finding | Unexamined]:
    yield from (
        Unexamined(each, "more published ports than a filter of this size allows") for each in crossings.unwalked
    )
    for inlet in crossings.inlets:
        problem = _misled(firewall, inlet)
        if problem is None:
            if inlet.reach.nat_unknown:
                yield Unexamined(inlet.container.subject, f"its translation hangs on {inlet.reach.by}")
            continue
        served = proxied and _is_served(inlet)
        led_off = inlet.reach.nat is not None and inlet.reach.nat.kind == "redirect"
        proxy = "; only docker-proxy serves it, and hides the clients' addresses" if served else ""
        yield Finding(
            subject=inlet.container.subject,
            summary=f"{inlet.container.name}: port {inlet.host_port} {problem}{proxy}",
            evidence={
                "NetworkSettings.Ports": f"{inlet.host_address}:{inlet.host_port} -> {inlet.port}",
                "container addresses": sorted(inlet.addresses),
                "translation": str(inlet.reach.nat) if inlet.reach.nat else None,
                "decided by": str(inlet.reach.by) if inlet.reach.by else None,
            },
            variables={"container": inlet.container.name, "host_port": str(inlet.host_port), **repair},
            discriminator=f"{inlet.host_address}:{inlet.host_port}/{inlet.port.partition('/')[2]}",
            severity=Severity.warning if served or led_off else None,
            touches=(inlet.network.subject,),
            stable=(inlet.container.life,),
            service=inlet.container.service,
        )


def _misled(firewall: Firewall, inlet: Ingress) -> str | None:
    """What is surely wrong with the rules of one published port, in words, or None."""
    reach = inlet.reach
    if reach.nat_unknown or (reach.outcome == "unknown" and reach.nat is None):
        return None
    if reach.nat is None:
        return None if reach.is_blocked and reach.hook == "prerouting" else "is not translated to the container"
    if reach.nat.kind == "redirect" and reach.nat.port not in (None, inlet.host_port):
        return f"is sent to port {reach.nat.port} of this host instead of the container"
    if reach.nat.kind != "dnat" or reach.nat.address is None:
        return None
    if reach.nat.address not in inlet.addresses or reach.nat.port not in (None, inlet.container_port):
        wanted = f"{min(inlet.addresses)}:{inlet.container_port}"
        return f"is sent to {reach.nat.address}:{reach.nat.port or inlet.host_port}, the container is at {wanted}"
    if reach.hook == "forward" and is_lost(firewall, reach) and firewall.names_bridge(inlet.network.bridge):
        return f"is translated and then not let through ({reach.by})"
    return None
