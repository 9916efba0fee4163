"""Whether a connection gets through: its first packet and its replies, over all hooks they meet on a Docker
host.

The way of a forwarded packet is prerouting, routing, forward, postrouting; routing is the caller's knowledge
(which interface leads where), so it comes in as arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from diagnose.firewall.rules import Packet
from diagnose.firewall.walk import walk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from diagnose.firewall.rules import Family, Hook, Outcome, Ruleset, Translate
    from diagnose.firewall.walk import Step, Verdict

Part = Literal["request", "reply"]


@dataclass(frozen=True, slots=True)
class Reach:
    """What becomes of a connection.

    `by`, `hook` and `part` say where it was decided, unless it is accepted. `nat` is the translation that the
    question is about: the destination's for a connection that comes in, the source's for one that goes out;
    `nat_unknown` says that it cannot be told.
    """

    outcome: Outcome
    nat: Translate | None = None
    nat_unknown: bool = False
    by: Step | None = None
    hook: Hook | None = None
    part: Part = "request"

    @property
    def is_blocked(self) -> bool:
        """Whether the connection surely does not get through."""
        return self.outcome in ("drop", "reject")


_Stage = tuple["Part", "Hook", "Verdict"]


def reach_out(
    ruleset: Ruleset,
    *,
    bridge: str,
    src: str,
    dst: str,
    uplink: str,
    proto: Literal["tcp", "udp"] = "tcp",
    dport: int = 443,
    family: Family = "ip",
) -> Reach:
    """A new connection from `src` on `bridge` to `dst` behind `uplink`; `nat` is its source translation."""
    sent = Packet(bridge, "", src, dst, proto, _EPHEMERAL, dport, family, dst_local=False, src_local=False)
    stages: list[_Stage] = [("request", "prerouting", before := walk(ruleset, "prerouting", sent))]
    routed = replace(before.packet, oif=uplink)
    stages.append(("request", "forward", through := walk(ruleset, "forward", routed)))
    stages.append(("request", "postrouting", after := walk(ruleset, "postrouting", through.packet)))
    stages += _replies(ruleset, routed, snat=after.nat is not None)
    return _joined(stages, after)


def reach_in(
    ruleset: Ruleset,
    *,
    uplink: str,
    src: str,
    host_address: str,
    host_port: int,
    bridge: str,
    proto: Literal["tcp", "udp"] = "tcp",
    family: Family = "ip",
) -> Reach:
    """A new connection from `src` behind `uplink` to a port of the host; `nat` is where it is sent on to.

    Without a translation it goes to a process of the host, and the input hook decides.
    """
    sent = Packet(
        uplink, "", src, host_address, proto, _EPHEMERAL, host_port, family, dst_local=True, src_local=False
    )
    before = walk(ruleset, "prerouting", sent)
    stages: list[_Stage] = [("request", "prerouting", before)]
    if before.nat is None or before.nat.address is None:
        stages.append(("request", "input", walk(ruleset, "input", before.packet)))
        return _joined(stages, before)
    routed = replace(before.packet, oif=bridge, dst_local=False)
    stages.append(("request", "forward", through := walk(ruleset, "forward", routed)))
    stages.append(("request", "postrouting", walk(ruleset, "postrouting", through.packet)))
    stages += _replies(ruleset, routed, snat=False)
    return _joined(stages, before)


def reach_between(
    ruleset: Ruleset,
    *,
    bridge: str,
    src: str,
    dst: str,
    proto: Literal["tcp", "udp"] = "tcp",
    dport: int = 80,
) -> Reach:
    """A new connection between two containers of one bridge, as the IP filter sees it where br_netfilter
    shows it bridged packets.
    """
    sent = Packet(bridge, bridge, src, dst, proto, _EPHEMERAL, dport, dst_local=False, src_local=False)
    stages: list[_Stage] = [("request", "forward", through := walk(ruleset, "forward", sent))]
    stages += _replies(ruleset, sent, snat=False)
    return _joined(stages, through)


_EPHEMERAL = 40_000


def _replies(ruleset: Ruleset, sent: Packet, *, snat: bool) -> Iterable[_Stage]:
    """The stages of the answer to a packet that was forwarded; its addresses as they are once translated
    back.
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
        ctmark=sent.ctmark,
        orig_src=sent.orig_src or sent.src,
        orig_dst=sent.orig_dst or sent.dst,
        orig_sport=sent.orig_sport or sent.sport,
        orig_dport=sent.orig_dport or sent.dport,
    )
    for hook in _REPLY_HOOKS:
        yield "reply", hook, walk(ruleset, hook, reply)


_REPLY_HOOKS: tuple[Hook, ...] = ("forward", "postrouting")
"""On prerouting a reply to a masqueraded connection still carries the host's own address, which the caller
need not know.
"""


def _joined(stages: Iterable[_Stage], translating: Verdict) -> Reach:
    """The first stage that blocks decides; without one, the first that is not understood."""
    unsure: _Stage | None = None
    for stage in stages:
        part, hook, verdict = stage
        if verdict.outcome in ("drop", "reject"):
            return Reach(verdict.outcome, translating.nat, translating.nat_unknown, verdict.by, hook, part)
        if unsure is None and (verdict.outcome == "unknown" or verdict.nat_unknown):
            unsure = stage
    if unsure is not None:
        part, hook, verdict = unsure
        return Reach("unknown", translating.nat, translating.nat_unknown, verdict.by, hook, part)
    return Reach("accept", translating.nat)
