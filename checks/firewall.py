"""What the host's packet filter does to the traffic of containers.

A chain that is present proves nothing: each judgement here stands on a packet that was walked through every
base chain, in all tables, to its verdict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from diagnose.evidence.containers import Container, Containers
from diagnose.evidence.daemon_config import DaemonConfig
from diagnose.evidence.firewall import USER_CHAIN, Crossings, Firewall, Forwarding, Inlet, Outlet, Reach, Step, Table
from diagnose.evidence.networks import Network, Networks
from diagnose.model import HOST, Finding, Json, Severity, Skipped, Subject, Unavailable, Unexamined
from diagnose.registry import check
from diagnose.signs import NO_WAY_OUT

Judged = Iterable[Finding | Unexamined] | Skipped

ICC = "com.docker.network.bridge.enable_icc"


def _left_alone(config: DaemonConfig | Unavailable) -> str | None:
    """Why the engine's rules are not to be looked for here, or None."""
    if isinstance(config, DaemonConfig) and config.value("iptables") is False:
        return f"the engine is told to leave the packet filter alone (iptables, {config.where('iptables')})"
    return None


def _touched(networks: Iterable[Network]) -> tuple[Subject, ...]:
    found = [each for network in networks for each in (network.subject, Subject("interface", network.bridge))]
    return tuple(dict.fromkeys(found))


def _containers(outlets: Sequence[Outlet], inlets: Sequence[Inlet]) -> tuple[Subject, ...]:
    found = [each.container.subject for each in outlets] + [each.container.subject for each in inlets]
    return tuple(dict.fromkeys(found))


def _listed(names: Iterable[str], most: int = 3) -> str:
    found = sorted(set(names))
    rest = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + rest


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _unsure(crossings: Crossings) -> Iterable[Unexamined]:
    """Ways whose verdict hangs on a rule that is not understood, one of each network."""
    seen = set()
    for each in crossings.ways:
        if each.reach.outcome == each.sample.outcome == "unknown" and each.network.name not in seen:
            seen.add(each.network.name)
            yield Unexamined(each.network.subject, f"the verdict hangs on {each.sample.by}")


def _base(firewall: Firewall, hook: str) -> dict[str, Json]:
    """The base chains that Docker's rules hang on, in numbers."""
    own = {table.name for table in firewall.docker_tables} | {"filter", "nat"}
    return {
        f"{chain.table} {chain.name}": f"policy {chain.policy}, {_count(len(chain.rules), 'rule')}"
        for chain in firewall.chains
        if chain.hook == hook and chain.table.family == "ip" and chain.table.name in own
    }


@check("firewall.chains-missing", severity=Severity.critical, caused_by=["firewall.backend-mixed"])
def chains_missing(firewall: Firewall, crossings: Crossings, config: DaemonConfig | Unavailable) -> Judged:
    """Docker's rules are gone from the packet filter, or nothing leads to them.

    Flushed by another tool after the engine wrote them. Seen on engines 20.10.24, 26.1.5 and 28.5.2:
    `iptables -F` leaves FORWARD's policy, DROP where the engine set it; SIGHUP does not bring the rules back,
    a restart does.
    """
    why_not = _left_alone(config)
    if why_not is not None:
        return Skipped(why_not)
    if not crossings.networks:
        return Skipped(crossings.why_none)
    return _chains_missing(firewall, crossings, _proxied(config))


def _proxied(config: DaemonConfig | Unavailable) -> bool:
    """Whether docker-proxy stands behind each published port."""
    return not (isinstance(config, DaemonConfig) and config.value("userland-proxy") is False)


def _chains_missing(firewall: Firewall, crossings: Crossings, proxied: bool) -> Iterable[Finding | Unexamined]:
    bare = [each for each in crossings.networks.values() if not firewall.names_bridge(each.bridge)]
    fallen = [each for each in crossings.outlets if _is_lost(firewall, each.reach)]
    no_ports = bool(crossings.inlets) and not firewall.translates_ports
    empty = "" if no_ports or bare else _emptied(firewall, crossings)
    yield from _unsure(crossings)
    lost = {network.name: network for network in [*bare, *(each.network for each in fallen)]}
    if not lost and not no_ports and not empty:
        return
    cut = [each for each in crossings.outlets if each.network.name in lost and each.reach.is_blocked]
    ports = [
        each for each in crossings.inlets if no_ports or empty or (each.reach.is_blocked and each.network.name in lost)
    ]
    served = proxied and all(_is_served(each) for each in ports)
    hidden = [each for each in crossings.outlets if _unmasked(each) and (no_ports or each.network.name in lost)]
    names = sorted({each.container.short for each in [*cut, *hidden]})
    losses = [f"{_count(len(names), 'container')} ({_listed(names)}) cannot reach the outside"] if names else []
    shut = "served by docker-proxy alone" if served else "not forwarded"
    losses += [f"published {_port_list(ports)} {shut}"] if ports else []
    where = [f"FORWARD has no rules for {_listed(each.bridge for each in bare)}"] if bare else []
    where += _fallen(fallen, {network.name for network in bare})
    where += ["PREROUTING does not lead to the published ports"] if no_ports else []
    where += [empty] if empty else []
    touched = list(lost.values()) or list(crossings.networks.values())
    yield Finding(
        subject=HOST,
        summary=f"Docker's rules are gone: {', '.join(where)}; {'; '.join(losses) or 'networks are not kept apart'}",
        evidence=_base(firewall, "forward")
        | _base(firewall, "prerouting")
        | {"bridges without rules": [each.bridge for each in bare]}
        | {f"{each.container.short} sends": str(each.reach.by) for each in cut[:1]},
        variables={},
        severity=None if names or (ports and not served) else Severity.warning,
        touches=_touched(touched) + tuple(each.container.subject for each in ports),
        signs=NO_WAY_OUT,
    )


_SEVERAL = 2
"""Of fewer published ports none is left by chance: firewall.dnat-missing speaks of the one."""


def _emptied(firewall: Firewall, crossings: Crossings) -> str:
    """Which of Docker's chains of published ports has lost all that was in it, in words."""
    inlets = crossings.inlets
    if len(inlets) < _SEVERAL or crossings.unwalked:
        return ""
    if all(each.reach.nat is None and not each.reach.nat_unknown and _is_served(each) for each in inlets):
        return "none of the published ports has a rule in nat"
    if all(each.reach.nat and each.reach.hook == "forward" and _is_lost(firewall, each.reach) for each in inlets):
        return "no rule lets in what is sent to the published ports"
    return ""


def _is_served(inlet: Inlet) -> bool:
    """Whether a client gets to a process of the host at a published port, as docker-proxy is one."""
    return inlet.reach.nat is None and inlet.reach.outcome == "accept"


def _fallen(outlets: Sequence[Outlet], bare: set[str]) -> list[str]:
    """What is missing for bridges that some rules are still about."""
    words = []
    for part, what in (("request", "no rule lets out what comes from"), ("reply", "no rule lets the answers back to")):
        bridges = {each.network.bridge for each in outlets if each.reach.part == part and each.network.name not in bare}
        if bridges:
            words.append(f"{what} {_listed(bridges)}")
    return words


def _is_lost(firewall: Firewall, reach: Reach) -> bool:
    return reach.is_blocked and reach.by is not None and firewall.is_lost(reach.by)


def _unmasked(outlet: Outlet) -> bool:
    """Whether its packets surely leave with the container's own address although the engine is to hide it."""
    sample = outlet.sample
    return outlet.network.masquerades and sample.outcome == "accept" and sample.nat is None and not sample.nat_unknown


def _port_list(inlets: Sequence[Inlet]) -> str:
    ports = sorted({each.host_port for each in inlets})
    shown = ", ".join(map(str, ports[:4])) + (f" and {len(ports) - 4} more" if len(ports) > 4 else "")
    return f"{'port' if len(ports) == 1 else 'ports'} {shown}"


@check("firewall.masquerade-missing", severity=Severity.critical, caused_by=["firewall.chains-missing"])
def masquerade_missing(firewall: Firewall, crossings: Crossings, config: DaemonConfig | Unavailable) -> Judged:
    """A network's packets leave the host under addresses that nobody can answer to.

    Their packets leave, no answer finds the way back. Seen on engines 20.10.24, 26.1.5 and 28.5.2.
    """
    why_not = _left_alone(config) or _nat_gone(firewall, crossings)
    if why_not is not None:
        return Skipped(why_not)
    if not crossings.networks:
        return Skipped(crossings.why_none)
    if not any(each.network.masquerades for each in crossings.outlets):
        return Skipped("no running container is on a network whose addresses the engine is to hide")
    return _masquerade_missing(crossings)


def _nat_gone(firewall: Firewall, crossings: Crossings) -> str | None:
    if crossings.inlets and not firewall.translates_ports:
        return "all of Docker's translation rules are gone: firewall.chains-missing"
    return None


def _masquerade_missing(crossings: Crossings) -> Iterable[Finding | Unexamined]:
    outlets = defaultdict(list)
    for each in crossings.outlets:
        if each.network.masquerades and (each.sample.nat_unknown or each.sample.outcome == "unknown"):
            yield Unexamined(each.container.subject, f"its translation hangs on {each.sample.by}")
        elif _unmasked(each):
            outlets[each.network.name].append(each)
    for listed in outlets.values():
        network = listed[0].network
        subnet = ", ".join(str(each) for each in network.subnets if each.version == 4)
        yield Finding(
            subject=network.subject,
            summary=f"{network.name}: packets of {_count(len(listed), 'container')}"
            f" ({_listed(each.container.short for each in listed)}) leave as {subnet}; no answer comes back",
            evidence={
                "nat POSTROUTING": f"no translation of {subnet} on the way to {listed[0].uplink.name}",
                "IPAM.Config.Subnet": subnet,
                "container": listed[0].container.short,
                "address": listed[0].address,
            },
            variables={"network": network.name, "bridge": network.bridge, "subnet": subnet.partition(",")[0]},
            touches=_touched([network]),
            signs=NO_WAY_OUT,
        )


@check("firewall.dnat-missing", severity=Severity.critical, caused_by=["firewall.chains-missing"])
def dnat_missing(firewall: Firewall, crossings: Crossings, config: DaemonConfig | Unavailable) -> Judged:
    """A published port has no rule that leads to its container.

    Where docker-proxy listens, it still serves the port, and the container sees the bridge's address for
    every client: seen on engines 20.10.24, 26.1.5 and 28.5.2.
    """
    why_not = _left_alone(config) or _nat_gone(firewall, crossings)
    if why_not is not None:
        return Skipped(why_not)
    if not crossings.networks:
        return Skipped(crossings.why_none)
    if not crossings.inlets:
        return Skipped("no running container publishes a port on an outer IPv4 address")
    return _dnat_missing(firewall, crossings, _proxied(config))


def _dnat_missing(firewall: Firewall, crossings: Crossings, proxied: bool) -> Iterable[Finding | Unexamined]:
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
            summary=f"{inlet.container.short}: port {inlet.host_port} {problem}{proxy}",
            evidence={
                "NetworkSettings.Ports": f"{inlet.host_address}:{inlet.host_port} -> {inlet.port}",
                "container addresses": sorted(inlet.addresses),
                "translation": str(inlet.reach.nat) if inlet.reach.nat else None,
                "decided by": str(inlet.reach.by) if inlet.reach.by else None,
            },
            variables={"container": inlet.container.short, "host_port": str(inlet.host_port)},
            discriminator=f"{inlet.host_address}:{inlet.host_port}/{inlet.port.partition('/')[2]}",
            severity=Severity.warning if served or led_off else None,
            touches=(inlet.network.subject,),
            stable=(inlet.container.life,),
            service=inlet.container.service,
        )


def _misled(firewall: Firewall, inlet: Inlet) -> str | None:
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
    if reach.hook == "forward" and _is_lost(firewall, reach) and firewall.names_bridge(inlet.network.bridge):
        return f"is translated and then not let through ({reach.by})"
    return None


@check("firewall.forwarding-off", severity=Severity.critical)
def forwarding_off(
    forwarding: Forwarding, containers: Containers, networks: Networks, config: DaemonConfig | Unavailable
) -> Judged:
    """The kernel does not forward packets between containers and the outside.

    A packet is forwarded if the interface it came in by has forwarding on; `net.ipv4.ip_forward` sets all at
    once.
    """
    if isinstance(config, DaemonConfig) and config.value("ip-forward") is False:
        return Skipped(f"the engine is told to leave forwarding alone (ip-forward, {config.where('ip-forward')})")
    routed = {each.name: each for each in networks.bridges if not each.internal}
    used = [each for each in containers.running if any(name in routed for name in each.endpoints)]
    if not used:
        return Skipped("no running container is on a bridge network that leads out")
    return _forwarding_off(forwarding, used, routed)


def _forwarding_off(forwarding: Forwarding, used: Sequence[Container], routed: dict[str, Network]) -> Iterable[Finding]:
    off = sorted(name for name, value in forwarding.by_interface.items() if value == "0")
    everywhere = forwarding.everywhere == "0"
    bridges = {network.bridge: network for network in routed.values()}
    if not everywhere and not off:
        return
    setting = "net.ipv4.ip_forward" if everywhere else f"net/ipv4/conf/{off[0]}/forwarding"
    of = "" if everywhere else f" on {_listed(off)}"
    touched = list(bridges.values()) if everywhere or set(off) - set(bridges) else [bridges[name] for name in off]
    cut = [each for each in used if any(network.name in each.endpoints for network in touched)]
    if not cut:
        return
    yield Finding(
        subject=HOST,
        summary=f"IP forwarding is off{of}: {_count(len(cut), 'container')} cut off from everything beyond this host",
        evidence={"net.ipv4.ip_forward": forwarding.everywhere}
        | {f"net.ipv4.conf.{name}.forwarding": "0" for name in off},
        variables={"assignment": f"{setting}=1"},
        touches=_touched(touched),
        signs=NO_WAY_OUT,
    )


@check("firewall.forward-dropped", severity=Severity.critical, caused_by=["firewall.backend-mixed"])
def forward_dropped(firewall: Firewall, crossings: Crossings) -> Judged:
    """A rule that is not Docker's drops the traffic of containers.

    An accept in Docker's table does not protect from a drop in another one on the same hook. What only some
    destinations or sources meet, and a port that is closed while others are open, is a policy and is not reported.
    """
    if not crossings.networks:
        return Skipped(crossings.why_none)
    return _forward_dropped(firewall, crossings)


def _forward_dropped(firewall: Firewall, crossings: Crossings) -> Iterable[Finding | Unexamined]:
    yield from _unsure(crossings)
    outward: dict[Step, list[Outlet]] = defaultdict(list)
    inward: dict[Step, list[Inlet]] = defaultdict(list)
    for outlet in crossings.outlets:
        if outlet.reach.is_blocked and outlet.reach.by and not firewall.is_lost(outlet.reach.by):
            outward[outlet.reach.by].append(outlet)
    for inlet in crossings.inlets:
        by = inlet.reach.by
        if inlet.reach.is_blocked and by and inlet.reach.hook != "input" and not firewall.is_lost(by):
            inward[by].append(inlet)
    for by in [each for each in inward if each not in outward and _closes_on_purpose(each, inward[each], crossings)]:
        del inward[by]
    for by in dict.fromkeys([*outward, *inward]):
        yield _dropped(by, outward[by], inward[by])


def _closes_on_purpose(by: Step, inlets: Sequence[Inlet], crossings: Crossings) -> bool:
    """Whether a rule that lets containers out only closes ports: in DOCKER-USER, or some of several."""
    return by.chain == USER_CHAIN or len(inlets) < len(crossings.inlets)


def _dropped(by: Step, outlets: Sequence[Outlet], inlets: Sequence[Inlet]) -> Finding:
    names = sorted({each.container.short for each in outlets})
    losses = [f"{_count(len(names), 'container')} ({_listed(names)}) cannot reach the outside"] if names else []
    losses += [f"published {_port_list(inlets)} cannot be reached"] if inlets else []
    networks = [each.network for each in outlets] + [each.network for each in inlets]
    deciding = outlets[0].reach if outlets else inlets[0].reach
    return Finding(
        subject=HOST,
        summary=f"{by} blocks: {'; '.join(losses)}",
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
        touches=_touched(networks) + _containers(outlets, inlets),
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


_UNREAD = {"nft": "nftables", "legacy": "iptables-legacy ip"}
"""What a ruleset calls each backend where it could not be read."""


@check("firewall.backend-mixed", severity=Severity.warning)
def backend_mixed(firewall: Firewall, crossings: Crossings | Unavailable) -> Judged:
    """Rules stand in both iptables backends at once, and both are in force.

    A legacy table that a mere look created is empty and does not count.
    """
    used = {backend: _used(firewall, backend) for backend in ("nft", "legacy")}
    docker = sorted(table.backend for table in firewall.docker_tables if table.family == "ip")
    if not docker:
        return Skipped("Docker has no chains here")
    if not used["nft"] or not used["legacy"]:
        unread = [name for backend, name in _UNREAD.items() if not used[backend] and name in firewall.ruleset.unread]
        return [Unexamined(HOST, f"{name} could not be read") for name in unread if any(used.values())]
    return [_mixed(used["nft"], used["legacy"], docker, crossings)]


def _used(firewall: Firewall, backend: str) -> list[Table]:
    """The iptables tables of a backend that have rules, or a policy that drops."""
    found = {
        chain.table
        for chain in firewall.chains
        if chain.table.backend == backend
        and chain.table.family == "ip"
        and chain.table.name in ("filter", "nat", "raw", "mangle")
        and (chain.rules or chain.policy == "drop")
    }
    return sorted(found)


def _mixed(
    nft: Sequence[Table], legacy: Sequence[Table], docker: Sequence[str], crossings: Crossings | Unavailable
) -> Finding:
    both = len(set(docker)) == 2
    what = "Docker has chains in both" if both else f"Docker's chains are in the {docker[0]} backend"
    networks = crossings.networks.values() if isinstance(crossings, Crossings) else ()
    return Finding(
        subject=HOST,
        summary=f"iptables rules in both backends, nft ({_listed(table.name for table in nft)}) and legacy"
        f" ({_listed(table.name for table in legacy)}); {what}",
        evidence={
            "nft tables in use": [str(table) for table in nft],
            "legacy tables in use": [str(table) for table in legacy],
            "Docker's chains": sorted(set(docker)),
        },
        touches=_touched(networks),
    )


@check("firewall.bridge-filter-off", severity=Severity.warning)
def bridge_filter_off(forwarding: Forwarding, containers: Containers, networks: Networks) -> Judged:
    """Containers that are to be kept apart on one bridge reach each other.

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
        names = [each.short for each in containers.running if network.name in each.endpoints]
        if len(names) < 2:
            continue
        yield Finding(
            subject=network.subject,
            summary=f"{network.name}: its {len(names)} containers ({_listed(names)}) reach each other although"
            " enable_icc is false",
            evidence={
                "net.bridge.bridge-nf-call-iptables": forwarding.bridge_filter,
                f"Options.{ICC}": "false",
                "containers": names,
            },
            variables={"network": network.name, "bridge": network.bridge},
            touches=_touched([network]),
        )


@check("firewall.bypassed-by-publish", severity=Severity.advice)
def bypassed_by_publish(crossings: Crossings) -> Judged:
    """A published port is open to everyone although the host's firewall closes it.

    The engine translates the port before the host's input rules are asked. It is a warning where the host has
    a public address, advice elsewhere.
    """
    if not crossings.networks:
        return Skipped(crossings.why_none)
    if not crossings.inlets:
        return Skipped("no running container publishes a port on an outer IPv4 address")
    return _bypassed(crossings)


def _bypassed(crossings: Crossings) -> Iterable[Finding]:
    for inlet in crossings.inlets:
        if not (inlet.everywhere and inlet.refused.is_blocked and inlet.refused.by):
            continue
        if inlet.reach.outcome != "accept" or inlet.reach.nat is None:
            continue
        yield Finding(
            subject=inlet.container.subject,
            summary=f"{inlet.container.short}: port {inlet.host_port} is open to any address that reaches"
            f" {inlet.host_address}, although {inlet.refused.by.chain} closes it",
            evidence={
                "host's own rule": str(inlet.refused.by),
                "NetworkSettings.Ports": f"0.0.0.0:{inlet.host_port} -> {inlet.port}",
                "translation": str(inlet.reach.nat),
                "uplink": f"{inlet.uplink.name} {inlet.uplink.address}",
            },
            variables={
                "container": inlet.container.short,
                "host_port": str(inlet.host_port),
                "uplink": inlet.uplink.name,
            },
            discriminator=f"{inlet.host_port}/{inlet.port.partition('/')[2]}",
            severity=Severity.warning if inlet.uplink.is_public else None,
            touches=(inlet.network.subject,),
            service=inlet.container.service,
        )
