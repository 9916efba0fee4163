"""The targets of iptables rules as actions: a verdict, a jump, a translation, a mark."""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Literal

from diagnose.firewall.actions import Action, Assign, Enter, Leave, Maybe, Stop, Translate
from diagnose.firewall.iptables.rule_text import RuleTarget
from diagnose.word_sets import vocabulary

_ALL_BITS = 0xFFFFFFFF

_NO_EFFECT = vocabulary(
    "LOG NFLOG ULOG AUDIT TRACE TCPMSS TCPOPTSTRIP CHECKSUM CLASSIFY DSCP TOS TTL HL ECN SET "
    "SECMARK CONNSECMARK IDLETIMER LED RATEEST TEE"
)
"""Targets after which the packet meets the next rule."""

_STOPS: Mapping[str, Action] = {
    "ACCEPT": Stop("accept"),
    "DROP": Stop("drop"),
    "REJECT": Stop("reject"),
    "TARPIT": Stop("drop"),
    "RETURN": Leave(),
    "MASQUERADE": Translate("masquerade"),
}
"""Targets that end the walk of a packet, and its fate."""

_UNKNOWN = frozenset({"NETMAP", "NFQUEUE", "QUEUE", "TPROXY", "SYNPROXY", "STEAL", "DNETMAP"})
"""Targets that may end the packet's way or not."""


def effect(target: RuleTarget | None) -> Action | Assign | None:
    """The action of a target. None for a target that only logs or counts, and without a target."""
    if target is None:
        return None
    name = target.name
    if not target.returns:
        return Enter(name, back=False)
    if name in _STOPS:
        return _STOPS[name]
    if name in _EFFECTS:
        return _EFFECTS[name](target)
    if name in _UNKNOWN:
        return Maybe(name)
    return None if name in _NO_EFFECT else Enter(name)


def _destination(target: RuleTarget) -> Translate:
    return _translate("dnat", target.first("--to-destination"))


def _source(target: RuleTarget) -> Translate:
    return _translate("snat", target.first("--to-source"))


def _redirect(target: RuleTarget) -> Translate:
    return Translate("redirect", port=_first_port(target.first("--to-ports")))


def _translate(kind: Literal["dnat", "snat"], text: str) -> Translate:
    """The first address and port of `10.0.0.2:80`, `:80`, `10.0.0.2-10.0.0.9`, `[fd00::2]:80`."""
    has_port = text.startswith("[") or text.count(":") == 1
    host, _, port = text.rpartition(":") if has_port else (text, "", "")
    first = host.partition("-")[0].strip("[]")
    try:
        address = str(ip_address(first)) if first else None
    except ValueError:
        address = None
    return Translate(kind, address, _first_port(port))


def _first_port(text: str) -> int | None:
    digits = re.match(r"\d+", text)
    return int(digits[0]) if digits else None


def _packet_mark(target: RuleTarget) -> Assign:
    return _set_mark("mark", target)


def _set_mark(field: Literal["mark", "ctmark"], target: RuleTarget) -> Assign:
    """`--set-xmark VALUE/MASK` clears the bits of the mask and joins the value by exclusive or.

    `--set-mark` by or. The value is None where the text is not a number.
    """
    exclusive = target.first("--set-xmark")
    value, _, mask = (exclusive or target.first("--set-mark")).partition("/")
    try:
        number = int(value, 0)
        bits = int(mask or hex(_ALL_BITS), 0)
    except ValueError:
        return Assign(field, None)
    if not exclusive:
        bits |= number
    return Assign(field, number, keep=_ALL_BITS & ~bits)


def _connection_mark(target: RuleTarget) -> Assign:
    """CONNMARK saves the packet's mark in the connection's, or restores it, under masks."""
    restores = target.has("--restore-mark")
    try:
        on_packet = int(target.first("--nfmask", hex(_ALL_BITS)), 0)
        on_connection = int(target.first("--ctmask", hex(_ALL_BITS)), 0)
    except ValueError:
        return Assign("mark" if restores else "ctmark", None)
    if restores:
        return Assign("mark", None, "ctmark", on_connection, _ALL_BITS & ~on_packet)
    if target.has("--save-mark"):
        return Assign("ctmark", None, "mark", on_packet, _ALL_BITS & ~on_connection)
    return _set_mark("ctmark", target)


def _hashed_mark(_: RuleTarget) -> Assign:
    return Assign("mark", None)


def _untracking(target: RuleTarget) -> Assign | None:
    is_untracked = target.name == "NOTRACK" or target.has("--notrack")
    return Assign("state", "untracked") if is_untracked else None


_EFFECTS: Mapping[str, Callable[[RuleTarget], Action | Assign | None]] = {
    "DNAT": _destination,
    "SNAT": _source,
    "REDIRECT": _redirect,
    "MARK": _packet_mark,
    "CONNMARK": _connection_mark,
    "HMARK": _hashed_mark,
    "CT": _untracking,
    "NOTRACK": _untracking,
}
"""What reads a target that changes the packet or its marks."""
