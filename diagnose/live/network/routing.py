"""Interfaces, addresses, routes, policy rules and neighbours.

Of the network namespace that this process is in.
"""

import errno
import functools
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from pyroute2.netlink import nlmsg, rtnl
from pyroute2.netlink.rtnl import ndmsg
from pyroute2.netlink.rtnl.fibmsg import FR_ACT_VALUES, fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import IFF_UP, ifinfmsg, state_by_code
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from diagnose.live.network.messages import (
    FIB_RULE_INVERT,
    RTEXT_FILTER_SKIP_STATS,
    RTM_F_CLONED,
    RTM_F_LOOKUP_TABLE,
)
from diagnose.live.network.netlink import (
    Attributes,
    NetlinkSocket,
    Row,
    dump_request,
    request,
    route_socket,
)
from diagnose.model import Json

FAMILIES = {socket.AF_INET: "inet", socket.AF_INET6: "inet6"}
_ANYWHERE = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104 - a route's destination
_PORT_STATES = ("disabled", "listening", "learning", "forwarding", "blocking")
_ROUTE_SOURCES = {
    rtnl.rt_proto[name]: name
    for name in ("unspec", "redirect", "kernel", "boot", "static", "ra", "dhcp")
}
_NEIGHBOUR_STATES = {
    number: name.removeprefix("NUD_").lower() for number, name in ndmsg.NUD_VALUES.items()
}
_RULE_CONDITIONS = {
    "suppress_ifgroup": "FRA_SUPPRESS_IFGROUP",
    "l3mdev": "FRA_L3MDEV",
    "uid": "FRA_UID_RANGE",
    "ip_proto": "FRA_IP_PROTO",
    "sport": "FRA_SPORT_RANGE",
    "dport": "FRA_DPORT_RANGE",
}
"""Conditions of a rule of routing that are not understood, with their attributes."""


def links(_args: Json) -> list[Row]:
    """Every interface.

    Shape: `Interface`.
    """
    with route_socket() as kernel:
        return dump_links(kernel)


def addresses(_args: Json) -> list[Row]:
    """Every address.

    Shape: `Address`.
    """
    with route_socket() as kernel:
        return dump_addresses(kernel)


def routes(_args: Json) -> list[Row]:
    """Every route of all tables, one row per next hop.

    Shape: `Route`; 0.0.0.0/0 or ::/0 is a default route. Raises Refused("too large").
    """
    with route_socket() as kernel:
        return dump_routes(kernel)


def rules(_args: Json) -> list[Row]:
    """Every policy rule.

    Shape: `PolicyRule`; null matches all.
    """
    with route_socket() as kernel:
        return dump_rules(kernel)


def neighbours(_args: Json) -> list[Row]:
    """The ARP and NDP tables.

    Shape: `NeighbourEntry`; state is one of incomplete, reachable, stale, delay, probe, failed,
    noarp, permanent, none.
    """
    with route_socket() as kernel:
        return [
            row
            for family in FAMILIES
            for row in kernel.rows(_request(rtnl.RTM_GETNEIGH, ndmsg.ndmsg, family), _neighbour)
        ]


def proxied_addresses(_args: Json) -> list[Row]:
    """The addresses for which the kernel answers neighbour discovery.

    Shape: `ProxiedAddress`.
    """
    with route_socket() as kernel:
        wanted = {"family": socket.AF_INET6, "flags": ndmsg.flags["proxy"]}
        listing = dump_request(rtnl.RTM_GETNEIGH, ndmsg.ndmsg(), **wanted)
        return list(kernel.rows(listing, _proxied_address))


def route_lookups(args: Json) -> list[Row]:
    """The kernel's routes for packets, by all its rules and tables.

    args: asked, rows of `WantedRoute`, IPv4; without src and iif the packet is the host's own.
    Shape: a `RouteLookup` for each; error is the kernel's refusal (EINVAL: blackhole, EACCES:
    prohibit, EHOSTUNREACH, ENETUNREACH, EXDEV: forged source), and all else is null then.
    """
    with route_socket() as kernel:
        return [_look_up(kernel, **packet) for packet in args["asked"]]


def _look_up(kernel: NetlinkSocket, dst: str, src: str | None, iif: int | None) -> Row:
    """The kernel's answer to `ip route get`."""
    attributes: dict[str, Any] = {"RTA_DST": dst}
    if src:
        attributes["RTA_SRC"] = src
    if iif:
        attributes["RTA_IIF"] = iif
    source_bits = 32 if src else 0
    fields = {
        "family": socket.AF_INET,
        "dst_len": 32,
        "src_len": source_bits,
        "flags": RTM_F_LOOKUP_TABLE,
    }
    row: Row = dict.fromkeys(("type", "oif", "gateway", "table", "error"))
    try:
        (route,) = _route(kernel.ask(request(rtnl.RTM_GETROUTE, rtmsg(), attributes, **fields)))
    except OSError as error:
        code = error.errno or 0
        return row | {"error": errno.errorcode.get(code, str(code))}
    return row | {name: route[name] for name in row if name in route}


def dump_links(kernel: NetlinkSocket) -> list[Row]:
    """The answer of `links` for the namespace in which this socket was made."""
    return kernel.rows(_links_request(), _link)


def dump_addresses(kernel: NetlinkSocket) -> list[Row]:
    """The answer of `addresses` for the namespace in which this socket was made."""
    return kernel.rows(_request(rtnl.RTM_GETADDR, ifaddrmsg), _address)


def dump_routes(kernel: NetlinkSocket) -> list[Row]:
    """The answer of `routes` for the namespace in which this socket was made."""
    return [
        row
        for family in FAMILIES
        for row in kernel.rows(_request(rtnl.RTM_GETROUTE, rtmsg, family), _listed_route)
    ]


def dump_rules(kernel: NetlinkSocket) -> list[Row]:
    """The answer of `rules` for the namespace in which this socket was made."""
    return [
        row
        for family in FAMILIES
        for row in kernel.rows(_request(rtnl.RTM_GETRULE, fibmsg, family), _rule)
    ]


@functools.cache
def _links_request() -> bytes:
    return dump_request(rtnl.RTM_GETLINK, ifinfmsg(), {"IFLA_EXT_MASK": RTEXT_FILTER_SKIP_STATS})


@functools.cache
def _request(kind: int, message: type, family: int = socket.AF_UNSPEC) -> bytes:
    return dump_request(kind, message(), family=family)


def _link(message: nlmsg) -> Iterator[Row]:
    """One interface, with its place in a bridge."""
    attributes = Attributes(message)
    info = attributes.inside("IFLA_LINKINFO")
    is_bridge_port = info("IFLA_INFO_SLAVE_KIND") == "bridge"
    port = info.inside("IFLA_INFO_SLAVE_DATA") if is_bridge_port else Attributes(None)
    port_state = port("IFLA_BRPORT_STATE")
    bridge = info.inside("IFLA_INFO_DATA") if info.text("IFLA_INFO_KIND") == "bridge" else port
    operstate = _name_of_number(state_by_code, attributes("IFLA_OPERSTATE"))
    yield {
        "index": message["index"],
        "name": attributes.text("IFLA_IFNAME"),
        "up": bool(message["flags"] & IFF_UP),
        "operstate": operstate and operstate.lower(),
        "mtu": attributes("IFLA_MTU"),
        "kind": info.text("IFLA_INFO_KIND"),
        "master": attributes("IFLA_MASTER"),
        "link": attributes("IFLA_LINK"),
        "link_netnsid": attributes("IFLA_LINK_NETNSID"),
        "mac": attributes("IFLA_ADDRESS") or None,
        "group": attributes("IFLA_GROUP"),
        "queue": attributes.text("IFLA_QDISC"),
        "bridge_port_state": _name_of_number(dict(enumerate(_PORT_STATES)), port_state),
        "spanning_tree": bool(bridge("IFLA_BR_STP_STATE")),
        "forward_delay": bridge("IFLA_BR_FORWARD_DELAY"),
    }


def _address(message: nlmsg) -> Iterator[Row]:
    """One address of an interface as a row."""
    attributes = Attributes(message)
    yield {
        "index": message["index"],
        # On a point-to-point link IFA_ADDRESS is the peer's address.
        "address": attributes("IFA_LOCAL") or attributes("IFA_ADDRESS"),
        "prefix": message["prefixlen"],
        "family": FAMILIES[message["family"]],
        "scope": _scope(message["scope"]),
    }


def _listed_route(message: nlmsg) -> Iterator[Row]:
    """A route of a dump; what the kernel only remembers of a lookup is left out."""
    if not message["flags"] & RTM_F_CLONED:
        yield from _route(message)


def _route(message: nlmsg) -> Iterator[Row]:
    """One route, a row for each of its next hops."""
    attributes = Attributes(message)
    family = message["family"]
    row: Row = {
        "table": attributes("RTA_TABLE") or message["table"],
        "dst": attributes("RTA_DST") or _ANYWHERE[family],
        "prefix": message["dst_len"],
        "gateway": _gateway(attributes),
        "oif": attributes("RTA_OIF"),
        "type": _name_of_number(rtnl.rt_type, message["type"]),
        "scope": _scope(message["scope"]),
        "proto": _name_of_number(_ROUTE_SOURCES, message["proto"]),
        "metric": attributes("RTA_PRIORITY") or 0,
        "mtu": attributes.inside("RTA_METRICS")("RTAX_MTU"),
        "family": FAMILIES[family],
        "src": attributes("RTA_PREFSRC"),
    }
    hops = attributes("RTA_MULTIPATH")
    if hops is None:
        yield row
        return
    for hop in hops:
        yield row | {"oif": hop["oif"], "gateway": _gateway(Attributes(hop))}


def _gateway(attributes: Attributes) -> str | None:
    """The next hop: of the route's own family, or of the other family in RTA_VIA."""
    via = attributes("RTA_VIA")
    gateway: str | None = via["addr"] if via else attributes("RTA_GATEWAY")
    return gateway


def _rule(message: nlmsg) -> Iterator[Row]:
    """One rule of policy routing."""
    attributes = Attributes(message)
    src = attributes("FRA_SRC")
    dst = attributes("FRA_DST")
    action = (
        FR_ACT_VALUES.get(message["action"], str(message["action"])).removeprefix("FR_ACT_").lower()
    )
    yield {
        "priority": attributes("FRA_PRIORITY") or 0,
        "family": FAMILIES.get(message["family"], str(message["family"])),
        "src": f"{src}/{message['src_len']}" if src else None,
        "dst": f"{dst}/{message['dst_len']}" if dst else None,
        "iif": attributes.text("FRA_IIFNAME"),
        "oif": attributes.text("FRA_OIFNAME"),
        "mark": attributes("FRA_FWMARK"),
        "table": attributes("FRA_TABLE") or message["table"],
        "action": "lookup" if action == "to_tbl" else action,
        "mask": attributes("FRA_FWMASK"),
        "invert": bool(message["flags"] & FIB_RULE_INVERT),
        "suppress_prefix": _signed_number(attributes("FRA_SUPPRESS_PREFIXLEN")),
        "goto": attributes("FRA_GOTO"),
        "other": [
            name
            for name, attribute in _RULE_CONDITIONS.items()
            if attributes(attribute) is not None
        ]
        + (["tos"] if message["tos"] else []),
    }


def _signed_number(number: int | None) -> int | None:
    """A 32-bit number that pyroute2 decodes without its sign."""
    return number - (1 << 32) if number is not None and number >= 1 << 31 else number


def _neighbour(message: nlmsg) -> Iterator[Row]:
    """One entry of the neighbour table as a row."""
    attributes = Attributes(message)
    yield {
        "index": message["ifindex"],
        "address": attributes("NDA_DST"),
        "mac": attributes("NDA_LLADDR"),
        "state": _name_of_number(_NEIGHBOUR_STATES, message["state"]),
        "family": FAMILIES[message["family"]],
        "is_router": bool(message["flags"] & ndmsg.flags["router"]),
    }


def _proxied_address(message: nlmsg) -> Iterator[Row]:
    """One proxy entry as a row."""
    yield {"index": message["ifindex"], "address": Attributes(message)("NDA_DST")}


def _scope(number: int) -> str | None:
    name = _name_of_number(rtnl.rt_scope, number)
    return "global" if name == "universe" else name


def _name_of_number(names: Mapping[Any, Any], number: int | None) -> str | None:
    """The name of a number, or the number as text where it has none."""
    if number is None:
        return None
    return str(names.get(number, number))
