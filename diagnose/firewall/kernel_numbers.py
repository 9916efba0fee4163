"""The numbers by which the kernel and its tools name protocols, states and kinds of addresses."""

from collections.abc import Mapping
from types import MappingProxyType

PROTOCOLS: Mapping[str, int] = MappingProxyType(
    {
        "ip": 0,
        "hopopt": 0,
        "icmp": 1,
        "igmp": 2,
        "ggp": 3,
        "ipencap": 4,
        "ipip": 4,
        "st": 5,
        "tcp": 6,
        "egp": 8,
        "igp": 9,
        "pup": 12,
        "udp": 17,
        "hmp": 20,
        "xns-idp": 22,
        "rdp": 27,
        "iso-tp4": 29,
        "dccp": 33,
        "xtp": 36,
        "ddp": 37,
        "idpr-cmtp": 38,
        "ipv6": 41,
        "ipv6-route": 43,
        "ipv6-frag": 44,
        "idrp": 45,
        "rsvp": 46,
        "gre": 47,
        "esp": 50,
        "ipv6-crypt": 50,
        "ah": 51,
        "ipv6-auth": 51,
        "skip": 57,
        "ipv6-icmp": 58,
        "icmpv6": 58,
        "icmp6": 58,
        "ipv6-nonxt": 59,
        "ipv6-opts": 60,
        "rspf": 73,
        "vmtp": 81,
        "eigrp": 88,
        "ospf": 89,
        "ospfigp": 89,
        "ax.25": 93,
        "etherip": 97,
        "encap": 98,
        "pim": 103,
        "ipcomp": 108,
        "vrrp": 112,
        "l2tp": 115,
        "isis": 124,
        "sctp": 132,
        "fc": 133,
        "mh": 135,
        "ipv6-mh": 135,
        "mobility-header": 135,
        "udplite": 136,
        "mpls-in-ip": 137,
        "manet": 138,
        "shim6": 139,
        "wesp": 141,
        "rohc": 142,
    }
)
"""Names as in Debian's /etc/protocols, with those that iptables knows by itself."""

STATES: Mapping[str, int] = MappingProxyType(
    {"INVALID": 1, "ESTABLISHED": 2, "RELATED": 4, "NEW": 8, "UNTRACKED": 64}
)
"""Bits of conntrack's state, as nftables' `ct state` holds them."""

STATUSES: Mapping[str, int] = MappingProxyType(
    {"EXPECTED": 1, "SEEN_REPLY": 2, "ASSURED": 4, "CONFIRMED": 8, "SNAT": 16, "DNAT": 32}
)

ROUTE_TYPES: Mapping[str, int] = MappingProxyType(
    {
        "UNSPEC": 0,
        "UNICAST": 1,
        "LOCAL": 2,
        "BROADCAST": 3,
        "ANYCAST": 4,
        "MULTICAST": 5,
        "BLACKHOLE": 6,
        "UNREACHABLE": 7,
        "PROHIBIT": 8,
    }
)
"""Route types of `uapi/linux/rtnetlink.h`; an address of the host itself is LOCAL."""

TCP_FLAGS: Mapping[str, int] = MappingProxyType(
    {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32}
)

NF_ARP = 3
"""NFPROTO_ARP."""
NF_FAMILIES: Mapping[str, int] = MappingProxyType({"ip": 2, "ip6": 10})
