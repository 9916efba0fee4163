"""One connection, walked forth and back through a host.

Every hook that the kernel runs, and its choice of routes.

A packet that comes in meets, in this order: the ingress of its device, a bridge's own chains where
it came by a bridge's port, prerouting, the choice of a route with the check of its source, then
input or forward and postrouting. One that the host sends meets output, a second choice of a route
where its mark or destination changed, and postrouting; sent to the host itself it comes in again by
`lo`. Packets between two ports of one bridge meet IP's chains where br_netfilter shows them. An
answer takes the same hooks in the other direction, with conntrack undoing what was translated.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec.structs import replace

from diagnose.firewall.packet import Packet
from diagnose.firewall.routing import RouteDecision
from diagnose.firewall.verdict import PacketVerdict, Step
from diagnose.firewall.walk import walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from diagnose.firewall.actions import Translate
    from diagnose.firewall.packet import Family, Field, Hook, Outcome
from diagnose.firewall.flow import EPHEMERAL, Flow, Obstacle, Origin, Part, Reason, Stage, Trace
from diagnose.firewall.stack import Stack

_ROUTING = "routing"


class _StoppedError(Exception):
    """A packet certainly goes no further."""

    def __init__(self, outcome: Outcome, obstacle: Obstacle) -> None:
        super().__init__(str(obstacle.by))
        self.outcome: Outcome = outcome
        self.obstacle = obstacle


class _Arrival(msgspec.Struct, frozen=True):
    """Where a packet came out: the interface it left by, or "" at the host itself."""

    device: str
    packet: Packet


def trace(stack: Stack, flow: Flow) -> Trace:
    """The way of a connection's first packet, and of the answer to it. Pure."""
    tracer = _Tracer(stack, flow)
    try:
        sent = tracer.first_packet()
        arrival = tracer.send("request", sent)
        tracer.arrived = arrival
        tracer.answer(sent, arrival)
    except _StoppedError as stopped:
        is_unknown = stopped.outcome == "unknown" and tracer.doubt is not None
        return tracer.result(stopped.outcome, tracer.doubt if is_unknown else stopped.obstacle)
    if tracer.doubt is not None:
        return tracer.result("unknown", tracer.doubt)
    return tracer.result("accept", None)


class _Tracer:
    """One walk: its stages, the first doubt, and the translations so far."""

    def __init__(self, stack: Stack, flow: Flow) -> None:
        self._stack = stack
        self._flow = flow
        self._stages: list[Stage] = []
        self.doubt: Obstacle | None = None
        self.arrived: _Arrival | None = None
        self._nat: Translate | None = None
        self._nat_by: Step | None = None
        self._snat: Translate | None = None
        self._nat_unknown = False

    def result(self, outcome: Outcome, obstacle: Obstacle | None) -> Trace:
        return Trace(
            outcome,
            tuple(self._stages),
            self._nat,
            self._snat,
            self._nat_unknown,
            obstacle,
            self.arrived.device if self.arrived else None,
            self.arrived.packet if self.arrived else None,
            self._nat_by,
        )

    def first_packet(self) -> Packet:
        origin, flow = self._flow.origin, self._flow
        src, possible = _one_or_several(origin.src)
        by_host = not origin.device
        return Packet(
            iif=origin.device,
            oif="",
            src=src,
            dst=flow.dst,
            proto=flow.proto,
            sport=None if flow.proto == "icmp" else EPHEMERAL,
            dport=flow.dport,
            family=flow.family,
            icmp=flow.icmp,
            dst_local=self._stack.is_local(flow.dst) if flow.dst else False,
            src_local=by_host,
            inner=self._stack.inner_nets,
            possible=possible,
            uid=origin.uid if by_host else -1,
            gid=None if by_host else -1,
            physin=origin.port or (None if self._is_bridge(origin.device) else ""),
            brin="",
            reverse_path=True,
        )

    # -- one packet ----------------------------------------

    def send(self, part: Part, packet: Packet) -> _Arrival:
        """A packet from where its party is."""
        return self.output(part, packet) if not packet.iif else self.receive(part, packet)

    def receive(
        self,
        part: Part,
        packet: Packet,
        undo: Mapping[str, Any] | None = None,
        nat_done: bool = False,
    ) -> _Arrival:
        """A packet that comes in by an interface.

        undo: what conntrack restores of an answer's destination.
        """
        packet = replace(self._by_device(part, packet), reverse_path=self._comes_back(packet))
        packet = self._walk(part, "prerouting", packet, undo=undo, nat_done=nat_done)
        dst = self._some("dst", packet)
        if dst is not None:
            here = self._stack.local.get(dst) == packet.iif
            packet = replace(packet, dst_local=self._stack.is_local(dst), here_in=here)
        decision = self._route_in(part, packet)
        if decision.kind == "local" or packet.dst_local:
            return _Arrival("", self._walk(part, "input", packet, nat_done=nat_done))
        return self._forward(part, packet, decision)

    def output(self, part: Part, packet: Packet, nat_done: bool = False) -> _Arrival:
        """A packet that the host sends."""
        decision = self._route(part, packet, "output")
        src = self._source(packet, decision)
        if packet.src is None and src is not None and part == "request":
            # ip_route_connect asks again once the source is known, and rules may name it
            decision = self._route(part, replace(packet, src=src), "output")
        before = replace(packet, src=src, oif=decision.oif or "lo", src_local=True)
        after = self._walk(part, "output", before, nat_done=nat_done)
        after = self._routed_again(part, before, after)
        after = self._walk(part, "postrouting", after, nat_done=nat_done)
        if after.oif == "lo" or after.dst_local:
            return self.receive(
                part, replace(after, iif="lo", oif="", uid=-1, gid=-1), nat_done=True
            )
        self._leave(part, after)
        return _Arrival(after.oif or "", after)

    def _source(self, packet: Packet, decision: RouteDecision) -> str | None:
        """The source address of a packet that the host sends; None where it is not known."""
        src = packet.src or decision.src
        if src is not None or not decision.oif:
            return src
        if packet.dst_local:
            return packet.dst
        neighbour = decision.gateway or packet.dst
        return self._stack.address_on(decision.oif, packet.family, neighbour)

    def _routed_again(self, part: Part, before: Packet, after: Packet) -> Packet:
        """A packet of the host after the output hook: a translation or a mark changes its route."""
        if after.dst is None:
            return replace(after, oif="lo") if after.dst_local else after
        if after.dst == before.dst and after.mark == before.mark:
            return after
        after = replace(after, dst_local=self._stack.is_local(after.dst))
        decision = self._route(part, after, "output")
        after = replace(after, oif=decision.oif or "lo")
        self._check_loopback_source(part, after)
        return after

    def _check_loopback_source(self, part: Part, packet: Packet) -> None:
        """A packet from 127.0.0.1 that a translation leads out of the host (__mkroute_output).

        The kernel sends it only by an interface that has route_localnet on.
        """
        settings = self._stack.settings
        device = packet.oif or ""
        is_known = bool(settings.forwarding)
        if packet.src is None or not packet.src.startswith("127.") or device in ("", "lo"):
            return
        if is_known and device not in settings.route_localnet:
            self._stop("drop", "route", f"route_localnet of {device} is 0", part, "output", device)

    def _forward(self, part: Part, packet: Packet, decision: RouteDecision) -> _Arrival:
        settings = self._stack.settings
        if packet.family == "ip6":
            on: bool | None = settings.forwarding6
        else:
            on = settings.forwarding.get(packet.iif or "", True)
        if on is False:
            self._stop("drop", "forwarding", "forwarding is off", part, "forward", packet.iif or "")
        routed = replace(packet, oif=decision.oif, dst_local=False, physin="", physout="")
        if part == "reply" and decision.oif and self.doubt is None:
            # Rules meet it on a way that leads nowhere: the route is what has to change.
            self._home(self._flow.origin, _Arrival(decision.oif, routed))
        routed = self._walk(part, "forward", routed)
        routed = self._walk(part, "postrouting", routed)
        self._leave(part, routed)
        return _Arrival(routed.oif or "", routed)

    def _leave(self, part: Part, packet: Packet) -> None:
        """A packet leaves through an interface, and by some port where that is a bridge."""
        if self._is_bridge(packet.oif or "") and self._stack.ruleset.uses_bridges:
            self._bridge_walk(part, "output", replace(packet, iif="", brout=packet.oif, oif=None))
            self._bridge_walk(
                part, "postrouting", replace(packet, iif="", brout=packet.oif, oif=None)
            )
        if self._stack.ruleset.uses_devices:
            self._check(
                part,
                "egress",
                walk(
                    self._stack.ruleset, "egress", packet, layer="netdev", device=packet.oif or ""
                ),
            )

    def _by_device(self, part: Part, packet: Packet) -> Packet:
        """The hooks of the device and the bridge that a packet comes in by."""
        ruleset = self._stack.ruleset
        if ruleset.uses_devices:
            for device in filter(None, (packet.physin, packet.iif)):
                unseen = replace(packet, state=None)
                self._check(
                    part, "ingress", walk(ruleset, "ingress", unseen, layer="netdev", device=device)
                )
            self._by_some_port(part, packet)
        if ruleset.uses_bridges and self._is_bridge(packet.iif or ""):
            frame = replace(packet, iif=packet.physin or None, brin=packet.iif)
            self._bridge_walk(part, "prerouting", frame)
            self._bridge_walk(part, "input", frame)
        return packet

    def _by_some_port(self, part: Part, packet: Packet) -> None:
        """A packet by a port of a bridge that is not known.

        What one port's hook drops may be this packet.
        """
        bridge = self._stack.by_name.get(packet.iif or "")
        if packet.physin is not None or bridge is None:
            return
        for port in bridge.ports:
            verdict = walk(
                self._stack.ruleset,
                "ingress",
                replace(packet, state=None),
                layer="netdev",
                device=port,
            )
            if verdict.outcome != "accept" and verdict.by is not None:
                self.doubt = self.doubt or Obstacle("rule", verdict.by, part, "ingress")

    def _bridge_walk(self, part: Part, hook: Hook, packet: Packet) -> None:
        self._check(part, hook, walk(self._stack.ruleset, hook, packet, layer="bridge"))

    # -- across one bridge ----------------------------------------

    def bridged(
        self, part: Part, packet: Packet, out_port: str, undo: Mapping[str, Any] | None = None
    ) -> Packet:
        """A packet from one port of a bridge to another."""
        settings = self._stack.settings
        bridge = packet.iif or ""
        seen = replace(packet, oif=bridge, physin=packet.physin or None, physout=out_port or None)
        if self._stack.ruleset.uses_bridges:
            frame = replace(
                packet, iif=packet.physin or None, oif=out_port or None, brin=bridge, brout=bridge
            )
            hooks: tuple[Hook, ...] = ("prerouting", "forward", "postrouting")
            for hook in hooks:
                self._bridge_walk(part, hook, frame)
        if not (settings.bridge_filter6 if packet.family == "ip6" else settings.bridge_filter):
            return packet
        seen = self._walk(part, "prerouting", replace(seen, oif=""), undo=undo)
        if seen.dst != packet.dst and undo is None:
            return seen
        seen = self._walk(part, "forward", replace(seen, oif=bridge))
        return self._walk(part, "postrouting", seen)

    # -- the answer ----------------------------------------

    def answer(self, sent: Packet, arrival: _Arrival) -> None:
        """The answer to a packet, from where it arrived back to where it began."""
        request = arrival.packet
        reply = _reply(request)
        undo = _undo(sent, request)
        source = self._flow.origin
        if not arrival.device:
            self._answer_of_host(sent, replace(reply, iif="", uid=None, gid=None, src_local=True))
            return
        self._check_beside(sent, arrival)
        back = self._flow.answers_by or arrival.device
        if request.snat and reply.dst is None:
            reply = replace(reply, dst=self._stack.address_on(arrival.device, request.family))
        reply = replace(
            reply,
            iif=back,
            physin=None if self._is_bridge(back) else "",
            dst_local=self._stack.is_local(reply.dst),
        )
        end = self.receive("reply", reply, undo=undo)
        self._home(source, end)

    def _check_beside(self, sent: Packet, arrival: _Arrival) -> None:
        """A packet that was sent on into the bridge that it came from.

        The answer goes there directly, without the host, unless the source was translated
        too, or br_netfilter has conntrack see bridged packets.
        """
        packet = arrival.packet
        if arrival.device != sent.iif or packet.snat or not self._is_bridge(arrival.device):
            return
        if packet.dst is not None and packet.dst == sent.src:
            self._stop(
                "drop",
                "elsewhere",
                f"{packet.dst} is sent its own packet",
                "request",
                "postrouting",
                arrival.device,
            )
        settings = self._stack.settings
        seen = settings.bridge_filter6 if sent.family == "ip6" else settings.bridge_filter
        if packet.dnat and not seen:
            text = (
                f"{packet.dst} answers its neighbour directly, "
                "not through the host that translated the request"
            )
            self._stop("drop", "elsewhere", text, "reply", "prerouting", arrival.device)

    def _answer_of_host(self, sent: Packet, reply: Packet) -> None:
        """The host's own answer. One to itself ends where it began."""
        if sent.src_local:
            local = replace(reply, dst_local=True, oif="lo")
            after = self._walk("reply", "output", local, nat_done=True)
            after = self._walk("reply", "postrouting", after, nat_done=True)
            self.receive("reply", replace(after, iif="lo", oif="", uid=-1, gid=-1), nat_done=True)
            return
        self._home(
            self._flow.origin, self.output("reply", replace(reply, dst_local=False), nat_done=True)
        )

    def _home(self, origin: Origin, end: _Arrival) -> None:
        """Whether an answer leaves through the interface that leads to who asked."""
        if end.device == origin.device or not origin.device:
            return
        packet = end.packet
        text = (
            f"answers to {packet.dst or 'clients'} leave "
            f"through {end.device or 'no interface'}, not through {origin.device}"
        )
        self._stop("drop", "elsewhere", text, "reply", "postrouting", end.device)

    # -- hooks and routes ----------------------------------------

    def _walk(
        self,
        part: Part,
        hook: Hook,
        packet: Packet,
        undo: Mapping[str, Any] | None = None,
        nat_done: bool = False,
    ) -> Packet:
        verdict = walk(self._stack.ruleset, hook, packet, undo=undo, nat_done=nat_done)
        self._check(part, hook, verdict)
        if part == "request":
            if hook in ("prerouting", "output"):
                self._nat = verdict.nat or self._nat
                self._nat_by = verdict.nat_by or self._nat_by
                self._nat_unknown = self._nat_unknown or verdict.nat_unknown
            elif verdict.nat is not None:
                self._snat = verdict.nat
            if verdict.nat_unknown and self.doubt is None and verdict.by is not None:
                self.doubt = Obstacle("rule", verdict.by, part, hook)
        return self._with_own_address(verdict)

    def _with_own_address(self, verdict: PacketVerdict) -> Packet:
        """The packet as it leaves.

        A masqueraded one has the host's address on the interface by which it leaves.
        """
        packet = verdict.packet
        if verdict.nat is None or verdict.nat.kind != "masquerade":
            return packet
        route = self._stack.routing.look_up(packet.dst) if packet.dst is not None else None
        towards = (route.gateway if route else None) or packet.dst
        return replace(packet, src=self._stack.address_on(packet.oif or "", packet.family, towards))

    def _check(self, part: Part, hook: Hook, verdict: PacketVerdict) -> None:
        self._stages.append(Stage(part, hook, verdict))
        if verdict.outcome == "accept":
            return
        obstacle = Obstacle("rule", verdict.by or Step("", "", "unknown"), part, hook)
        if verdict.is_blocked and self.doubt is None:
            raise _StoppedError(verdict.outcome, obstacle)
        if verdict.is_blocked:
            # what went before is in doubt: blocked there, or blocked here
            raise _StoppedError(verdict.outcome if self._only_verdicts else "unknown", obstacle)
        self.doubt = self.doubt or obstacle

    @property
    def _only_verdicts(self) -> bool:
        """Whether the doubt so far is about being let through, not about where the packet goes."""
        goes_anywhere = self.doubt is not None and self.doubt.reason == "route"
        return not self._nat_unknown and not goes_anywhere

    def _route_in(self, part: Part, packet: Packet) -> RouteDecision:
        """The route of a packet that came in, once its source is believed."""
        if packet.dst_local and packet.dst is None:
            return RouteDecision("local")
        self._check_source(part, packet)
        return self._route(part, replace(packet, src=self._some("src", packet)), "prerouting")

    def _route(self, part: Part, packet: Packet, hook: Hook) -> RouteDecision:
        dst = self._some("dst", packet)
        if dst is None:
            return RouteDecision("unicast", self._flow.assumed)
        # a packet of the host itself is routed before it has a source, unless it answers one
        decision = self._stack.routing.look_up(dst, packet.src, packet.iif or "lo", packet.mark)
        if decision.kind == "unknown":
            self.doubt = self.doubt or Obstacle(
                "route", Step(_ROUTING, "", decision.by), part, hook
            )
            return replace(decision, oif=self._flow.assumed)
        if decision.is_refused:
            text = decision.by if decision.kind != "none" else f"no route to {dst}"
            self._stop("reject", "route", text, part, hook)
        return decision

    def _some(self, field: Literal["src", "dst"], packet: Packet) -> str | None:
        """An address of the packet, or one of the possible ones: they lie in one subnet."""
        address = packet.src if field == "src" else packet.dst
        if address is None and field in packet.choices:
            return _address(packet.choices[field][0], packet.family)
        return address

    def _comes_back(self, packet: Packet) -> bool | None:
        """Whether the way back to a packet's source leads by the interface that it came in by.

        An ordinary peer's does.
        """
        source = self._some("src", packet)
        if source is None or packet.iif == "lo":
            return True
        back = self._stack.routing.look_up(source)
        if back.kind == "unknown":
            return None
        return back.oif == packet.iif

    def _check_source(self, part: Part, packet: Packet) -> None:
        """fib_validate_source.

        A source that is the host's own, or whose way back leads elsewhere where rp_filter
        is on.
        """
        source, device = self._some("src", packet), packet.iif or ""
        if source is None or device == "lo" or packet.family == "ip6":
            return
        settings = self._stack.settings
        if self._stack.is_local(source):
            if device not in settings.accept_local:
                self._stop(
                    "drop",
                    "reverse path",
                    f"source {source} is an address of this host",
                    part,
                    "prerouting",
                    device,
                )
            return
        mode = settings.reverse_path.get(device, 0)
        if not mode:
            return
        mark = packet.mark if device in settings.marked_reverse_path else 0
        back = self._stack.routing.look_up(source, self._some("dst", packet), "lo", mark)
        if back.kind == "unknown":
            self.doubt = self.doubt or Obstacle(
                "reverse path", Step(_ROUTING, device, back.by), part, "prerouting"
            )
            return
        if (back.kind == "unicast" and back.oif == device) or (
            mode == 2 and back.kind == "unicast"
        ):
            return
        text = f"rp_filter={mode}: the way back to {source} leads by {back.oif or 'no interface'}"
        self._stop("drop", "reverse path", text, part, "prerouting", device)

    def _stop(
        self, outcome: Outcome, reason: Reason, text: str, part: Part, hook: Hook, where: str = ""
    ) -> None:
        outcome = outcome if self._only_verdicts else "unknown"
        raise _StoppedError(outcome, Obstacle(reason, Step(_ROUTING, where, text), part, hook))

    def _is_bridge(self, device: str) -> bool:
        interface = self._stack.by_name.get(device)
        return interface is not None and (interface.kind == "bridge" or bool(interface.ports))


def trace_bridged(stack: Stack, flow: Flow, out_port: str = "") -> Trace:
    """A connection between two containers on one bridge.

    The bridge hands its frames on, and br_netfilter may show them to IP's chains.
    """
    tracer = _Tracer(stack, flow)
    try:
        sent = tracer.first_packet()
        at = tracer.bridged("request", sent, out_port)
        tracer.arrived = _Arrival(flow.origin.device, at)
        undo = _undo(sent, at)
        reply = replace(_reply(at), iif=flow.origin.device, physin=out_port or None)
        tracer.bridged("reply", reply, flow.origin.port, undo=undo)
    except _StoppedError as stopped:
        is_unknown = stopped.outcome == "unknown" and tracer.doubt is not None
        return tracer.result(stopped.outcome, tracer.doubt if is_unknown else stopped.obstacle)
    if tracer.doubt is not None:
        return tracer.result("unknown", tracer.doubt)
    return tracer.result("accept", None)


_OPPOSITE: Mapping[Field, Field] = {"src": "dst", "dst": "src", "sport": "dport", "dport": "sport"}
"""What a field of a packet is in the reply to it."""


def _undo(sent: Packet, arrived: Packet) -> dict[str, Any] | None:
    """What conntrack restores of the destination of an answer.

    The source of the request was translated.
    """
    if not arrived.snat:
        return None
    return {
        "dst": sent.src or arrived.orig_src,
        "dport": sent.sport,
        "possible": tuple((_OPPOSITE.get(name, name), numbers) for name, numbers in sent.possible),
    }


def _reply(sent: Packet) -> Packet:
    """The answer to a packet as it arrived, before conntrack has undone anything."""
    return replace(
        sent,
        iif=sent.oif,
        oif="",
        src=sent.dst,
        dst=sent.src,
        sport=sent.dport,
        dport=sent.sport,
        state="established",
        reply=True,
        mark=0,
        icmp=None,
        orig_src=sent.orig_src or sent.src,
        orig_dst=sent.orig_dst or sent.dst,
        orig_sport=sent.orig_sport or sent.sport,
        orig_dport=sent.orig_dport or sent.dport,
        src_local=sent.dst_local,
        dst_local=sent.src_local,
        uid=-1,
        gid=-1,
        physin="",
        physout="",
        possible=tuple((_OPPOSITE.get(name, name), numbers) for name, numbers in sent.possible),
    )


def _one_or_several(
    src: str | Sequence[str] | None,
) -> tuple[str | None, tuple[tuple[Field, tuple[int, ...]], ...]]:
    if src is None or isinstance(src, str):
        return src, ()
    if len(src) == 1:
        return src[0], ()
    return None, (("src", tuple(sorted(int(ip_address(address)) for address in src))),)


def _address(number: int, family: Family) -> str:
    return str(IPv4Address(number) if family == "ip" else IPv6Address(number))
