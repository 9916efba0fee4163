"""The walk of one connection through a host, request and answer.

It visits every hook that the kernel runs, and makes the kernel's choices of routes.

A packet from outside meets, in this order: the ingress of its device, a bridge's own chains if it
came in by a bridge's port, prerouting, the choice of a route with the check of its source, then
input or forward and postrouting. A packet that the host sends meets output, a second choice of a
route where its mark or destination changed, and postrouting; one to the host itself comes in again
by `lo`. Packets between two ports of one bridge meet the chains of IP where br_netfilter is on. An
answer meets the same hooks in the other direction, where conntrack reverses the translation. Later
packets of a TCP client meet the hooks of its first packet, in state established.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from diagnose.firewall.connection_packets import (
    first_packet,
    later_request,
    one_of,
    reply_to,
    restored,
    translated,
)
from diagnose.firewall.flow import Flow, Obstacle, Part, Trace
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.route_steps import Router
from diagnose.firewall.trace_record import Arrival, TraceEndedError, TraceRecord
from diagnose.firewall.untracked import untracked
from diagnose.firewall.walk import walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from diagnose.firewall.packet import Hook, Packet
    from diagnose.firewall.routing import RouteDecision


def trace(stack: NetworkStack, flow: Flow) -> Trace:
    """The way of a connection's first packet, and of the answer to it. Pure."""
    tracer = _Tracer(stack, flow)
    try:
        sent = first_packet(stack, flow)
        arrival = tracer.send("request", sent)
        tracer.record.arrived = arrival
        tracer.answer(sent, arrival)
        tracer.go_on(arrival.packet)
    except TraceEndedError as stopped:
        return tracer.record.stopped(stopped)
    return tracer.record.result()


def trace_bridged(stack: NetworkStack, flow: Flow, out_port: str = "") -> Trace:
    """A connection between two containers on one bridge.

    The bridge hands its frames on, and br_netfilter may show them to IP's chains.
    """
    tracer = _Tracer(stack, flow)
    bridge = flow.origin.device
    try:
        sent = first_packet(stack, flow)
        arrived = tracer.bridged("request", sent, out_port)
        tracer.record.arrived = Arrival(bridge, arrived)
        reply = replace(reply_to(arrived), iif=bridge, physin=out_port or None)
        tracer.bridged("reply", reply, flow.origin.port, undo=restored(sent, arrived))
        tracer.go_on(arrived)
    except TraceEndedError as stopped:
        return tracer.record.stopped(stopped)
    return tracer.record.result()


class _Tracer:
    """The hooks that the packets of one connection meet."""

    def __init__(self, stack: NetworkStack, flow: Flow) -> None:
        self._stack = stack
        self._flow = flow
        self.record = TraceRecord()
        self._routes = Router(stack, self.record, flow.assumed)
        self._requests: list[tuple[Hook, Packet]] = []
        """The first packet as it came to each of IP's hooks."""

    # -- one packet ----------------------------------------

    def send(self, part: Part, packet: Packet) -> Arrival:
        """A packet from where its party is."""
        return self.output(part, packet) if not packet.iif else self.receive(part, packet)

    def go_on(self, arrived: Packet) -> None:
        """Walk a later packet of the TCP client, sent once the answer has arrived.

        Conntrack knows the connection then, and rules for new ones no longer count. The packet
        takes the way of the first one: only hooks whose rules look at the state are walked again.
        """
        if arrived.proto != "tcp" or self.record.is_in_doubt or arrived.state == "untracked":
            return
        ruleset = self._stack.ruleset
        for hook, packet in self._requests:
            if ruleset.ask_for_state(ruleset.base_chains(hook, packet.family)):
                undo = translated(arrived) if hook in ("prerouting", "output") else None
                verdict = walk(ruleset, hook, later_request(packet, arrived), undo=undo)
                if verdict.outcome != "accept":
                    self.record.hook("request", hook, verdict)

    def receive(
        self,
        part: Part,
        packet: Packet,
        *,
        undo: Mapping[str, Any] | None = None,
        nat_done: bool = False,
    ) -> Arrival:
        """A packet that comes in by an interface.

        undo: what conntrack restores of an answer's destination.
        """
        self._walk_ingress(part, packet)
        packet = replace(packet, reverse_path=self._routes.comes_back(packet))
        packet = self._walk(part, "prerouting", packet, undo=undo, nat_done=nat_done)
        packet = self._with_place_of_destination(packet)
        decision = self._routes.of_incoming(part, packet)
        if decision.kind == "local" or packet.dst_local:
            return Arrival("", self._walk(part, "input", packet, nat_done=nat_done))
        return self._forward_packet(part, packet, decision)

    def output(self, part: Part, packet: Packet, *, nat_done: bool = False) -> Arrival:
        """A packet that the host sends."""
        decision = self._routes.of(part, packet, "output")
        src = self._routes.source(packet, decision)
        if packet.src is None and src is not None and part == "request":
            # ip_route_connect asks again once the source is known, and rules may name it
            decision = self._routes.of(part, replace(packet, src=src), "output")
        before = replace(packet, src=src, oif=decision.sent_by, src_local=True)
        after = self._walk(part, "output", before, nat_done=nat_done)
        after = self._routed_again(part, before, after)
        after = self._walk(part, "postrouting", after, nat_done=nat_done)
        if after.oif == "lo" or after.dst_local:
            return self.receive(part, _looped_packet(after), nat_done=True)
        self._leave_by_interface(part, after)
        return Arrival(after.oif or "", after)

    def _with_place_of_destination(self, packet: Packet) -> Packet:
        """The packet with what is known of its destination: whether it is the host's own."""
        dst = one_of("dst", packet)
        if dst is None:
            return packet
        is_here = self._stack.local.get(dst) == packet.iif
        return replace(packet, dst_local=self._stack.is_local(dst), here_in=is_here)

    def _routed_again(self, part: Part, before: Packet, after: Packet) -> Packet:
        """A packet of the host after the output hook: a translation or a mark changes its route."""
        if after.dst is None:
            return replace(after, oif="lo") if after.dst_local else after
        if after.dst == before.dst and after.mark == before.mark:
            return after
        after = replace(after, dst_local=self._stack.is_local(after.dst))
        decision = self._routes.of(part, after, "output")
        after = replace(after, oif=decision.sent_by)
        self._routes.check_loopback_source(part, after)
        return after

    def _forward_packet(self, part: Part, packet: Packet, decision: RouteDecision) -> Arrival:
        """The packet behind the hooks of a host that forwards it."""
        device = packet.iif or ""
        if self._stack.settings.forwards(packet.family, device) is False:
            self.record.stop(
                Obstacle.of_routing("forwarding", "forwarding is off", part, "forward", device)
            )
        routed = replace(packet, oif=decision.oif, dst_local=False, physin="", physout="")
        if part == "reply" and decision.oif and not self.record.is_in_doubt:
            # Rules meet it on a way that leads nowhere: the route is what has to change.
            self._check_way_home(Arrival(decision.oif, routed))
        routed = self._walk(part, "forward", routed)
        routed = self._walk(part, "postrouting", routed)
        self._leave_by_interface(part, routed)
        return Arrival(routed.oif or "", routed)

    def _leave_by_interface(self, part: Part, packet: Packet) -> None:
        """A packet leaves through an interface, and by some port where that is a bridge."""
        ruleset = self._stack.ruleset
        if self._stack.is_bridge(packet.oif) and ruleset.uses_bridges:
            frame = replace(packet, iif="", brout=packet.oif, oif=None)
            self._bridge_walk(part, "output", frame)
            self._bridge_walk(part, "postrouting", frame)
        self._walk_device_chains(part, "egress", packet, packet.oif)

    def _walk_device_chains(
        self, part: Part, hook: Hook, packet: Packet, device: str | None
    ) -> None:
        """The chains of one interface that is known."""
        ruleset = self._stack.ruleset
        if device and ruleset.uses_devices:
            verdict = walk(ruleset, hook, packet, layer="netdev", device=device)
            self.record.hook(part, hook, verdict)

    def _walk_ingress(self, part: Part, packet: Packet) -> None:
        """The hooks of the device and the bridge that a packet comes in by."""
        ruleset = self._stack.ruleset
        if ruleset.uses_devices:
            untracked = replace(packet, state=None)
            for device in (packet.physin, packet.iif):
                self._walk_device_chains(part, "ingress", untracked, device)
            self._walk_some_port(part, packet)
        if ruleset.uses_bridges and self._stack.is_bridge(packet.iif):
            frame = replace(packet, iif=packet.physin or None, brin=packet.iif)
            self._bridge_walk(part, "prerouting", frame)
            self._bridge_walk(part, "input", frame)

    def _walk_some_port(self, part: Part, packet: Packet) -> None:
        """A packet by a port of a bridge that is not known.

        What one port's hook drops may be this packet.
        """
        bridge = self._stack.by_name.get(packet.iif or "")
        if packet.physin is not None or bridge is None:
            return
        untracked = replace(packet, state=None)
        for port in bridge.ports:
            verdict = walk(self._stack.ruleset, "ingress", untracked, layer="netdev", device=port)
            if verdict.outcome != "accept" and verdict.by is not None:
                self.record.doubt(Obstacle("rule", verdict.by, part, "ingress"))

    # -- across one bridge ----------------------------------------

    def bridged(
        self, part: Part, packet: Packet, out_port: str, undo: Mapping[str, Any] | None = None
    ) -> Packet:
        """A packet from one port of a bridge to another."""
        bridge = packet.iif or ""
        in_port = packet.physin or None
        self._walk_device_chains(part, "ingress", replace(packet, state=None), in_port)
        self._walk_device_chains(part, "egress", packet, out_port)
        if self._stack.ruleset.uses_bridges:
            frame = replace(packet, iif=in_port, oif=out_port or None, brin=bridge, brout=bridge)
            hooks: tuple[Hook, ...] = ("prerouting", "forward", "postrouting")
            for hook in hooks:
                self._bridge_walk(part, hook, frame)
        if not self._stack.settings.filters_bridged(packet.family):
            return packet
        bridged_packet = replace(packet, oif="", physin=in_port, physout=out_port or None)
        bridged_packet = self._walk(part, "prerouting", bridged_packet, undo=undo)
        if bridged_packet.dst != packet.dst and undo is None:
            return bridged_packet
        bridged_packet = self._walk(part, "forward", replace(bridged_packet, oif=bridge))
        return self._walk(part, "postrouting", bridged_packet)

    # -- the answer ----------------------------------------

    def answer(self, sent: Packet, arrival: Arrival) -> None:
        """The answer to a packet, from where it arrived back to where it began."""
        request = arrival.packet
        reply = reply_to(request)
        if not arrival.device:
            own_answer = replace(reply, iif="", uid=None, gid=None, src_local=True)
            end = self._answer_of_host(sent, own_answer)
            if end is not None:
                self._check_source(request, own_answer, end)
                self._check_way_home(end)
            return
        self._check_beside(sent, arrival)
        if request.snat and reply.dst is None:
            reply = replace(reply, dst=self._stack.address_on(arrival.device, request.family))
        back = self._flow.answers_by or arrival.device
        reply = replace(
            reply,
            iif=back,
            physin=None if self._stack.is_bridge(back) else "",
            dst_local=self._stack.is_local(reply.dst),
        )
        end = self.receive("reply", reply, undo=restored(sent, request))
        self._check_tracked(request, reply, end)
        self._check_source(request, reply, end)
        self._check_way_home(end)

    def _check_tracked(self, request: Packet, reply: Packet, end: Arrival) -> None:
        """An answer that a rule keeps out of conntrack stays as it is: its client knows another
        address than that which answers."""
        is_translated = request.dnat or request.snat
        if end.packet.state != "untracked" or not is_translated or self.record.is_in_doubt:
            return
        step = untracked(self._stack.ruleset.chains, reply)
        if step is not None:
            self.record.stop(Obstacle("rule", step, "reply", "prerouting"))

    def _check_source(self, request: Packet, reply: Packet, end: Arrival) -> None:
        """An answer keeps its source. Where a rule kept the request alone out of conntrack, what is
        answered begins a connection, which a rule of translation may give another source.

        TCP's second packet begins none, and the next one does (nf_conntrack_tcp_loose).
        """
        if request.state != "untracked" or end.packet.state == "untracked" or not end.device:
            return
        begun = replace(reply, oif=end.device, state="new", reply=False)
        verdict = walk(self._stack.ruleset, "postrouting", begun)
        nat = verdict.nat
        step = verdict.nat_by or verdict.by
        if nat is None or step is None or verdict.nat_unknown:
            return
        address = nat.address or self._stack.address_on(end.device, request.family)
        if address != begun.src:
            self.record.stop(Obstacle("rule", step, "reply", "postrouting"))

    def _check_beside(self, sent: Packet, arrival: Arrival) -> None:
        """A packet that was sent on into the bridge that it came from.

        The answer goes there directly, without the host, unless the source was translated too, or
        br_netfilter has conntrack see bridged packets.
        """
        packet = arrival.packet
        bridge = arrival.device
        if bridge != sent.iif or packet.snat or not self._stack.is_bridge(bridge):
            return
        if packet.dst is not None and packet.dst == sent.src:
            text = f"{packet.dst} is sent its own packet"
            self.record.stop(
                Obstacle.of_routing("elsewhere", text, "request", "postrouting", bridge)
            )
        if packet.dnat and not self._stack.settings.filters_bridged(sent.family):
            text = (
                f"{packet.dst} answers its neighbour directly, "
                "not through the host that translated the request"
            )
            self.record.stop(Obstacle.of_routing("elsewhere", text, "reply", "prerouting", bridge))

    def _answer_of_host(self, sent: Packet, reply: Packet) -> Arrival | None:
        """The host's own answer, as it leaves. One to itself ends where it began: None."""
        if sent.src_local:
            local = replace(reply, dst_local=True, oif="lo")
            after = self._walk("reply", "output", local, nat_done=True)
            after = self._walk("reply", "postrouting", after, nat_done=True)
            self.receive("reply", _looped_packet(after), nat_done=True)
            return None
        return self.output("reply", replace(reply, dst_local=False), nat_done=True)

    def _check_way_home(self, end: Arrival) -> None:
        """Record whether an answer leaves through the interface that leads to who asked."""
        origin = self._flow.origin
        if end.device == origin.device or not origin.device:
            return
        text = (
            f"answers to {end.packet.dst or 'clients'} leave "
            f"through {end.device or 'no interface'}, not through {origin.device}"
        )
        self.record.stop(Obstacle.of_routing("elsewhere", text, "reply", "postrouting", end.device))

    # -- hooks ----------------------------------------

    def _walk(
        self,
        part: Part,
        hook: Hook,
        packet: Packet,
        *,
        undo: Mapping[str, Any] | None = None,
        nat_done: bool = False,
    ) -> Packet:
        """The packet behind one of IP's hooks."""
        if part == "request":
            self._requests.append((hook, packet))
        verdict = walk(self._stack.ruleset, hook, packet, undo=undo, nat_done=nat_done)
        self.record.hook(part, hook, verdict)
        self.record.translation(part, hook, verdict)
        if verdict.nat is not None and verdict.nat.kind == "masquerade":
            return self._routes.masqueraded(verdict.packet)
        return verdict.packet

    def _bridge_walk(self, part: Part, hook: Hook, packet: Packet) -> None:
        verdict = walk(self._stack.ruleset, hook, packet, layer="bridge")
        self.record.hook(part, hook, verdict)


def _looped_packet(packet: Packet) -> Packet:
    """A packet that the host sent to itself, as it comes in again."""
    return replace(packet, iif="lo", oif="", uid=-1, gid=-1)
