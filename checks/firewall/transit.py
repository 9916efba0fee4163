"""The way between networks: whether the kernel forwards at all, and what somebody else's rules drop on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from checks.firewall._words import ICC, Judged, container_subjects, count, port_list, shortened, subjects_of, unsure
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.packet_paths import (
    FORWARDING6,
    USER_CHAIN,
    Egress,
    Firewall,
    Forwarding,
    Ingress,
    PacketPaths,
    Step,
)
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.sysctl_files import SysctlFiles
from diagnose.model import HOST, Finding, Severity, Skipped, Unavailable, Unexamined
from diagnose.phrases import sentence
from diagnose.registry import check


@check("firewall.forwarding-off", severity=Severity.critical)
def forwarding_off(
    forwarding: Forwarding,
    containers: Containers,
    networks: Networks,
    config: DaemonConfig | Unavailable,
    routes: Routes | Unavailable,
    ping: Ping | Unavailable,
    sysctl_files: SysctlFiles | None = None,
) -> Judged:
    """The kernel does not forward packets between containers and the outside.

    A packet is forwarded if the interface it came in by has forwarding on; `net.ipv4.ip_forward` sets all at
    once. IPv6 has one setting, which the engine turns on where it writes rules for it (always from 27.0 on).
    """
    if isinstance(config, DaemonConfig) and config.value("ip-forward") is False:
        return Skipped(f"the engine is configured to leave forwarding alone (ip-forward, {config.where('ip-forward')})")
    routed = {each.name: each for each in networks.bridges if not each.internal}
    used = [each for each in containers.running if any(name in routed for name in each.endpoints)]
    if not used:
        return Skipped("no running container is on a bridge network that leads out")
    return [
        *_forwarding_off(forwarding, used, routed, sysctl_files),
        *_forwarding6_off(forwarding, used, routed, config, routes, ping),
    ]


def _forwarding_off(
    forwarding: Forwarding, used: Sequence[Container], routed: dict[str, Network], sysctl_files: SysctlFiles | None
) -> Iterable[Finding]:
    off = sorted(name for name, value in forwarding.by_interface.items() if value == "0")
    everywhere = forwarding.everywhere == "0"
    bridges = {network.bridge: network for network in routed.values()}
    if not everywhere and not off:
        return
    setting = "net.ipv4.ip_forward" if everywhere else f"net/ipv4/conf/{off[0]}/forwarding"
    of = "" if everywhere else f" on {shortened(off)}"
    touched = list(bridges.values()) if everywhere or set(off) - set(bridges) else [bridges[name] for name in off]
    cut = [each for each in used if any(network.name in each.endpoints for network in touched)]
    if not cut:
        return
    line = sysctl_files.of("net.ipv4.ip_forward", "0") if sysctl_files is not None and everywhere else None
    yield Finding(
        subject=HOST,
        summary=sentence(
            f"IP forwarding is off{of}: {count(len(cut), 'container')} cut off from everything beyond this host",
            str(line) if line else "",
        ),
        evidence={"net.ipv4.ip_forward": forwarding.everywhere}
        | {f"net.ipv4.conf.{name}.forwarding": "0" for name in off}
        | ({"set at boot by": f"{line.file}, line {line.line}"} if line else {}),
        variables={"assignment": f"{setting}=1", **({"file": line.file} if line else {})},
        touches=subjects_of(touched),
        signs=NO_WAY_OUT,
    )


def _forwarding6_off(
    forwarding: Forwarding,
    used: Sequence[Container],
    routed: dict[str, Network],
    config: DaemonConfig | Unavailable,
    routes: Routes | Unavailable,
    ping: Ping | Unavailable,
) -> Iterable[Finding]:
    """Where the host itself has a way out by IPv6, and its engine had turned it on."""
    told = config.value("ip6tables") if isinstance(config, DaemonConfig) else None
    kept = told is True or (told is None and isinstance(ping, Ping) and ping.version >= (27,))
    if forwarding.everywhere6 != "0" or not kept or not isinstance(routes, Routes) or not routes.default6:
        return
    open6 = {name for name, network in routed.items() if network.enable_ipv6}
    cut = [
        each for each in used if any(end.global_ipv6_address for name, end in each.endpoints.items() if name in open6)
    ]
    if not cut:
        return
    alone = [each for each in cut if not any(end.ip_address for end in each.endpoints.values())]
    yield Finding(
        subject=HOST,
        summary=f"IPv6 forwarding is off: {count(len(cut), 'container')} cut off from everything beyond this host by IPv6",
        evidence={FORWARDING6: forwarding.everywhere6, "containers": sorted(each.name for each in cut)},
        variables={"assignment": f"{FORWARDING6}=1"},
        severity=None if alone else Severity.warning,
        touches=subjects_of(routed[name] for name in sorted(open6)),
        signs=NO_WAY_OUT,
        discriminator="ipv6",
    )


@check("firewall.forward-dropped", severity=Severity.critical, caused_by=["firewall.backend-mixed"])
def forward_dropped(firewall: Firewall, crossings: PacketPaths) -> Judged:
    """A rule that is not Docker's drops the traffic of containers.

    An accept in Docker's table does not protect from a drop in another one on the same hook. What only some
    destinations or sources meet, and a port that is closed while others are open, is a policy and is not reported; but
    answers that are dropped because a rule for clients spares none are.
    """
    if not crossings.networks:
        return Skipped(crossings.why_none)
    return _forward_dropped(firewall, crossings)


def _forward_dropped(firewall: Firewall, crossings: PacketPaths) -> Iterable[Finding | Unexamined]:
    yield from unsure(crossings)
    outward: dict[Step, list[Egress]] = defaultdict(list)
    inward: dict[Step, list[Ingress]] = defaultdict(list)
    for outlet in crossings.outlets:
        block = outlet.block
        if block and block.by and not firewall.is_lost(block.by):
            outward[block.by].append(outlet)
    for inlet in crossings.inlets:
        by = inlet.reach.by
        if inlet.reach.is_blocked and by and inlet.reach.hook != "input" and not firewall.is_lost(by):
            inward[by].append(inlet)
    for by in [each for each in inward if each not in outward and _closes_on_purpose(each, inward[each], crossings)]:
        del inward[by]
    for by in dict.fromkeys([*outward, *inward]):
        yield _dropped(by, outward[by], inward[by])


def _closes_on_purpose(by: Step, inlets: Sequence[Ingress], crossings: PacketPaths) -> bool:
    """Whether a rule that lets containers out only closes ports: in DOCKER-USER, or some of several."""
    return by.chain == USER_CHAIN or len(inlets) < len(crossings.inlets)


def _dropped(by: Step, outlets: Sequence[Egress], inlets: Sequence[Ingress]) -> Finding:
    names = sorted({each.container.name for each in outlets})
    networks = [each.network for each in outlets] + [each.network for each in inlets]
    deciding = (outlets[0].block or outlets[0].reach) if outlets else inlets[0].reach
    losses = [f"{count(len(names), 'container')} ({shortened(names)}) cannot reach the outside"] if names else []
    losses += [f"published {port_list(inlets)} cannot be reached"] if inlets else []
    answers = " the answers" if deciding.part == "reply" else ""
    return Finding(
        subject=HOST,
        summary=f"{by} blocks{answers}: {'; '.join(losses)}",
        evidence={
            "table": by.table,
            "chain": by.chain,
            "rule": by.rule,
            "verdict": deciding.outcome,
            "packet": f"{deciding.part}, hook {deciding.hook}",
            "containers": names,
        },
        variables={
            "tool": _tool(by),
            "family": by.table.split()[-2],
            "table": by.table.split()[-1],
            "chain": by.chain,
            "hook": deciding.hook or "forward",
            "bridge": networks[0].bridge,
            "uplink": (outlets[0] if outlets else inlets[0]).uplink.name,
        },
        discriminator=str(by),
        severity=Severity.warning if by.chain == USER_CHAIN or not outlets else None,
        touches=subjects_of(networks) + container_subjects(outlets, inlets),
        signs=NO_WAY_OUT,
    )


_IPTABLES = ("filter", "nat", "mangle", "raw", "security")


def _tool(by: Step) -> str:
    """The program that may write to a table: what nft adds to a table of iptables makes it unreadable to iptables (seen with
    1.8.9: "table `filter' is incompatible").
    """
    *backend, family, table = by.table.split()
    if backend:
        return "iptables-legacy"
    if table == "firewalld":
        return "firewall-cmd"
    written = by.rule.startswith(("-", "! -")) or (by.rule.startswith("policy ") and by.chain.isupper())
    return "iptables" if family == "ip" and table in _IPTABLES and written else "nft"


@check("firewall.bridge-filter-off", severity=Severity.warning)
def bridge_filter_off(forwarding: Forwarding, containers: Containers, networks: Networks) -> Judged:
    """Containers that should be kept apart on one bridge can reach each other.

    Bridged packets skip the packet filter: the option enable_icc=false is a rule, and the kernel's setting
    `net.bridge.bridge-nf-call-iptables` decides whether packets between two containers of one bridge meet any rule.
    Engines before 28 warned of it; from 28 on only the kernel says so.
    """
    apart = [each for each in networks.bridges if each.option(ICC) == "false"]
    if not apart:
        return Skipped("no bridge network forbids its containers to talk to each other")
    return _bridge_filter_off(forwarding, containers, apart)


def _bridge_filter_off(forwarding: Forwarding, containers: Containers, apart: Sequence[Network]) -> Iterable[Finding]:
    if forwarding.bridge_filter == "1":
        return
    for network in apart:
        names = [each.name for each in containers.running if network.name in each.endpoints]
        if len(names) < 2:
            continue
        yield Finding(
            subject=network.subject,
            summary=f"{network.name}: its {len(names)} containers ({shortened(names)}) reach each other although"
            " enable_icc is false",
            evidence={
                "net.bridge.bridge-nf-call-iptables": forwarding.bridge_filter,
                f"Options.{ICC}": "false",
                "containers": names,
            },
            variables={"network": network.name, "bridge": network.bridge},
            touches=subjects_of([network]),
        )
