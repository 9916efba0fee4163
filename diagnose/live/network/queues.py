"""Queues by which the kernel limits what an interface sends (`tc`), in this network namespace."""

import contextlib
from collections.abc import Iterator

from pyroute2.netlink import nlmsg, rtnl
from pyroute2.netlink.rtnl.tcmsg import tcmsg

from diagnose.live.network.messages import RouteMarshal
from diagnose.live.network.namespaces import inside
from diagnose.live.network.netlink import Attributes, NetlinkSocket, Row, dump_request, route_socket
from diagnose.model import Json

_LIMITING = frozenset({"tbf", "htb", "cake", "netem"})
_WITH_CLASSES = "htb"
"""Each of its classes has a rate of its own."""
_TICKS_PER_MS = 1_000_000 / 64
"""The kernel counts times of queues in 64 ns (pkt_sched.h: PSCHED_SHIFT)."""
_ALL = float(1 << 32)
"""Shares are 32-bit numbers (pkt_sched.h: struct tc_netem_qopt)."""
_UNLIMITED = (1 << 32) - 1
"""What a rate of 32 bits says that stands in an attribute of 64 bits."""


class _QueueMarshal(RouteMarshal):
    """With queues and their classes, whose decoders take a quarter of a second to import."""

    msg_map = {  # noqa: RUF012 - as in the base class
        **RouteMarshal.msg_map,
        rtnl.RTM_NEWQDISC: tcmsg,
        rtnl.RTM_NEWTCLASS: tcmsg,
    }


def counters(args: Json) -> list[Row]:
    """The queues of some interfaces that limit what is sent, and the classes in them.

    args: indices of the interfaces, and pid, a process of their namespace where it is another one.
    Shape: rows of `QueueCounters`. Raises Refused as `namespaces.visit` does.
    """
    indices = frozenset(args["indices"])
    pid = args.get("pid")
    namespace = contextlib.nullcontext() if pid is None else inside(pid, None)
    with namespace, route_socket(marshal=_QueueMarshal) as kernel:
        rows = kernel.rows(dump_request(rtnl.RTM_GETQDISC, tcmsg()), _queue)
        rows = [row for row in rows if row["index"] in indices]
        with_classes = {row["index"] for row in rows if row["kind"] == _WITH_CLASSES}
        return rows + [row for index in sorted(with_classes) for row in _classes(kernel, index)]


def _classes(kernel: NetlinkSocket, index: int) -> list[Row]:
    return kernel.rows(dump_request(rtnl.RTM_GETTCLASS, tcmsg(), index=index), _queue)


def _queue(message: nlmsg) -> Iterator[Row]:
    """One queue or class as a row."""
    attributes = Attributes(message)
    kind = attributes.text("TCA_KIND")
    if kind not in _LIMITING:
        return
    options = attributes("TCA_OPTIONS")
    counted = attributes.inside("TCA_STATS2")
    basic = counted("TCA_STATS_BASIC") or {}
    queued = counted("TCA_STATS_QUEUE") or {}
    row: Row = {
        "index": message["index"],
        "kind": kind,
        "handle": _handle(message["handle"]),
        "rate": _rate(kind, Attributes(options)),
        "sent": basic["packets"] if basic else 0,
        "dropped": queued["drops"] if queued else 0,
        "backlog": queued["backlog"] if queued else 0,
    }
    if kind == "netem" and options is not None:
        delay = options["delay"] / _TICKS_PER_MS
        loss = options["loss"] / _ALL
        row |= {"loss": round(loss, 4), "delay_ms": round(delay, 1)}
    yield row


def _rate(kind: str, options: Attributes) -> int | None:
    """Bytes a second."""
    if kind == "cake":
        rate: int | None = options("TCA_CAKE_BASE_RATE64")
        return rate or None
    name, key = {
        "tbf": ("TCA_TBF_PARMS", "rate"),
        "htb": ("TCA_HTB_PARMS", "ceil"),
        "netem": ("TCA_NETEM_RATE", "rate"),
    }[kind]
    parameters = options(name)
    limit = parameters[key] if parameters is not None else 0
    return limit if 0 < limit < _UNLIMITED else None


def _handle(number: int) -> str:
    """1: for a queue, and 1:10 for a class in it."""
    minor = number & 0xFFFF
    return f"{number >> 16:x}:{minor:x}" if minor else f"{number >> 16:x}:"
