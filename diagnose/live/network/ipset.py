"""A set of addresses that iptables rules name, read and never changed.

`-m set --match-set NAME src`.
"""

import socket

from pyroute2.netlink.nfnetlink.ipset import IPSET_CMD_LIST, IPSET_FLAG_NOMATCH, ipset_msg

from diagnose.live import Refused
from diagnose.live.network.messages import IPSET
from diagnose.live.network.netlink import Attributes, Row, dump_request, netfilter_socket
from diagnose.model import Json

MAX_MEMBERS = 20_000
"""Members of one set that are read, 0.04 ms each: block lists may hold a million, and a longer one
is not judged."""

KINDS = ("hash:ip", "hash:net", "bitmap:ip")
"""The kinds of sets whose members are addresses and nothing else."""

_PROTOCOL = 6
"""The version of ipset's messages that kernels have spoken since 2.6.39 (ip_set.h)."""


def members(args: Json) -> Row:
    """One set. args: name.

    Shape: `{"type", "members"}`; a member is `10.0.0.0/8`, `10.0.0.1` or `10.0.0.1-10.0.0.9`, and
    members is null for a set of other things than addresses, or one with exceptions. Raises
    FileNotFoundError if there is no such set, Refused("too large"), PermissionError, OSError.
    """
    name = args["name"]
    wanted = {"IPSET_ATTR_PROTOCOL": _PROTOCOL, "IPSET_ATTR_SETNAME": name}
    kind: str | None = None
    texts: list[str] = []
    has_exceptions = False
    with netfilter_socket() as kernel:
        request = dump_request(
            IPSET | IPSET_CMD_LIST, ipset_msg(), wanted, nfgen_family=socket.AF_INET
        )
        for message in kernel.dump(request):
            attributes = Attributes(message)
            kind = kind or attributes.text("IPSET_ATTR_TYPENAME")
            if kind not in KINDS:
                continue
            for member in attributes.all_inside("IPSET_ATTR_ADT"):
                has_exceptions |= bool((member("IPSET_ATTR_CADT_FLAGS") or 0) & IPSET_FLAG_NOMATCH)
                texts.append(_text(member))
            if len(texts) > MAX_MEMBERS:
                raise Refused("too large", f"set {name} has more than {MAX_MEMBERS} members")
    is_plain = kind in KINDS and not has_exceptions
    return {"type": kind, "members": texts if is_plain else None}


def _text(member: Attributes) -> str:
    first = _address(member, "IPSET_ATTR_IP_FROM")
    last = _address(member, "IPSET_ATTR_IP_TO")
    if last:
        return f"{first}-{last}"
    prefix = member("IPSET_ATTR_CIDR")
    return f"{first}" if prefix is None else f"{first}/{prefix}"


def _address(member: Attributes, name: str) -> str | None:
    address = member.inside(name)
    plain: str | None = address("IPSET_ATTR_IPADDR_IPV4") or address("IPSET_ATTR_IPADDR_IPV6")
    return plain
