"""Packets and the conditions of iptables' modules, with the verdict that the kernel comes to."""

from __future__ import annotations

from typing import Any

OUTCOMES_OF_MATCHES: dict[str, tuple[list[str], str, dict[str, Any], str]] = {
    "conntrack state": (
        ["FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"],
        "DROP",
        {"state": "established"},
        "accept",
    ),
    "conntrack status": (
        ["FORWARD -m conntrack --ctstatus DNAT -j ACCEPT"],
        "DROP",
        {"dnat": True},
        "accept",
    ),
    "conntrack status without": (
        ["FORWARD -m conntrack --ctstatus DNAT -j ACCEPT"],
        "DROP",
        {},
        "drop",
    ),
    "an unknown set may decide": (
        ["FORWARD -m set --match-set mine src -j DROP"],
        "ACCEPT",
        {},
        "unknown",
    ),
    "an unknown set cannot decide": (
        ["FORWARD -m set --match-set mine src -j DROP"],
        "DROP",
        {},
        "drop",
    ),
    "an unknown set beside what is false": (
        ["FORWARD -i eth1 -m set --match-set mine src -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "an unknown match before a log": (
        ["FORWARD -m limit --limit 5/min -j LOG", "FORWARD -j ACCEPT"],
        "DROP",
        {},
        "accept",
    ),
    "an unknown match around a jump that drops": (
        ["FORWARD -m recent --rcheck -j MINE", "MINE -j DROP", "FORWARD -j DROP"],
        "ACCEPT",
        {},
        "drop",
    ),
    "more connections than a client has": (
        [
            "FORWARD -p tcp -m connlimit --connlimit-above 50 --connlimit-mask 32 --connlimit-saddr -j REJECT"
        ],
        "ACCEPT",
        {},
        "accept",
    ),
    "more packets than a client sends": (
        [
            "FORWARD -m hashlimit --hashlimit-above 100/sec --hashlimit-mode srcip --hashlimit-name x -j DROP"
        ],
        "ACCEPT",
        {},
        "accept",
    ),
    "as many packets as a client sends": (
        ["FORWARD -p tcp -m limit --limit 25/s --limit-burst 100 -j ACCEPT", "FORWARD -j DROP"],
        "DROP",
        {},
        "accept",
    ),
    "as many connections as a client has": (
        [
            "FORWARD -p tcp -m connlimit --connlimit-upto 50 --connlimit-mask 32 --connlimit-saddr -j ACCEPT"
        ],
        "DROP",
        {},
        "accept",
    ),
    "no more packets than that": (
        ["FORWARD -m hashlimit ! --hashlimit-above 100/sec -j DROP"],
        "ACCEPT",
        {},
        "drop",
    ),
    "more hits than a client has": (
        ["FORWARD -m recent --update --seconds 60 --hitcount 100 --name web --rsource -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "fewer hits than that": (
        ["FORWARD -m recent ! --update --seconds 60 --hitcount 100 --name web --rsource -j DROP"],
        "ACCEPT",
        {},
        "unknown",
    ),
    "a text in the payload": (
        ['FORWARD -m string --string "GET /" --algo bm -j DROP'],
        "ACCEPT",
        {},
        "accept",
    ),
    "no fragment, and another number than that": (
        ["FORWARD -m frag ! --fragid 5 -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "no routing header at all": (["FORWARD -m rt -j DROP"], "ACCEPT", {}, "accept"),
    "no header of a tunnel": (["FORWARD -m ah ! --ahspi 5 -j DROP"], "ACCEPT", {}, "accept"),
    "each index of a tunnel": (
        ["FORWARD -p esp -m esp --espspi 0:4294967295 -j DROP"],
        "ACCEPT",
        {"proto": "esp"},
        "drop",
    ),
    "some indexes of a tunnel": (
        ["FORWARD -p esp -m esp --espspi 4:4294967295 -j DROP"],
        "ACCEPT",
        {"proto": "esp"},
        "unknown",
    ),
    "an address made of a hardware address": (
        ["FORWARD -m eui64 -j DROP"],
        "ACCEPT",
        {},
        "unknown",
    ),
    "a mark with bits outside its mask": (
        ["FORWARD -m mark ! --mark 0x1/0x2 -j ACCEPT"],
        "DROP",
        {},
        "accept",
    ),
    "a mark that no packet has": (
        ["FORWARD -m connmark --mark 0xffffffff/0x0 -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "a fragment": (["FORWARD -f -j DROP"], "ACCEPT", {}, "accept"),
    "impossible flags": (
        ["FORWARD -p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "no flags": (["FORWARD -p tcp -m tcp --tcp-flags ALL NONE -j DROP"], "ACCEPT", {}, "accept"),
    "flags of a first packet": (
        ["FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP"],
        "ACCEPT",
        {},
        "drop",
    ),
    "flags of a first packet, later": (
        ["FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP"],
        "ACCEPT",
        {"state": "established"},
        "accept",
    ),
    "a new connection without them": (
        [
            "FORWARD -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j DROP"
        ],
        "ACCEPT",
        {},
        "accept",
    ),
    "flags of some later packets": (
        ["FORWARD -p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK -j DROP"],
        "ACCEPT",
        {"state": "established"},
        "unknown",
    ),
    "a segment size that nobody asks for": (
        ["FORWARD -p tcp -m tcpmss --mss 1:500 -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "a segment size that all ask for": (
        ["FORWARD -p tcp -m tcpmss ! --mss 536:65535 -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "a segment size that only first packets have": (
        ["FORWARD -p tcp -m tcpmss ! --mss 536:65535 -j DROP"],
        "ACCEPT",
        {"state": "established"},
        "drop",
    ),
    "a segment size that some ask for": (
        ["FORWARD -p tcp -m tcpmss --mss 1400:1500 -j DROP"],
        "ACCEPT",
        {},
        "unknown",
    ),
    "the way back leaves elsewhere": (
        ["FORWARD -m rpfilter --invert -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "user space decides": (["FORWARD -j NFQUEUE --queue-num 0"], "DROP", {}, "unknown"),
    "a source left open": (
        ["FORWARD ! -s 192.0.2.9/32 -j DROP"],
        "ACCEPT",
        {"src": None},
        "unknown",
    ),
    "a mark that was set": (
        ["FORWARD -j MARK --set-xmark 0x7/0xffffffff", "FORWARD -m mark --mark 0x7 -j DROP"],
        "ACCEPT",
        {},
        "drop",
    ),
    "a mark that was not": (["FORWARD -m mark --mark 0x7 -j DROP"], "ACCEPT", {}, "accept"),
    "a mark that cannot be told": (
        ["FORWARD -j HMARK --hmark-tuple src --hmark-mod 9", "FORWARD -m mark --mark 0x7 -j DROP"],
        "ACCEPT",
        {},
        "unknown",
    ),
    "a mark restored from a new connection's": (
        [
            "FORWARD -j MARK --set-xmark 0x7/0xff",
            "FORWARD -j CONNMARK --restore-mark",
            "FORWARD -m mark --mark 0x7 -j DROP",
        ],
        "ACCEPT",
        {},
        "accept",
    ),
    "a mark saved in the connection's, and restored": (
        [
            "FORWARD -j MARK --set-xmark 0x17/0xffffffff",
            "FORWARD -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff",
            "FORWARD -j MARK --set-xmark 0x0/0xffffffff",
            "FORWARD -m connmark --mark 0x17 -j MINE",
            "MINE -j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xf",
            "MINE -m mark --mark 0x7 -j DROP",
        ],
        "ACCEPT",
        {},
        "drop",
    ),
    "bits of a mark": (
        [
            "FORWARD -j MARK --set-xmark 0x10/0xf0",
            "FORWARD -j MARK --set-xmark 0x2/0xf",
            "FORWARD -m mark --mark 0x12 -j DROP",
        ],
        "ACCEPT",
        {},
        "drop",
    ),
    "the connection's mark is another": (
        ["FORWARD -j MARK --set-xmark 0x7/0xff", "FORWARD -m connmark --mark 0x7 -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "protocols of tunnels": (
        [
            f"FORWARD -p {name} -j DROP"
            for name in ("esp", "ah", "gre", "ipip", "dccp", "ipcomp", "ospf", "vrrp")
        ],
        "ACCEPT",
        {},
        "accept",
    ),
    "more connections than none": (
        ["FORWARD -p tcp -m connlimit --connlimit-above 0 -j DROP"],
        "ACCEPT",
        {},
        "drop",
    ),
    "no connection at all": (
        ["FORWARD -p tcp -m connlimit --connlimit-upto 0 -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "a user's packets, of a container": (
        ["FORWARD -m owner --uid-owner 1000 -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "not a user's packets": (["FORWARD -m owner ! --uid-owner 1000 -j DROP"], "ACCEPT", {}, "drop"),
    "either port": (["FORWARD -p tcp -m multiport --ports 22,443 -j DROP"], "ACCEPT", {}, "drop"),
    "neither port": (
        ["FORWARD -p tcp -m multiport ! --ports 22,443 -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "a state or a translation": (
        ["FORWARD -m conntrack --ctstate RELATED,DNAT -j DROP"],
        "ACCEPT",
        {"dnat": True},
        "drop",
    ),
    "neither state nor translation": (
        ["FORWARD -m conntrack --ctstate RELATED,DNAT -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "an address of the interface itself": (
        ["FORWARD -m addrtype --dst-type LOCAL --limit-iface-in -j DROP"],
        "ACCEPT",
        {"dst_local": True, "here_in": True},
        "drop",
    ),
    "an address of another interface": (
        ["FORWARD -m addrtype --dst-type LOCAL --limit-iface-in -j DROP"],
        "ACCEPT",
        {"dst_local": True, "here_in": False},
        "accept",
    ),
    "an ICMP type": (
        ["FORWARD -p icmp -m icmp --icmp-type 3/4 -j DROP"],
        "ACCEPT",
        {"proto": "icmp", "icmp": 772},
        "drop",
    ),
    "another ICMP type": (
        ["FORWARD -p icmp -m icmp --icmp-type 8 -j DROP"],
        "ACCEPT",
        {"proto": "icmp", "icmp": 772},
        "accept",
    ),
    "a bridged packet": (
        ["FORWARD -m physdev --physdev-is-bridged -j DROP"],
        "ACCEPT",
        {"physin": "veth1", "physout": "veth2"},
        "drop",
    ),
    "a packet that is routed": (
        ["FORWARD -m physdev --physdev-is-bridged -j DROP"],
        "ACCEPT",
        {},
        "accept",
    ),
    "local addresses": (
        ["FORWARD -m addrtype --dst-type LOCAL -j DROP"],
        "ACCEPT",
        {"dst_local": False},
        "accept",
    ),
}
