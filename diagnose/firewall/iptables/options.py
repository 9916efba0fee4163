"""The options of iptables' matches, as data: which field each is about, and how it is read."""

from collections.abc import Mapping

from diagnose.firewall.iptables import values
from diagnose.firewall.iptables.values import Reader
from diagnose.firewall.kernel_numbers import STATUSES
from diagnose.firewall.packet import Field
from diagnose.firewall.values import Interval, Masked
from diagnose.word_sets import vocabulary

FieldReader = tuple[Field, Reader]
"""The field that an option is about, and how its argument is read."""

RARE = vocabulary(
    "--connlimit-above --hashlimit-above --string --hex-string -f --fragment --helper --realm "
    "--ecn-tcp-cwr --ecn-tcp-ece"
)
"""Options that only traffic out of the ordinary meets; with one of them false, what else its module
says does not matter."""

USUAL = frozenset({"--limit", "--hashlimit-upto", "--connlimit-upto", "--nfacct-name"})
"""Options that a client's first packets always meet: they are within the limit, or only counted."""

LIMIT_DETAILS = ("--limit-burst", "--hashlimit-", "--connlimit-")
"""What else these modules say: how they count, and nothing about the packet."""

HEADER_MODULES = frozenset({"rt", "hbh", "dst", "frag", "mh", "srh"})
"""Modules that look for an extension header, and whose presence alone asks for it: an ordinary
packet has none, so that `-m frag ! --fragid 5` does not hold for it either."""

TUNNEL_MODULES = frozenset({"ah", "esp", "ipcomp"})
"""Modules about packets of tunnels: their presence alone asks for the protocol of that name."""

RARE_MODULES = HEADER_MODULES | {"ipv6header"}
"""Modules whose options no ordinary packet meets."""

SILENT = vocabulary(
    "--comment --algo --from --to --icase --name --mask --rsource --rdest --seconds --reap --rttl "
    "--set --loose --validmark --accept-local --invert --nowildcard --transparent --restore-skmark "
    "--limit-iface-in --limit-iface-out --return-nomatch --suppl-groups --dir --strict --reqid "
    "--spi --proto --mode --tunnel-src --tunnel-dst --next --physdev-is-in --physdev-is-out"
)
"""Options that say nothing about the packet: comments, details of counting, and words that their
module's other options explain."""

FIELDS: Mapping[tuple[str, str], FieldReader] = {
    ("", "-i"): ("iif", values.interface),
    ("", "-o"): ("oif", values.interface),
    ("", "-s"): ("src", values.network),
    ("", "-d"): ("dst", values.network),
    ("", "-p"): ("proto", values.protocol),
    ("", "--src-range"): ("src", values.address_range),
    ("", "--dst-range"): ("dst", values.address_range),
    ("", "--sport"): ("sport", values.ports),
    ("", "--sports"): ("sport", values.ports),
    ("", "--dport"): ("dport", values.ports),
    ("", "--dports"): ("dport", values.ports),
    ("", "--ctstatus"): ("status", values.bits_of(STATUSES)),
    ("", "--ctdir"): ("direction", values.direction),
    ("", "--ctproto"): ("proto", values.protocol),
    ("", "--ctorigsrc"): ("orig_src", values.network),
    ("", "--ctorigdst"): ("orig_dst", values.network),
    ("", "--ctorigsrcport"): ("orig_sport", values.ports),
    ("", "--ctorigdstport"): ("orig_dport", values.ports),
    ("", "--ctreplsrc"): ("repl_src", values.network),
    ("", "--ctrepldst"): ("repl_dst", values.network),
    ("", "--ctreplsrcport"): ("repl_sport", values.ports),
    ("", "--ctrepldstport"): ("repl_dport", values.ports),
    ("mark", "--mark"): ("mark", values.under_mask),
    ("connmark", "--mark"): ("ctmark", values.under_mask),
    ("", "--mark"): ("mark", values.under_mask),
    ("", "--syn"): ("syn", values.one),
    ("", "--tcp-flags"): ("syn", values.tcp_flags),
    ("", "--mss"): ("syn", values.segment_size),
    ("", "--length"): ("proto", values.of_ordinary_size(40, 1500)),
    ("", "--ttl-eq"): ("proto", values.of_ordinary_size(32, 255)),
    ("", "--ttl-lt"): ("proto", values.below(32, 255)),
    ("", "--ttl-gt"): ("proto", values.above(32, 255)),
    ("", "--hl-eq"): ("hop_limit", values.number),
    ("", "--hl-lt"): ("proto", values.below(32, 255)),
    ("", "--hl-gt"): ("proto", values.above(32, 255)),
    ("", "--icmp-type"): ("icmp", values.icmp),
    ("", "--icmpv6-type"): ("icmp", values.icmp),
    ("", "--uid-owner"): ("uid", values.identity),
    ("", "--gid-owner"): ("gid", values.identity),
    ("", "--socket-exists"): ("uid", lambda _: (Interval(0, (1 << 32) - 1),)),
    ("", "--physdev-in"): ("physin", values.interface),
    ("", "--physdev-out"): ("physout", values.interface),
    ("", "--physdev-is-bridged"): ("bridged", values.one),
    ("", "--pkt-type"): ("pkttype", values.packet_type),
    ("", "--mac-source"): ("mac", values.mac),
    ("tos", "--tos"): ("tos", values.tos),
    ("dscp", "--dscp"): ("tos", values.dscp),
    ("ecn", "--ecn-ip-ect"): ("tos", lambda text: (Masked(3, int(text)),)),
    ("policy", "--pol"): ("pkttype", lambda text: (Interval(0, 0),) if text == "none" else ()),
    ("quota", "--quota"): ("pkttype", values.quota),
    ("ah", "--ahspi"): ("proto", values.every_index),
    ("esp", "--espspi"): ("proto", values.every_index),
    ("ipcomp", "--ipcompspi"): ("proto", values.every_index),
}
"""How each option of a module is read; under an empty module those whose name is used once."""

ALTERNATIVES: Mapping[tuple[str, str], tuple[FieldReader, ...]] = {
    ("conntrack", "--ctstate"): (("state", values.states), ("status", values.translations)),
    ("state", "--state"): (("state", values.states), ("status", values.translations)),
    ("multiport", "--ports"): (("sport", values.ports), ("dport", values.ports)),
}
"""Options that two fields may meet."""
