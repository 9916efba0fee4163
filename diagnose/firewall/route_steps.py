"""The routing of a connection's packets, and the kernel's check of their source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from diagnose.firewall.connection_packets import one_of
from diagnose.firewall.flow import Obstacle
from diagnose.firewall.routing import RouteDecision

if TYPE_CHECKING:
    from diagnose.firewall.flow import Part
    from diagnose.firewall.network_stack import NetworkStack
    from diagnose.firewall.packet import Hook, Packet
    from diagnose.firewall.trace_record import TraceRecord

_LOOSE = 2
"""rp_filter that asks for any way back to the source, and not for one by the same interface."""


class Router:
    """The routes of one connection.

    assumed: the interface that leads to a destination left open.
    """

    def __init__(self, stack: NetworkStack, record: TraceRecord, assumed: str) -> None:
        self._stack = stack
        self._record = record
        self._assumed = assumed

    def of_incoming(self, part: Part, packet: Packet) -> RouteDecision:
        """The route of a packet that came in, once its source is believed."""
        if packet.dst_local and packet.dst is None:
            return RouteDecision("local")
        self._check_source(part, packet)
        return self.of(part, replace(packet, src=one_of("src", packet)), "prerouting")

    def of(self, part: Part, packet: Packet, hook: Hook) -> RouteDecision:
        """The route of a packet. TraceEndedError where none leads on."""
        dst = one_of("dst", packet)
        if dst is None:
            return RouteDecision("unicast", self._assumed)
        # a packet of the host itself is routed before it has a source, unless it answers one
        decision = self._stack.routing.look_up(dst, packet.src, packet.iif or "lo", packet.mark)
        if decision.kind == "unknown":
            self._record.doubt(Obstacle.of_routing("route", decision.by, part, hook))
            return replace(decision, oif=self._assumed)
        if decision.is_refused:
            text = f"no route to {dst}" if decision.kind == "none" else decision.by
            self._record.stop(Obstacle.of_routing("route", text, part, hook), "reject")
        return decision

    def source(self, packet: Packet, decision: RouteDecision) -> str | None:
        """The source address of a packet that the host sends; None where it is not known."""
        src = packet.src or decision.src
        if src is not None or not decision.oif:
            return src
        if packet.dst_local:
            return packet.dst
        neighbour = decision.gateway or packet.dst
        return self._stack.address_on(decision.oif, packet.family, neighbour)

    def masqueraded(self, packet: Packet) -> Packet:
        """The packet with the host's address on the interface by which it leaves."""
        route = self._stack.routing.look_up(packet.dst) if packet.dst is not None else None
        neighbour = (route.gateway if route else None) or packet.dst
        address = self._stack.address_on(packet.oif or "", packet.family, neighbour)
        return replace(packet, src=address)

    def comes_back(self, packet: Packet) -> bool | None:
        """Whether the way back to a packet's source leads by the interface that it came in by.

        An ordinary peer's does.
        """
        source = one_of("src", packet)
        if source is None or packet.iif == "lo":
            return True
        back = self._stack.routing.look_up(source)
        if back.kind == "unknown":
            return None
        return back.oif == packet.iif

    def check_loopback_source(self, part: Part, packet: Packet) -> None:
        """A packet from 127.0.0.1 that a translation leads out of the host (__mkroute_output).

        The kernel sends it only by an interface that has route_localnet on.
        """
        settings = self._stack.settings
        device = packet.oif or ""
        is_known = bool(settings.forwarding)
        if packet.src is None or not packet.src.startswith("127.") or device in ("", "lo"):
            return
        if is_known and device not in settings.route_localnet:
            text = f"route_localnet of {device} is 0"
            self._record.stop(Obstacle.of_routing("route", text, part, "output", device))

    def _check_source(self, part: Part, packet: Packet) -> None:
        """fib_validate_source.

        A source that is the host's own, or whose way back leads elsewhere where rp_filter is on.
        """
        source = one_of("src", packet)
        device = packet.iif or ""
        if source is None or device == "lo" or packet.family == "ip6":
            return
        if self._stack.is_local(source):
            self._check_own_source(part, source, device)
            return
        settings = self._stack.settings
        mode = settings.reverse_path.get(device, 0)
        if not mode:
            return
        mark = packet.mark if device in settings.marked_reverse_path else 0
        back = self._stack.routing.look_up(source, one_of("dst", packet), "lo", mark)
        if back.kind == "unknown":
            self._record.doubt(
                Obstacle.of_routing("reverse path", back.by, part, "prerouting", device)
            )
            return
        if back.kind == "unicast" and (back.oif == device or mode == _LOOSE):
            return
        way = back.oif or "no interface"
        text = f"rp_filter={mode}: the way back to {source} leads by {way}"
        self._record.stop(Obstacle.of_routing("reverse path", text, part, "prerouting", device))

    def _check_own_source(self, part: Part, source: str, device: str) -> None:
        if device in self._stack.settings.accept_local:
            return
        text = f"source {source} is an address of this host"
        self._record.stop(Obstacle.of_routing("reverse path", text, part, "prerouting", device))
