"""Entries of the connection tracking table of the network namespace that this process is in."""

import itertools
import socket
from typing import Any

from pyroute2.netlink import nlmsg
from pyroute2.netlink.nfnetlink.nfctsocket import (
    IPCTNL_MSG_CT_GET,
    IPSBIT_TO_NAME,
    TCP_CONNTRACK_TO_NAME,
    NFCTAttrTuple,
    nfct_msg,
)

from diagnose.live import Refused
from diagnose.live.kernel.modules import is_loaded
from diagnose.live.network.messages import CONNTRACK
from diagnose.live.network.netlink import Attributes, Row, dump_request, netfilter_socket
from diagnose.live.network.routing import FAMILIES
from diagnose.model import Json

MAX_ENTRIES = 2_000
"""Entries that are read at most, whatever the limit: pyroute2 needs 0.3 ms for each, and a table
may hold a million."""

_PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP, "icmp": socket.IPPROTO_ICMP}
_PROTOCOL_NAMES = {number: name for name, number in _PROTOCOLS.items()} | {
    socket.IPPROTO_ICMPV6: "icmp6"
}
_VERSIONS = {socket.AF_INET: "V4", socket.AF_INET6: "V6"}


def entries(args: Json) -> Row:
    """Connections that the kernel tracks.

    args: those of `ListConnections`. Shape: `ConnectionTable`. Where conntrack answers no netlink
    the table is not loaded, and has no entries: a look must not load it. Raises PermissionError
    without CAP_NET_ADMIN.
    """
    if not is_loaded("nf_conntrack_netlink"):
        return {"loaded": False, "complete": True, "entries": []}
    limit = min(int(args.get("limit", 500)), MAX_ENTRIES)
    flows: list[Row] = []
    with netfilter_socket() as kernel:
        # A kernel before 5.8 does not filter.
        for message in itertools.islice(kernel.dump(_request(args)), MAX_ENTRIES):
            entry = _entry(message)
            if all(args.get(name) in (None, entry[name]) for name in ("protocol", "dst", "dport")):
                flows.append(entry)
            if len(flows) > limit:
                break
        else:
            return {"loaded": True, "complete": True, "entries": flows}
    return {"loaded": True, "complete": False, "entries": flows[:limit]}


def _request(args: Json) -> bytes:
    """The netlink request for the entries that these arguments choose."""
    family = next(number for number, name in FAMILIES.items() if name == args.get("family", "inet"))
    protocol = args.get("protocol")
    if protocol not in (None, *_PROTOCOLS):
        raise Refused("malformed", f"unknown protocol {protocol}")
    tuple_filter = NFCTAttrTuple(
        family=family,
        daddr=args.get("dst"),
        proto=_PROTOCOLS.get(protocol),
        dport=args.get("dport"),
    )
    attributes: dict[str, Any] = {}
    if original := tuple_filter.attrs():
        attributes["CTA_TUPLE_ORIG"] = {"attrs": original}
        attributes["CTA_FILTER"] = {"attrs": [["CTA_FILTER_ORIG_FLAGS", tuple_filter.flags]]}
    return dump_request(CONNTRACK | IPCTNL_MSG_CT_GET, nfct_msg(), attributes, nfgen_family=family)


def _entry(message: nlmsg) -> Row:
    """One tracked connection."""
    attributes = Attributes(message)
    version = _VERSIONS[message["nfgen_family"]]
    original, reply = (
        attributes.inside(f"CTA_TUPLE_{direction}") for direction in ("ORIG", "REPLY")
    )
    status = attributes("CTA_STATUS") or 0
    state = attributes.inside("CTA_PROTOINFO").inside("CTA_PROTOINFO_TCP")(
        "CTA_PROTOINFO_TCP_STATE"
    )
    protocol = original.inside("CTA_TUPLE_PROTO")("CTA_PROTO_NUM")
    return {
        "protocol": _PROTOCOL_NAMES.get(protocol, str(protocol)),
        **_ends(original, version),
        **{f"reply_{name}": value for name, value in _ends(reply, version).items()},
        "state": None if state is None else TCP_CONNTRACK_TO_NAME.get(state, str(state)).lower(),
        "status": [name.lower() for bit, name in IPSBIT_TO_NAME.items() if status & bit],
        "timeout": attributes("CTA_TIMEOUT"),
        "mark": attributes("CTA_MARK"),
    }


def _ends(direction: Attributes, version: str) -> Row:
    """The addresses and ports of one direction; the port is 0 where the protocol has none."""
    addresses = direction.inside("CTA_TUPLE_IP")
    ports = direction.inside("CTA_TUPLE_PROTO")
    return {
        "src": addresses(f"CTA_IP_{version}_SRC"),
        "dst": addresses(f"CTA_IP_{version}_DST"),
        "sport": ports("CTA_PROTO_SRC_PORT") or 0,
        "dport": ports("CTA_PROTO_DST_PORT") or 0,
    }
