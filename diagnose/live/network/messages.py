"""pyroute2's message classes, completed where release 0.9.7 misreads something. Each class names the kernel header it follows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from pyroute2.netlink import NLMSG_DONE, nla, nla_base_string, nlmsg
from pyroute2.netlink.diag import SOCK_DIAG_BY_FAMILY, inet_diag_msg
from pyroute2.netlink.marshal import Marshal
from pyroute2.netlink.nfnetlink import NFNL_SUBSYS_CTNETLINK, NFNL_SUBSYS_IPSET, NFNL_SUBSYS_NFTABLES
from pyroute2.netlink.nfnetlink.ipset import IPSET_CMD_LIST, ipset_msg
from pyroute2.netlink.nfnetlink.nfctsocket import IPCTNL_MSG_CT_NEW, nfct_msg
from pyroute2.netlink.nfnetlink.nftsocket import (
    NFT_MSG_NEWCHAIN,
    NFT_MSG_NEWGEN,
    NFT_MSG_NEWRULE,
    NFT_MSG_NEWSET,
    NFT_MSG_NEWSETELEM,
    NFT_MSG_NEWTABLE,
    nft_chain_msg,
    nft_gen_msg,
    nft_set_msg,
    nft_table_msg,
)
from pyroute2.netlink.rtnl import RTM_NEWADDR, RTM_NEWLINK, RTM_NEWNEIGH, RTM_NEWROUTE, RTM_NEWRULE
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from diagnose.live.network import nft_decoder

NFT = NFNL_SUBSYS_NFTABLES << 8
IPSET = NFNL_SUBSYS_IPSET << 8
CONNTRACK = NFNL_SUBSYS_CTNETLINK << 8
"""What the types of these subsystems' messages begin with (nfnetlink.h)."""


def _retyped(attributes: Iterable[Any], **types: str) -> tuple[Any, ...]:
    """A message's list of attributes (name, type) with other types for some of them."""
    return tuple((name, types.get(name, kind)) for name, kind in attributes)


class _Completed:
    """Marks a subclass whose list of attributes is its own: pyroute2 compiles the list once for a class and its heirs."""

    __slots__ = ()
    _nlmsg_base__compiled_nla = False


class _Done(nlmsg):
    """The end of a dump, with the error that cut it short (netlink.h: struct nlmsghdr, then an int)."""

    fields = (("error", "i"),)


class _Link(_Completed, ifinfmsg):
    """An interface whose hardware address may have any length: pyroute2 takes 6 bytes of a tunnel's 4 (if_link.h)."""

    nla_map = _retyped(ifinfmsg.nla_map, IFLA_ADDRESS="hardware_address", IFLA_BROADCAST="hex", IFLA_OPERSTATE="uint8")

    class hardware_address(nla_base_string):  # noqa: N801 - named like pyroute2's types
        """Any number of bytes as hexadecimal text with colons."""

        def decode(self) -> None:
            nla_base_string.decode(self)
            self.value = self["value"].hex(":")


class _Set(_Completed, nft_set_msg):
    """A set with its flags as the kernel's number, and the lengths of a concatenated key's fields.

    pyroute2 knows 8 of the flags, and reads NFTA_LIST_ELEM of the fields one level too deep (nf_tables.h).
    """

    nla_map = _retyped(nft_set_msg.nla_map, NFTA_SET_FLAGS="be32")

    class set_desc(_Completed, nla):  # noqa: N801
        nla_map = (
            ("NFTA_SET_DESC_UNSPEC", "none"),
            ("NFTA_SET_DESC_SIZE", "be32"),
            ("NFTA_SET_DESC_CONCAT", "*field"),
        )

        class field(_Completed, nla):  # noqa: N801
            nla_map = (("NFTA_SET_FIELD_UNSPEC", "none"), ("NFTA_SET_FIELD_LEN", "be32"))


class RouteMarshal(Marshal):
    """Decodes rtnetlink. pyroute2's own marshal also knows traffic control and more, and costs 20 ms to import."""

    msg_map = {  # noqa: RUF012 - as in the base class
        NLMSG_DONE: _Done,
        RTM_NEWLINK: _Link,
        RTM_NEWADDR: ifaddrmsg,
        RTM_NEWROUTE: rtmsg,
        RTM_NEWRULE: fibmsg,
        RTM_NEWNEIGH: ndmsg,
    }


class SocketMarshal(Marshal):
    """Decodes sock_diag of IPv4 and IPv6. pyroute2's own marshal cannot tell an error from an answer about IPv4."""

    msg_map = {SOCK_DIAG_BY_FAMILY: inet_diag_msg, NLMSG_DONE: _Done}  # noqa: RUF012 - as in the base class


class NetfilterMarshal(Marshal):
    """Decodes nftables, ipset and conntrack. Rules and set elements are decoded by `nft_decoder`, ten times as fast."""

    msg_map = {  # noqa: RUF012 - as in the base class
        NLMSG_DONE: _Done,
        NFT | NFT_MSG_NEWGEN: nft_gen_msg,
        NFT | NFT_MSG_NEWTABLE: nft_table_msg,
        NFT | NFT_MSG_NEWCHAIN: nft_chain_msg,
        NFT | NFT_MSG_NEWSET: _Set,
        IPSET | IPSET_CMD_LIST: ipset_msg,
        CONNTRACK | IPCTNL_MSG_CT_NEW: nfct_msg,
    }

    own_parsers = {  # noqa: RUF012 - like the map above
        NFT | NFT_MSG_NEWRULE: nft_decoder.rule,
        NFT | NFT_MSG_NEWSETELEM: nft_decoder.elements,
    }

    def get_parser(self, key: int, flags: int, sequence_number: int) -> Any:
        """What decodes a message of this type."""
        own = self.own_parsers.get(key)
        return partial(own, flags) if own else super().get_parser(key, flags, sequence_number)


RTM_F_CLONED = 0x200
"""Flag of a route that the kernel only remembers of a look-up (rtnetlink.h)."""
RTM_F_LOOKUP_TABLE = 0x1000
"""Flag of a look-up that wants to know the table (rtnetlink.h)."""
RTEXT_FILTER_SKIP_STATS = 1 << 3
"""Leaves the counters out of an interface (rtnetlink.h)."""
FIB_RULE_INVERT = 0x2
"""Flag of a policy rule that applies to what does not meet its conditions (fib_rules.h)."""
