"""Whether a connection gets through.

Its first packet and its replies, over all hooks they meet on a Docker host.

The way of a forwarded packet is prerouting, routing, forward, postrouting; routing is the caller's
knowledge (which interface leads where), so it comes in as arguments.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from diagnose.firewall.packet import Packet
from diagnose.firewall.values import Interval, Nets
from diagnose.firewall.walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from diagnose.firewall.actions import Translate
    from diagnose.firewall.flow import Reason
    from diagnose.firewall.packet import Field, Hook, Outcome
    from diagnose.firewall.rules import Ruleset
    from diagnose.firewall.verdict import PacketVerdict, Step

Part = Literal["request", "reply"]


class ConnectionVerdict(msgspec.Struct, frozen=True):
    """What becomes of a connection.

    `by`, `hook` and `part` say where it was decided, unless it is accepted. `nat` is the
    translation that the question is about: the destination's for a connection that comes in, the
    source's for one that goes out; `nat_unknown` says that it is not known, `nat_by` is the rule
    that translates the destination.
    """

    outcome: Outcome
    nat: Translate | None = None
    nat_unknown: bool = False
    by: Step | None = None
    hook: Hook | None = None
    part: Part = "request"
    reason: Reason = "rule"
    nat_by: Step | None = None

    @property
    def is_blocked(self) -> bool:
        """Whether the connection certainly does not get through."""
        return self.outcome in ("drop", "reject")


_Stage = tuple["Part", "Hook", "PacketVerdict"]


def reach_out(
    ruleset: Ruleset,
    *,
    bridge: str,
    src: str | Sequence[str],
    dst: str | None,
    uplink: str,
    proto: Literal["tcp", "udp"] = "tcp",
    dport: int = 443,
    inner: Sequence[str] = (),
) -> ConnectionVerdict:
    """A new connection from `src` on `bridge` to `dst` behind `uplink`.

    `nat` is its source translation.

    A `dst` of None is left open, outside of the subnets in `inner`. With several addresses as `src`
    the verdict is the one that all share, and unknown where they differ.
    """
    source, possible = _source(src)
    sent = Packet(
        bridge,
        "",
        source,
        dst,
        proto,
        _EPHEMERAL,
        dport,
        dst_local=False,
        src_local=False,
        inner=_networks(inner),
        possible=possible,
    )
    stages: list[_Stage] = [("request", "prerouting", before := walk(ruleset, "prerouting", sent))]
    routed = replace(before.packet, oif=uplink)
    stages += _forwarded(ruleset, routed, "request")
    _, _, after = stages[-1]
    stages += _replies(ruleset, routed, to_host=True, snat=after.nat is not None)
    return _joined(stages, after)


def reach_in(
    ruleset: Ruleset,
    *,
    uplink: str,
    src: str | None,
    host_address: str,
    host_port: int,
    bridges: Mapping[str, str],
    proto: Literal["tcp", "udp"] = "tcp",
    inner: Sequence[str] = (),
) -> ConnectionVerdict:
    """A new connection from `src` behind `uplink` to a port of the host.

    `nat` is where it is sent on to.

    `bridges` says which interface leads to which subnet it may be sent on to; another address is
    sent back out through the uplink. Without a translation the connection goes to a process of the
    host, and the input hook decides.
    """
    sent = _to_host(uplink, src, host_address, host_port, proto, inner)
    before = walk(ruleset, "prerouting", sent)
    stages: list[_Stage] = [("request", "prerouting", before)]
    if before.nat is None or before.nat.address is None:
        stages.append(("request", "input", walk(ruleset, "input", before.packet)))
        return _joined(stages, before)
    routed = replace(
        before.packet, oif=_way_to(before.nat.address, bridges) or uplink, dst_local=False
    )
    stages += _forwarded(ruleset, routed, "request")
    stages += _replies(ruleset, routed)
    return _joined(stages, before)


def refused_by_host(
    ruleset: Ruleset,
    *,
    uplink: str,
    src: str | None,
    host_address: str,
    host_port: int,
    proto: Literal["tcp", "udp"] = "tcp",
    inner: Sequence[str] = (),
) -> ConnectionVerdict:
    """A new connection to a process of the host itself, as if nothing translated the port."""
    verdict = walk(ruleset, "input", _to_host(uplink, src, host_address, host_port, proto, inner))
    return _joined([("request", "input", verdict)], verdict)


def reach_between(
    ruleset: Ruleset,
    *,
    bridge: str,
    src: str,
    dst: str,
    proto: Literal["tcp", "udp"] = "tcp",
    dport: int = 80,
) -> ConnectionVerdict:
    """A new connection between two containers of one bridge.

    As the IP filter sees it where br_netfilter shows it bridged packets.
    """
    sent = Packet(bridge, "", src, dst, proto, _EPHEMERAL, dport, dst_local=False, src_local=False)
    stages: list[_Stage] = [("request", "prerouting", before := walk(ruleset, "prerouting", sent))]
    bridged = replace(before.packet, oif=bridge)
    stages += _forwarded(ruleset, bridged, "request")
    stages += _replies(ruleset, bridged)
    return _joined(stages, before)


def _to_host(
    uplink: str,
    src: str | None,
    address: str,
    port: int,
    proto: Literal["tcp", "udp"],
    inner: Sequence[str],
) -> Packet:
    """The first packet of a connection from behind the uplink to an address of the host."""
    return Packet(
        uplink,
        "",
        src,
        address,
        proto,
        _EPHEMERAL,
        port,
        dst_local=True,
        src_local=False,
        inner=_networks(inner),
    )


def _forwarded(ruleset: Ruleset, routed: Packet, part: Part) -> Iterator[_Stage]:
    """The stages of a packet for which routing has chosen the interface it leaves through."""
    through = walk(ruleset, "forward", routed)
    yield part, "forward", through
    yield part, "postrouting", walk(ruleset, "postrouting", through.packet)


def _source(
    src: str | Sequence[str],
) -> tuple[str | None, tuple[tuple[Field, tuple[int, ...]], ...]]:
    if isinstance(src, str):
        return src, ()
    if len(src) == 1:
        return src[0], ()
    return None, (("src", tuple(sorted(int(ip_address(address)) for address in src))),)


def _networks(subnets: Sequence[str]) -> Nets | None:
    if not subnets:
        return None
    networks = [ip_network(subnet) for subnet in subnets]
    return Nets(Interval(int(net.network_address), int(net.broadcast_address)) for net in networks)


def _way_to(address: str, bridges: Mapping[str, str]) -> str | None:
    wanted = ip_address(address)
    return next(
        (bridge for subnet, bridge in bridges.items() if wanted in ip_network(subnet)), None
    )


_EPHEMERAL = 40_000
_OPPOSITE: Mapping[Field, Field] = {"src": "dst", "dst": "src", "sport": "dport", "dport": "sport"}
"""What a field of a packet is in the reply to it."""


def _replies(
    ruleset: Ruleset, sent: Packet, *, to_host: bool = False, snat: bool = False
) -> Iterator[_Stage]:
    """The stages of the answer to a packet that was forwarded.

    Its addresses as they are once translated back.

    On prerouting the answer to a connection with a translated source still carries the host's own
    address, which the caller need not know: that stage is left out.
    """
    reply = replace(
        sent,
        iif=sent.oif,
        oif=sent.iif,
        src=sent.dst,
        dst=sent.src,
        sport=sent.dport,
        dport=sent.sport,
        state="established",
        reply=True,
        snat=snat,
        mark=0,
        orig_src=sent.orig_src or sent.src,
        orig_dst=sent.orig_dst or sent.dst,
        orig_sport=sent.orig_sport or sent.sport,
        orig_dport=sent.orig_dport or sent.dport,
        possible=tuple((_OPPOSITE.get(name, name), numbers) for name, numbers in sent.possible),
    )
    if not to_host:
        before = walk(ruleset, "prerouting", replace(reply, oif=""))
        yield "reply", "prerouting", before
        reply = replace(before.packet, oif=reply.oif)
    yield from _forwarded(ruleset, reply, "reply")


def _joined(stages: Iterable[_Stage], translating: PacketVerdict) -> ConnectionVerdict:
    """The first stage that blocks decides; without one, the first that is not understood.

    A translation that is not known matters before routing only: it says where the packet goes.
    """
    unsure: _Stage | None = None
    for stage in stages:
        part, hook, verdict = stage
        if verdict.outcome in ("drop", "reject"):
            return ConnectionVerdict(
                verdict.outcome,
                nat=translating.nat,
                nat_unknown=translating.nat_unknown,
                by=verdict.by,
                hook=hook,
                part=part,
            )
        astray = hook == "prerouting" and verdict.nat_unknown
        if unsure is None and (verdict.outcome == "unknown" or astray):
            unsure = stage
    if unsure is not None:
        part, hook, verdict = unsure
        return ConnectionVerdict(
            "unknown",
            nat=translating.nat,
            nat_unknown=translating.nat_unknown,
            by=verdict.by,
            hook=hook,
            part=part,
        )
    return ConnectionVerdict("accept", translating.nat)
