"""The iptables rules that a Docker engine writes for its bridges. Pure.

Source: `iptables-save` of engines 20.10.24, 26.1.5, 28.5.2 and 29.7.2 with networks and ports of
each kind; the layouts of other versions are not known here, and no repair is made for them.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.mappings import first_of

ESTABLISHED = "-m conntrack --ctstate RELATED,ESTABLISHED"
STAGE_1 = "DOCKER-ISOLATION-STAGE-1"
STAGE_2 = "DOCKER-ISOLATION-STAGE-2"
TO_LOCAL_ADDRESSES = "-m addrtype --dst-type LOCAL -j DOCKER"


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
    """The rules that the engine writes into one table."""

    own: Mapping[str, Sequence[str]]
    """The whole contents of each chain of the engine, in order."""
    first: Mapping[str, Sequence[str]] = {}
    """Rules that must be in a built-in chain, in this order."""
    last: Mapping[str, Sequence[str]] = {}
    """Rules that stand at the end of a built-in chain."""


Tables = Mapping[str, TableRules]


def wanted_rules(
    version: tuple[int, ...], bridges: Sequence[Bridge], *, has_proxy: bool
) -> Tables | None:
    """The rules that an engine of this version writes for these bridges, by table.

    None where the layout of the version is not known.

    has_proxy: whether docker-proxy listens on each published port (`userland-proxy`).
    """
    if (20, 10) <= version < (27,):
        nat = _nat(bridges, has_proxy=has_proxy, hairpin=True, has_returns=has_proxy)
        return {"filter": _stage_filter(bridges), "nat": nat}
    if (28, 2) <= version < (29,) or (29, 7) <= version < (30,):
        is_older = version < (29,)
        nat = _nat(
            bridges, has_proxy=has_proxy, hairpin=not has_proxy, has_returns=is_older and has_proxy
        )
        forward = _forward_filter(bridges, has_stages=is_older)
        return {"raw": _raw_table(bridges), "filter": forward, "nat": nat}
    return None


def _accepts(bridge: Bridge) -> list[str]:
    """The rules that let clients of published ports in."""
    return [
        f"-d {port.address}/32 ! -i {bridge.name} -o {bridge.name} -p "
        f"{port.protocol} -m {port.protocol} --dport {port.port} -j ACCEPT"
        for port in bridge.ports
    ]


def _isolation(bridge: Bridge) -> list[str]:
    """The rules that cut an internal network off from the outside, in the first isolation chain."""
    return [
        f"! -s {bridge.subnet} -o {bridge.name} -j DROP",
        f"! -d {bridge.subnet} -i {bridge.name} -j DROP",
    ]


def _to_second_stage(bridge: Bridge) -> str:
    return f"-i {bridge.name} ! -o {bridge.name} -j {STAGE_2}"


def _stage_filter(bridges: Sequence[Bridge]) -> TableRules:
    """The filter table of engines 20.10 to 26.1: the rules of each bridge are in FORWARD."""
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

    FORWARD has two jumps, all else is in chains of the engine.

    has_stages: whether two chains keep networks apart; from 29 on one keeps internal ones apart.
    """
    outward = [bridge for bridge in bridges if not bridge.internal]
    routed = [bridge for bridge in outward if bridge.routed]
    isolation = _stages(bridges) if has_stages else _internal_chain(bridges)
    forward = ["-j DOCKER-CT", f"-j {first_of(isolation)}", "-j DOCKER-BRIDGE"]
    for bridge in bridges:
        forward += _passage_rules(bridge)
    ports = [rule for bridge in bridges for rule in _accepts(bridge)]
    ports += [f"-o {bridge.name} -p icmp -j ACCEPT" for bridge in routed]
    ports += [f"! -i {bridge.name} -o {bridge.name} -j DROP" for bridge in outward]
    return TableRules(
        own={
            "DOCKER": ports,
            "DOCKER-BRIDGE": [f"-o {bridge.name} -j DOCKER" for bridge in outward],
            "DOCKER-CT": [f"-o {bridge.name} {ESTABLISHED} -j ACCEPT" for bridge in outward],
            "DOCKER-FORWARD": forward,
            **isolation,
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


def _internal_chain(bridges: Sequence[Bridge]) -> dict[str, list[str]]:
    """The chain that keeps internal networks apart, as engine 29 writes it."""
    rules = [rule for bridge in bridges if bridge.internal for rule in _isolation(bridge)]
    return {"DOCKER-INTERNAL": rules}


def _passage_rules(bridge: Bridge) -> list[str]:
    """The rules for packets that the containers of a bridge send, as of engine 28.2."""
    name = bridge.name
    if bridge.internal:
        verdict = "ACCEPT" if bridge.talks else "DROP"
        return [f"-i {name} -o {name} -j {verdict}"]
    if bridge.talks:
        return [f"-i {name} -j ACCEPT"]
    return [f"-i {name} -o {name} -j DROP", f"-i {name} ! -o {name} -j ACCEPT"]


def _nat(
    bridges: Sequence[Bridge], *, has_proxy: bool, hairpin: bool, has_returns: bool
) -> TableRules:
    """The nat table.

    hairpin: a container that calls its own published port is masqueraded. has_returns: what comes
    from a bridge is not translated, and goes to docker-proxy.
    """
    translating = [bridge for bridge in bridges if not bridge.internal]
    published = [(bridge, port) for bridge in translating for port in bridge.translated_ports]
    leaving = [*_masquerades(translating, has_proxy=has_proxy)]
    if hairpin:
        leaving += [_hairpin(port) for _, port in published]
    returns = [
        f"-i {bridge.name} -j RETURN"
        for bridge in translating
        if bridge.masquerades or bridge.routed
    ]
    translations = [_translation(bridge, port, has_proxy=has_proxy) for bridge, port in published]
    local = TO_LOCAL_ADDRESSES
    return TableRules(
        own={"DOCKER": [*returns, *translations] if has_returns else translations},
        first={
            "PREROUTING": [local],
            "OUTPUT": [f"! -d 127.0.0.0/8 {local}" if has_proxy else local],
            "POSTROUTING": leaving,
        },
    )


def _masquerades(bridges: Sequence[Bridge], *, has_proxy: bool) -> Iterator[str]:
    """The rules that give packets from a bridge the host's address.

    Without docker-proxy there is one more for each bridge: it masks what the host itself sends to a
    published port.
    """
    for bridge in bridges:
        if bridge.masquerades and not bridge.routed:
            yield f"-s {bridge.subnet} ! -o {bridge.name} -j MASQUERADE"
    if not has_proxy:
        for bridge in bridges:
            yield f"-o {bridge.name} -m addrtype --src-type LOCAL -j MASQUERADE"


def _to_port(port: PublishedPort, number: int | None) -> str:
    return f"-p {port.protocol} -m {port.protocol} --dport {number}"


def _hairpin(port: PublishedPort) -> str:
    """A container that calls its own published port gets another source than itself."""
    own_address = f"-s {port.address}/32 -d {port.address}/32"
    return f"{own_address} {_to_port(port, port.port)} -j MASQUERADE"


def _translation(bridge: Bridge, port: PublishedPort, *, has_proxy: bool) -> str:
    """From a port of the host to that of a container.

    docker-proxy serves the packets that come from the bridge itself.
    """
    destination = f"-d {port.host_address}/32 " if port.host_address else ""
    source = f"! -i {bridge.name} " if has_proxy else ""
    target = f"-j DNAT --to-destination {port.address}:{port.port}"
    return f"{destination}{source}{_to_port(port, port.host_port)} {target}"


def _raw_table(bridges: Sequence[Bridge]) -> TableRules:
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
