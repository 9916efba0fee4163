"""pyroute2's message classes, completed where release 0.9.7 misreads something.

Each class names the kernel header it follows.
"""

import struct
from collections.abc import Iterable
from functools import partial
from typing import Any

from pyroute2.netlink import (
    NLA_F_NESTED,
    NLA_F_NET_BYTEORDER,
    NLMSG_DONE,
    nla,
    nla_base_string,
    nlmsg,
)
from pyroute2.netlink.diag import SOCK_DIAG_BY_FAMILY, inet_diag_msg
from pyroute2.netlink.marshal import Marshal
from pyroute2.netlink.nfnetlink import (
    NFNL_SUBSYS_CTNETLINK,
    NFNL_SUBSYS_IPSET,
    NFNL_SUBSYS_NFTABLES,
    nftsocket,
)
from pyroute2.netlink.nfnetlink.ipset import IPSET_CMD_LIST, ipset_msg
from pyroute2.netlink.nfnetlink.nfctsocket import IPCTNL_MSG_CT_NEW, nfct_msg
from pyroute2.netlink.rtnl import (
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWNEIGH,
    RTM_NEWROUTE,
    RTM_NEWRULE,
    rt_type,
)
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from diagnose.live.network import nft_decoder
from diagnose.word_sets import vocabulary

NFT = NFNL_SUBSYS_NFTABLES << 8
IPSET = NFNL_SUBSYS_IPSET << 8
CONNTRACK = NFNL_SUBSYS_CTNETLINK << 8
"""What the types of these subsystems' messages begin with (nfnetlink.h)."""


def _retyped_attributes(attributes: Iterable[Any], **types: str) -> tuple[Any, ...]:
    """A message's list of attributes (name, type) with other types for some of them."""
    return tuple((name, types.get(name, kind)) for name, kind in attributes)


class _Completed:
    """Marks a subclass whose list of attributes is its own.

    Pyroute2 compiles the list once for a class and its heirs.
    """

    __slots__ = ()
    _nlmsg_base__compiled_nla = False


LINK_ATTRIBUTES = vocabulary(
    "IFLA_ADDRESS IFLA_GROUP IFLA_IFNAME IFLA_LINK IFLA_LINKINFO IFLA_LINK_NETNSID IFLA_MASTER "
    "IFLA_MTU IFLA_OPERSTATE IFLA_QDISC IFLA_EXT_MASK"
)
"""The attributes of an interface that are decoded."""

OWN_ROUTES = frozenset(rt_type[name] for name in ("local", "broadcast", "anycast", "multicast"))
"""Types of routes that lead to the namespace's own addresses: two of three in a container."""

_ATTRIBUTE = struct.Struct("=HH")
_ROUTE_TYPE_AT = struct.calcsize("=IHHII") + [name for name, _ in rtmsg.fields].index("type")
"""Where a route has its type: after struct nlmsghdr, and the fields of one byte before it
(rtnetlink.h: struct rtmsg)."""


class _Done(nlmsg):
    """The end of a dump, with the error that cut it short.

    netlink.h: struct nlmsghdr, then an int.
    """

    fields = (("error", "i"),)


class _Link(_Completed, ifinfmsg):
    """An interface whose hardware address may have any length.

    Pyroute2 takes 6 bytes of a tunnel's 4 (if_link.h).
    """

    nla_map = _retyped_attributes(
        ifinfmsg.nla_map,
        IFLA_ADDRESS="hardware_address",
        IFLA_BROADCAST="hex",
        IFLA_OPERSTATE="uint8",
    )
    length: int
    read = frozenset(
        number for number, (name, _) in enumerate(ifinfmsg.nla_map) if name in LINK_ATTRIBUTES
    )

    def decode_nlas(self, offset: int) -> None:
        """Decode only the attributes that somebody reads, one of five. The base class decodes
        all."""
        end = self.offset + self.length
        while offset + _ATTRIBUTE.size <= end:
            length, kind = _ATTRIBUTE.unpack_from(self.data, offset)
            length = max(length, _ATTRIBUTE.size)
            if kind & ~(NLA_F_NESTED | NLA_F_NET_BYTEORDER) in self.read:
                self.length = min(offset + length, end) - self.offset
                super().decode_nlas(offset)
            offset += length + 3 & ~3
        self.length = end - self.offset

    class hardware_address(nla_base_string):  # noqa: N801 - named like pyroute2's types
        """Any number of bytes as hexadecimal text with colons."""

        def decode(self) -> None:
            nla_base_string.decode(self)
            self.value = self["value"].hex(":")


class _Set(_Completed, nftsocket.nft_set_msg):
    """A set with its flags as the kernel's number, and the lengths of a concatenated key's fields.

    pyroute2 knows 8 of the flags, and reads NFTA_LIST_ELEM of the fields one level too deep
    (nf_tables.h).
    """

    nla_map = _retyped_attributes(nftsocket.nft_set_msg.nla_map, NFTA_SET_FLAGS="be32")

    class set_desc(_Completed, nla):  # noqa: N801
        nla_map = (
            ("NFTA_SET_DESC_UNSPEC", "none"),
            ("NFTA_SET_DESC_SIZE", "be32"),
            ("NFTA_SET_DESC_CONCAT", "*field"),
        )

        class field(_Completed, nla):  # noqa: N801
            nla_map = (("NFTA_SET_FIELD_UNSPEC", "none"), ("NFTA_SET_FIELD_LEN", "be32"))


class RouteMarshal(Marshal):
    """Decodes rtnetlink.

    pyroute2's own marshal also knows traffic control and more, and costs 20 ms to import.
    """

    msg_map = {  # noqa: RUF012 - as in the base class
        NLMSG_DONE: _Done,
        RTM_NEWLINK: _Link,
        RTM_NEWADDR: ifaddrmsg,
        RTM_NEWROUTE: rtmsg,
        RTM_NEWRULE: fibmsg,
        RTM_NEWNEIGH: ndmsg,
    }

    def __init__(self, *, own_routes: bool = True) -> None:
        super().__init__()
        self._own_routes = own_routes

    def get_parser(self, key: int, flags: int, sequence_number: int) -> Any:
        """The decoder of a message of this type.

        Own routes are passed over undecoded if they are not wanted.
        """
        parser = super().get_parser(key, flags, sequence_number)
        if key == RTM_NEWROUTE and not self._own_routes:
            return partial(_foreign_route, parser)
        return parser


def _foreign_route(parser: Any, datagram: bytes, offset: int, length: int) -> Any:
    if datagram[offset + _ROUTE_TYPE_AT] in OWN_ROUTES:
        return None
    return parser(datagram, offset, length)


class SocketMarshal(Marshal):
    """Decodes sock_diag of IPv4 and IPv6.

    pyroute2's own marshal cannot tell an error from an answer about IPv4.
    """

    msg_map = {SOCK_DIAG_BY_FAMILY: inet_diag_msg, NLMSG_DONE: _Done}  # noqa: RUF012 - as in the base class


class NetfilterMarshal(Marshal):
    """Decodes nftables, ipset and conntrack.

    Rules and set elements are decoded by `nft_decoder`, ten times as fast.
    """

    msg_map = {  # noqa: RUF012 - as in the base class
        NLMSG_DONE: _Done,
        NFT | nftsocket.NFT_MSG_NEWGEN: nftsocket.nft_gen_msg,
        NFT | nftsocket.NFT_MSG_NEWTABLE: nftsocket.nft_table_msg,
        NFT | nftsocket.NFT_MSG_NEWCHAIN: nftsocket.nft_chain_msg,
        NFT | nftsocket.NFT_MSG_NEWSET: _Set,
        IPSET | IPSET_CMD_LIST: ipset_msg,
        CONNTRACK | IPCTNL_MSG_CT_NEW: nfct_msg,
    }

    own_parsers = {  # noqa: RUF012 - like the map above
        NFT | nftsocket.NFT_MSG_NEWRULE: nft_decoder.rule,
        NFT | nftsocket.NFT_MSG_NEWSETELEM: nft_decoder.elements,
    }

    def __init__(self, *, whole_rules: bool = True) -> None:
        super().__init__()
        self._whole_rules = whole_rules

    def get_parser(self, key: int, flags: int, sequence_number: int) -> Any:
        """The decoder of a message of this type.

        A rule is decoded as far as its chain if whole rules are not wanted.
        """
        own_parser = self.own_parsers.get(key)
        if own_parser is nft_decoder.rule and not self._whole_rules:
            own_parser = nft_decoder.place_of_rule
        if own_parser:
            return partial(own_parser, flags)
        return super().get_parser(key, flags, sequence_number)


RTM_F_CLONED = 0x200
"""Flag of a route that the kernel only remembers of a lookup (rtnetlink.h)."""
RTM_F_LOOKUP_TABLE = 0x1000
"""Flag of a lookup that wants to know the table (rtnetlink.h)."""
RTEXT_FILTER_SKIP_STATS = 1 << 3
"""Leaves the counters out of an interface (rtnetlink.h)."""
FIB_RULE_INVERT = 0x2
"""Flag of a policy rule that applies to what does not meet its conditions (fib_rules.h)."""
