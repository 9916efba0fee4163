"""The way out of a bridge network, for each running container on it."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.walks import (
    Attached,
    Walks,
    address_of,
    is_decided,
    leaves_by_another_interface,
    ordinary_peer,
    verdict_of,
)
from diagnose.evidence.network.uplinks import Uplink
from diagnose.firewall.connection_verdict import ConnectionVerdict
from diagnose.firewall.flow import Flow, Origin, Trace
from diagnose.firewall.packet import Family
from diagnose.firewall.trace import trace
from diagnose.mappings import by_key

SAMPLES: tuple[tuple[Literal["tcp", "udp"], int], ...] = (("tcp", 443), ("udp", 53), ("tcp", 80))
"""The packets that a container is assumed to send: a filter that accepts one of these is a policy,
not an outage."""


class OutboundPath(msgspec.Struct, frozen=True):
    """A running container's way out of one bridge network."""

    container: Container
    network: Network
    address: str
    uplink: Uplink
    """The interface of this network's packets, which is a tunnel where a VPN has set routes."""
    reach: ConnectionVerdict
    """The verdict for a destination left open."""
    sample: ConnectionVerdict
    """For an ordinary peer, which shows what becomes of the source address. Each is the best of
    `SAMPLES`."""
    family: Family = "ip"

    @property
    def is_guarded(self) -> bool:
        """Whether the engine's own rule against direct access drops the answers.

        Engines from 28 on let in what is sent to a container's address by its bridge alone. With
        the network's translation off, that rule meets the answers of others too.
        """
        step = self.sample.by
        part = self.sample.part
        if not self.sample.is_blocked or part != "reply" or step is None:
            return False
        bridge = self.network.bridge
        if step.chain == "raw-PREROUTING":  # of engine 29's nftables backend
            return f'daddr {self.address} iifname != "{bridge}" drop' in step.rule
        bits = 32 if self.family == "ip" else 128
        rule = f"-d {self.address}/{bits} ! -i {bridge} "
        return step.table.endswith(" raw") and step.rule.startswith(rule)

    @property
    def is_untranslated(self) -> bool:
        """Whether packets to an ordinary peer certainly leave with the container's own address."""
        sample = self.sample
        return sample.outcome == "accept" and sample.nat is None and not sample.nat_unknown

    @property
    def is_masqueraded(self) -> bool:
        """Whether the kernel chooses an address of the uplink for them."""
        nat = self.sample.nat
        return self.sample.outcome == "accept" and nat is not None and nat.kind == "masquerade"

    @property
    def snat_address(self) -> str:
        """The address that a rule certainly gives them; empty where none does."""
        sample = self.sample
        nat = self.sample.nat
        if sample.outcome != "accept" or sample.nat_unknown:
            return ""
        if nat is None or nat.kind != "snat":
            return ""
        return nat.address or ""

    @property
    def waits_for_unknown(self) -> bool:
        """Whether the translation depends on something that is not known.

        Where no route leads out no packet reaches the translation.
        """
        sample = self.sample
        reaches_nat = not sample.nat_unknown or sample.by is not None
        return reaches_nat and (sample.nat_unknown or sample.outcome == "unknown")

    @property
    def block(self) -> ConnectionVerdict | None:
        """The verdict that certainly blocks: requests to any peer, or answers of an ordinary peer.

        Requests that only some destinations do not get are a policy. Nobody intends to ask and to
        drop the answer.
        """
        if self.reach.is_blocked:
            return self.reach
        return self.sample if self.sample.is_blocked and self.sample.part == "reply" else None


class _Verdicts(NamedTuple):
    """The verdicts on any peer and on an ordinary peer, as in `OutboundPath`."""

    reach: ConnectionVerdict
    sample: ConnectionVerdict


class _NetworkWay(msgspec.Struct, frozen=True):
    """The way out of one network."""

    uplink: Uplink
    verdicts: _Verdicts
    """On all addresses of its containers at once."""

    @property
    def is_shared(self) -> bool:
        """Whether no rule tells some of its containers apart."""
        return all(is_decided(verdict) for verdict in self.verdicts)


def outbound_paths_of(
    walks: Walks, attached: list[Attached], family: Family
) -> Iterator[OutboundPath]:
    """The ways out of each network.

    One trace for all containers of a network, and one for each where a rule distinguishes them.
    """
    addresses = by_key(
        (network.name, address_of(endpoint, family)) for _, network, endpoint in attached
    )
    ways: dict[str, _NetworkWay] = {}
    for container, network, endpoint in attached:
        members = tuple(addresses[network.name])
        if network.name not in ways:
            ways[network.name] = _network_way(walks, network, members, family)
        way = ways[network.name]
        address = address_of(endpoint, family)
        verdicts = way.verdicts
        if len(members) > 1 and not way.is_shared:
            verdicts = _verdicts_out(walks, network, address, way.uplink, family)
        yield OutboundPath(container, network, address, way.uplink, *verdicts, family)


def _network_way(
    walks: Walks, network: Network, members: tuple[str, ...], family: Family
) -> _NetworkWay:
    """The way of all members of a network at once, by the uplink of the first."""
    uplink = walks.outward(network, members[0], family)
    return _NetworkWay(uplink, _verdicts_out(walks, network, members, uplink, family))


def _verdicts_out(
    walks: Walks, network: Network, src: str | tuple[str, ...], uplink: Uplink, family: Family
) -> _Verdicts:
    """On a destination left open, and on an ordinary peer."""
    origin = Origin(network.bridge, src)

    def best(dst: str | None) -> ConnectionVerdict:
        """The verdict on the sample that comes furthest; None is any address outside."""
        verdicts = []
        for proto, port in SAMPLES:
            traced = trace(walks.stack, Flow(origin, dst, proto, port, family, assumed=uplink.name))
            if _ends_at_host(traced):
                continue
            verdict = _outgoing_verdict(traced, network.bridge, is_hidden=network.masquerades)
            if verdict.outcome == "accept":
                return verdict
            verdicts.append(verdict)
        if not verdicts:
            return ConnectionVerdict("accept", nat_unknown=True)
        return min(verdicts, key=lambda verdict: verdict.is_blocked)

    return _Verdicts(best(None), best(ordinary_peer(family)))


def _ends_at_host(traced: Trace) -> bool:
    """Whether a rule leads a container's packets to a program of the host.

    A transparent proxy takes them: they tell nothing about what leaves.
    """
    return traced.nat is not None and traced.to == ""


def _outgoing_verdict(traced: Trace, bridge: str, *, is_hidden: bool) -> ConnectionVerdict:
    """A trace as the packet filter's verdict; routes are judged elsewhere.

    is_hidden: whether the engine should translate the source; answers to an untranslated one are
    lost.
    """
    obstacle = traced.obstacle
    if obstacle is None:
        return verdict_of(traced, nat=True)
    if obstacle.reason != "rule" or leaves_by_another_interface(traced, "reply", [bridge]):
        return ConnectionVerdict("accept", traced.snat, nat_unknown=traced.snat is None)
    is_blocked_reply = obstacle.part == "reply" and traced.is_blocked
    if is_blocked_reply and is_hidden and traced.snat is None:
        return ConnectionVerdict("accept")
    return verdict_of(traced, nat=True)
