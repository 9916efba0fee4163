"""The iptables rules that a Docker engine writes for its bridges.

With the smallest repair that puts lost ones back. Pure.

Source: `iptables-save` of engines 20.10.24, 26.1.5, 28.5.2 and 29.7.2 with networks and ports of
each kind; the layouts of other versions are not known here, and no repair is made for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network

import msgspec

ESTABLISHED = "-m conntrack --ctstate RELATED,ESTABLISHED"
STAGE_1, STAGE_2 = "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2"
TO_LOCAL_ADDRESSES = "-m addrtype --dst-type LOCAL -j DOCKER"
KEPT = ("DOCKER-USER",)
"""Chains that hold the administrator's own rules: created if they are gone, never written again."""


class PublishedPort(msgspec.Struct, frozen=True):
    """One published port of a container on a bridge."""

    address: str
    """The container's address on the bridge."""
    port: int
    protocol: str
    host_port: int | None
    """None on a routed network, whose ports are reached at the container's own address."""
    host_address: str = ""
    """Empty for all addresses of the host."""


class Bridge(msgspec.Struct, frozen=True):
    """One bridge network as the engine writes rules for it."""

    name: str
    """The Linux bridge."""
    subnet: str
    members: tuple[str, ...] = ()
    """Addresses of its running containers."""
    ports: tuple[PublishedPort, ...] = ()
    internal: bool = False
    talks: bool = True
    """Whether its containers may reach each other (enable_icc)."""
    masquerades: bool = True
    routed: bool = False
    """Whether its gateway mode is routed (28): reached without translation."""

    @property
    def translated_ports(self) -> tuple[PublishedPort, ...]:
        """The published ports that the host's own ports are translated to."""
        return () if self.routed else self.ports


class TableRules(msgspec.Struct, frozen=True):
    """What the engine wants in one table."""

    own: Mapping[str, Sequence[str]]
    """The whole contents of each chain of the engine, in order."""
    first: Mapping[str, Sequence[str]] = {}
    """Rules that must stand in a built-in chain, in this order."""
    last: Mapping[str, Sequence[str]] = {}
    """Rules that stand at the end of a built-in chain."""


Tables = Mapping[str, TableRules]


def wanted(
    version: tuple[int, ...], bridges: Sequence[Bridge], *, has_proxy: bool
) -> Tables | None:
    """What an engine of this version writes for these bridges, by table.

    None where the layout of the version is not known.

    has_proxy: whether docker-proxy stands behind each published port (`userland-proxy`).
    """
    if (20, 10) <= version < (27,):
        nat = _nat(bridges, has_proxy, hairpin=True, has_returns=has_proxy)
        return {"filter": _stage_filter(bridges), "nat": nat}
    if (28, 2) <= version < (29,) or (29, 7) <= version < (30,):
        is_older = version < (29,)
        nat = _nat(bridges, has_proxy, hairpin=not has_proxy, has_returns=is_older and has_proxy)
        forward = _forward_filter(bridges, has_stages=is_older)
        return {"raw": _raw(bridges), "filter": forward, "nat": nat}
    return None


def _accepts(bridge: Bridge) -> list[str]:
    """The rules that let clients of published ports in."""
    return [
        f"-d {port.address}/32 ! -i {bridge.name} -o {bridge.name} -p "
        f"{port.protocol} -m {port.protocol} --dport {port.port} -j ACCEPT"
        for port in bridge.ports
    ]


def _isolation(bridge: Bridge) -> list[str]:
    """What keeps an internal network from the outside, in the first stage of isolation."""
    return [
        f"! -s {bridge.subnet} -o {bridge.name} -j DROP",
        f"! -d {bridge.subnet} -i {bridge.name} -j DROP",
    ]


def _to_second_stage(bridge: Bridge) -> str:
    return f"-i {bridge.name} ! -o {bridge.name} -j {STAGE_2}"


def _stage_filter(bridges: Sequence[Bridge]) -> TableRules:
    """The filter table of engines 20.10 to 26.1: the rules of each bridge stand in FORWARD."""
    outward = [bridge for bridge in bridges if not bridge.internal]
    first = ["-j DOCKER-USER", f"-j {STAGE_1}"]
    last: list[str] = []
    stage_1: list[str] = []
    for bridge in bridges:
        name = bridge.name
        if bridge.internal:
            stage_1 += _isolation(bridge)
        else:
            stage_1.append(_to_second_stage(bridge))
            first += [
                f"-o {name} {ESTABLISHED} -j ACCEPT",
                f"-o {name} -j DOCKER",
                f"-i {name} ! -o {name} -j ACCEPT",
            ]
        if bridge.talks:
            first.append(f"-i {name} -o {name} -j ACCEPT")
        else:
            last.append(f"-i {name} -o {name} -j DROP")
    return TableRules(
        own={
            "DOCKER": [rule for bridge in bridges for rule in _accepts(bridge)],
            STAGE_1: [*stage_1, "-j RETURN"],
            STAGE_2: [*(f"-o {bridge.name} -j DROP" for bridge in outward), "-j RETURN"],
            "DOCKER-USER": ["-j RETURN"],
        },
        first={"FORWARD": first},
        last={"FORWARD": last},
    )


def _forward_filter(bridges: Sequence[Bridge], *, has_stages: bool) -> TableRules:
    """The filter table of engines from 28.2 on.

    FORWARD has two jumps, all else stands in chains of the engine.

    has_stages: whether two chains keep networks apart; from 29 on one keeps internal ones apart.
    """
    outward = [bridge for bridge in bridges if not bridge.internal]
    routed = [bridge for bridge in outward if bridge.routed]
    apart = _stages(bridges) if has_stages else _internal(bridges)
    forward = ["-j DOCKER-CT", f"-j {next(iter(apart))}", "-j DOCKER-BRIDGE"]
    for bridge in bridges:
        forward += _passage(bridge)
    ports = [rule for bridge in bridges for rule in _accepts(bridge)]
    ports += [f"-o {bridge.name} -p icmp -j ACCEPT" for bridge in routed]
    ports += [f"! -i {bridge.name} -o {bridge.name} -j DROP" for bridge in outward]
    return TableRules(
        own={
            "DOCKER": ports,
            "DOCKER-BRIDGE": [f"-o {bridge.name} -j DOCKER" for bridge in outward],
            "DOCKER-CT": [f"-o {bridge.name} {ESTABLISHED} -j ACCEPT" for bridge in outward],
            "DOCKER-FORWARD": forward,
            **apart,
            "DOCKER-USER": [],
        },
        first={"FORWARD": ["-j DOCKER-USER", "-j DOCKER-FORWARD"]},
    )


def _stages(bridges: Sequence[Bridge]) -> dict[str, list[str]]:
    """The chains that keep networks apart, as engines from 28.2 on write them."""
    outward = [bridge for bridge in bridges if not bridge.internal]
    routed = [bridge for bridge in outward if bridge.routed]
    stage_1 = [f"-i {bridge.name} {ESTABLISHED} -j ACCEPT" for bridge in routed]
    stage_1 += [f"-o {bridge.name} -j RETURN" for bridge in routed]
    for bridge in bridges:
        stage_1 += _isolation(bridge) if bridge.internal else [_to_second_stage(bridge)]
    return {STAGE_1: stage_1, STAGE_2: [f"-o {bridge.name} -j DROP" for bridge in outward]}


def _internal(bridges: Sequence[Bridge]) -> dict[str, list[str]]:
    """The chain that keeps internal networks apart, as engine 29 writes it."""
    rules = [rule for bridge in bridges if bridge.internal for rule in _isolation(bridge)]
    return {"DOCKER-INTERNAL": rules}


def _passage(bridge: Bridge) -> list[str]:
    """What the containers of a bridge may send, as engines from 28.2 on write it."""
    name = bridge.name
    if bridge.internal:
        return [f"-i {name} -o {name} -j {'ACCEPT' if bridge.talks else 'DROP'}"]
    if bridge.talks:
        return [f"-i {name} -j ACCEPT"]
    return [f"-i {name} -o {name} -j DROP", f"-i {name} ! -o {name} -j ACCEPT"]


def _nat(
    bridges: Sequence[Bridge], has_proxy: bool, *, hairpin: bool, has_returns: bool
) -> TableRules:
    """The nat table.

    hairpin: a container that calls its own published port is masqueraded. has_returns: what comes
    from a bridge is not translated, and goes to docker-proxy.
    """
    translating = [bridge for bridge in bridges if not bridge.internal]
    masqueraded = [bridge for bridge in translating if bridge.masquerades and not bridge.routed]
    leaving = [f"-s {bridge.subnet} ! -o {bridge.name} -j MASQUERADE" for bridge in masqueraded]
    if not has_proxy:
        leaving += [
            f"-o {bridge.name} -m addrtype --src-type LOCAL -j MASQUERADE" for bridge in translating
        ]
    published = [(bridge, port) for bridge in translating for port in bridge.translated_ports]
    if hairpin:
        leaving += [_hairpin(port) for _, port in published]
    returns = [
        f"-i {bridge.name} -j RETURN"
        for bridge in translating
        if has_returns and (bridge.masquerades or bridge.routed)
    ]
    translations = [_translation(bridge, port, has_proxy=has_proxy) for bridge, port in published]
    local = TO_LOCAL_ADDRESSES
    return TableRules(
        own={"DOCKER": [*returns, *translations]},
        first={
            "PREROUTING": [local],
            "OUTPUT": [f"! -d 127.0.0.0/8 {local}" if has_proxy else local],
            "POSTROUTING": leaving,
        },
    )


def _to_port(port: PublishedPort, number: int | None) -> str:
    return f"-p {port.protocol} -m {port.protocol} --dport {number}"


def _hairpin(port: PublishedPort) -> str:
    """A container that calls its own published port gets another source than itself."""
    own = f"-s {port.address}/32 -d {port.address}/32"
    return f"{own} {_to_port(port, port.port)} -j MASQUERADE"


def _translation(bridge: Bridge, port: PublishedPort, *, has_proxy: bool) -> str:
    """From a port of the host to that of a container.

    docker-proxy serves the packets that come from the bridge itself.
    """
    destination = f"-d {port.host_address}/32 " if port.host_address else ""
    source = f"! -i {bridge.name} " if has_proxy else ""
    target = f"-j DNAT --to-destination {port.address}:{port.port}"
    return f"{destination}{source}{_to_port(port, port.host_port)} {target}"


def _raw(bridges: Sequence[Bridge]) -> TableRules:
    """The raw table of engines from 28.2 on.

    Nobody beyond the bridge reaches a container by the container's own address.
    """
    guarded = [bridge for bridge in bridges if not bridge.internal and not bridge.routed]
    rules = []
    for bridge in guarded:
        rules += [f"-d {address}/32 ! -i {bridge.name} -j DROP" for address in bridge.members]
        rules += [
            f"-d {port.host_address}/32 ! -i lo -p {port.protocol} "
            f"-m {port.protocol} --dport {port.host_port} -j DROP"
            for port in bridge.ports
            if port.host_address.startswith("127.")
        ]
    return TableRules(own={}, last={"PREROUTING": rules})


class Present(msgspec.Struct, frozen=True):
    """One table as `iptables-save` prints it: rules by chain, without `-A CHAIN`."""

    chains: Mapping[str, tuple[str, ...]]


def present(text: str) -> dict[str, Present]:
    """The tables of an output of `iptables-save`."""
    tables: dict[str, dict[str, list[str]]] = {}
    table: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("*"):
            table = tables.setdefault(line[1:].strip(), {})
        elif line.startswith(":"):
            table.setdefault(line[1:].split()[0], [])
        elif line.startswith("-A "):
            chain, _, rule = line[3:].partition(" ")
            table.setdefault(chain, []).append(rule.strip())
    return {
        name: Present({chain: tuple(rules) for chain, rules in chains.items()})
        for name, chains in tables.items()
    }


class Repair(msgspec.Struct, frozen=True):
    """What puts lost rules back, and takes away those that lead to containers that are gone."""

    text: str
    """Input for `iptables-restore --noflush`: atomic for each table; foreign chains and rules stay
    as they are."""
    missing: tuple[str, ...]
    """The rules that are missing, as `iptables -A` would add them, each with its table."""
    stale: tuple[str, ...] = ()
    """The rules that lead to addresses which no running container has, likewise."""


def repair(
    tables: Tables, present: Mapping[str, Present], subnets: Sequence[str] = ()
) -> Repair | None:
    """The smallest repair; None where no rule of the engine is missing, and none is stale.

    subnets: of the engine's bridges, where a published port that the engine does not want is stale.
    """
    parts, missing, stale = [], [], []
    for name, rules in tables.items():
        now = present.get(name, Present({}))
        lines, lost = _table_repair(rules, now)
        old = _stale(rules, now, subnets) if name == "nat" else []
        missing += [f"{name}: {rule}" for rule in lost]
        stale += [f"{name}: {rule}" for rule in old]
        deletions = [f"-D {rule}" for rule in old]
        if lost or old:
            parts.append("\n".join([f"*{name}", *deletions, *lines, "COMMIT"]))
    return Repair("\n".join(parts) + "\n", tuple(missing), tuple(stale)) if parts else None


_TARGET = re.compile(r" -j DNAT --to-destination ([0-9.]+):\d+$")


def _stale(rules: TableRules, now: Present, subnets: Sequence[str]) -> list[str]:
    """Rules of published ports that lead into the engine's subnets and that it does not want."""
    networks = [ip_network(subnet) for subnet in subnets]
    stale = []
    for chain, contents in rules.own.items():
        for rule in now.chains.get(chain, ()):
            target = _TARGET.search(rule)
            if target is None or rule in contents:
                continue
            if any(ip_address(target[1]) in network for network in networks):
                stale.append(f"{chain} {rule}")
    return stale


def _table_repair(rules: TableRules, now: Present) -> tuple[list[str], list[str]]:
    """Lines for the restore of one table, and the missing rules."""
    declared: list[str] = []
    filled: list[str] = []
    missing: list[str] = []
    for chain, contents in rules.own.items():
        is_gone = chain not in now.chains
        if chain in KEPT and not is_gone:
            continue
        lost = [rule for rule in contents if rule not in now.chains.get(chain, ())]
        if lost or is_gone:
            missing += [f"{chain} {rule}" for rule in lost] or [f"chain {chain}"]
            declared.append(f":{chain} - [0:0]")
            filled += [f"-A {chain} {rule}" for rule in contents]
    for chain, first in rules.first.items():
        inserts, lost = _inserted(chain, first, list(now.chains.get(chain, ())))
        missing += lost
        filled += inserts
    for chain, last in rules.last.items():
        appended = [f"{chain} {rule}" for rule in last if rule not in now.chains.get(chain, ())]
        missing += appended
        filled += [f"-A {rule}" for rule in appended]
    return [*declared, *filled], missing


def _inserted(chain: str, first: Iterable[str], standing: list[str]) -> tuple[list[str], list[str]]:
    """Commands that insert the missing rules of a built-in chain.

    Each goes behind the wanted rule before it.
    """
    inserts, missing = [], []
    place = 0
    for rule in first:
        if rule in standing:
            place = max(place, standing.index(rule) + 1)
            continue
        standing.insert(place, rule)
        place += 1
        inserts.append(f"-I {chain} {place} {rule}")
        missing.append(f"{chain} {rule}")
    return inserts, missing
