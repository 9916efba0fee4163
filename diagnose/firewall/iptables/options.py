"""The options of iptables' matches, as data: which field each is about, and how it is read."""

from collections.abc import Mapping

from diagnose.firewall.iptables.values import (
    Reader,
    above,
    address_range,
    below,
    bits_of,
    direction,
    dscp,
    icmp,
    identity,
    interface,
    mac,
    network,
    number,
    of_ordinary_size,
    one,
    packet_type,
    ports,
    protocol,
    quota,
    segment_size,
    states,
    tcp_flags,
    tos,
    translations,
    under_mask,
)
from diagnose.firewall.kernel_numbers import STATUSES
from diagnose.firewall.packet import Field
from diagnose.firewall.values import Interval, Masked

FieldReader = tuple[Field, Reader]
"""The field that an option is about, and how its argument is read."""

RARE = frozenset(
    {
        "--connlimit-above",
        "--hashlimit-above",
        "--string",
        "--hex-string",
        "-f",
        "--fragment",
        "--helper",
        "--realm",
        "--ecn-tcp-cwr",
        "--ecn-tcp-ece",
    }
)
"""Options that only traffic out of the ordinary meets; with one of them false, what else its module
says does not matter."""

USUAL = frozenset({"--limit", "--hashlimit-upto", "--connlimit-upto", "--nfacct-name"})
"""Options that a client's first packets always meet: they are within the limit, or only counted."""

LIMIT_DETAILS = ("--limit-burst", "--hashlimit-", "--connlimit-")
"""What else these modules say: how they count, and nothing about the packet."""

RARE_MODULES = frozenset(
    {"rt", "hbh", "dst", "frag", "mh", "eui64", "srh", "ipv6header", "ah", "esp", "ipcomp"}
)
"""Modules about extension headers and tunnels' packets, which an ordinary packet is none of."""

SILENT = frozenset(
    {
        "--comment",
        "--algo",
        "--from",
        "--to",
        "--icase",
        "--name",
        "--mask",
        "--rsource",
        "--rdest",
        "--seconds",
        "--reap",
        "--rttl",
        "--set",
        "--loose",
        "--validmark",
        "--accept-local",
        "--invert",
        "--nowildcard",
        "--transparent",
        "--restore-skmark",
        "--limit-iface-in",
        "--limit-iface-out",
        "--return-nomatch",
        "--suppl-groups",
        "--dir",
        "--strict",
        "--reqid",
        "--spi",
        "--proto",
        "--mode",
        "--tunnel-src",
        "--tunnel-dst",
        "--next",
        "--physdev-is-in",
        "--physdev-is-out",
    }
)
"""Options that say nothing about the packet: comments, details of counting, and words that their
module's other options explain."""

FIELDS: Mapping[tuple[str, str], FieldReader] = {
    ("", "-i"): ("iif", interface),
    ("", "-o"): ("oif", interface),
    ("", "-s"): ("src", network),
    ("", "-d"): ("dst", network),
    ("", "-p"): ("proto", protocol),
    ("", "--src-range"): ("src", address_range),
    ("", "--dst-range"): ("dst", address_range),
    ("", "--sport"): ("sport", ports),
    ("", "--sports"): ("sport", ports),
    ("", "--dport"): ("dport", ports),
    ("", "--dports"): ("dport", ports),
    ("", "--ctstatus"): ("status", bits_of(STATUSES)),
    ("", "--ctdir"): ("direction", direction),
    ("", "--ctproto"): ("proto", protocol),
    ("", "--ctorigsrc"): ("orig_src", network),
    ("", "--ctorigdst"): ("orig_dst", network),
    ("", "--ctorigsrcport"): ("orig_sport", ports),
    ("", "--ctorigdstport"): ("orig_dport", ports),
    ("", "--ctreplsrc"): ("repl_src", network),
    ("", "--ctrepldst"): ("repl_dst", network),
    ("", "--ctreplsrcport"): ("repl_sport", ports),
    ("", "--ctrepldstport"): ("repl_dport", ports),
    ("mark", "--mark"): ("mark", under_mask),
    ("connmark", "--mark"): ("ctmark", under_mask),
    ("", "--mark"): ("mark", under_mask),
    ("", "--syn"): ("syn", one),
    ("", "--tcp-flags"): ("syn", tcp_flags),
    ("", "--mss"): ("syn", segment_size),
    ("", "--length"): ("proto", of_ordinary_size(40, 1500)),
    ("", "--ttl-eq"): ("proto", of_ordinary_size(32, 255)),
    ("", "--ttl-lt"): ("proto", below(32, 255)),
    ("", "--ttl-gt"): ("proto", above(32, 255)),
    ("", "--hl-eq"): ("hop_limit", number),
    ("", "--hl-lt"): ("proto", below(32, 255)),
    ("", "--hl-gt"): ("proto", above(32, 255)),
    ("", "--icmp-type"): ("icmp", icmp),
    ("", "--icmpv6-type"): ("icmp", icmp),
    ("", "--uid-owner"): ("uid", identity),
    ("", "--gid-owner"): ("gid", identity),
    ("", "--socket-exists"): ("uid", lambda _: (Interval(0, (1 << 32) - 1),)),
    ("", "--physdev-in"): ("physin", interface),
    ("", "--physdev-out"): ("physout", interface),
    ("", "--physdev-is-bridged"): ("bridged", one),
    ("", "--pkt-type"): ("pkttype", packet_type),
    ("", "--mac-source"): ("mac", mac),
    ("tos", "--tos"): ("tos", tos),
    ("dscp", "--dscp"): ("tos", dscp),
    ("ecn", "--ecn-ip-ect"): ("tos", lambda text: (Masked(3, int(text)),)),
    ("policy", "--pol"): ("pkttype", lambda text: (Interval(0, 0),) if text == "none" else ()),
    ("quota", "--quota"): ("pkttype", quota),
}
"""How each option of a module is read; under an empty module those whose name is used once."""

ALTERNATIVES: Mapping[tuple[str, str], tuple[FieldReader, ...]] = {
    ("conntrack", "--ctstate"): (("state", states), ("status", translations)),
    ("state", "--state"): (("state", states), ("status", translations)),
    ("multiport", "--ports"): (("sport", ports), ("dport", ports)),
}
"""Options that two fields may meet."""
