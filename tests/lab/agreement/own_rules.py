"""Rules that administrators and other programs write beside Docker's, varied at random.

What the host asks and answers itself, ports closed by their sources, sets of addresses, tables of
nftables with priorities of their own, and routes by mark, port or user.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from tests.lab.agreement.docker_rules import BRIDGES, container, subnet
from tests.lab.agreement.site import TCP_PORTS, UDP_PORTS

_HOST = {"ip": "192.0.2.10", "ip6": "2001:db8:a::10"}
_FAR = {"ip": "198.51.100.0/24", "ip6": "2001:db8:c::/64"}
_FAR_SERVER = {"ip": "198.51.100.80", "ip6": "2001:db8:c::80"}
_SECOND_GATEWAY = {"ip": "203.0.113.1", "ip6": "2001:db8:b::1"}
_ICMP = {"ip": "icmp", "ip6": "icmpv6"}


class _Draw(NamedTuple):
    """What one step varies."""

    rng: random.Random
    family: str

    @property
    def tool(self) -> str:
        return "ip6tables-nft" if self.family == "ip6" else "iptables-nft"

    @property
    def ip(self) -> str:
        return "ip -6" if self.family == "ip6" else "ip"

    @property
    def key(self) -> str:
        """nftables' word for the header."""
        return "ip6" if self.family == "ip6" else "ip"

    @property
    def bridge(self) -> str:
        return self.rng.choice((*BRIDGES, "lxcbr0"))

    @property
    def tcp_port(self) -> int:
        return self.rng.choice(TCP_PORTS)

    @property
    def udp_port(self) -> int:
        return self.rng.choice(UDP_PORTS)

    @property
    def verdict(self) -> str:
        return self.rng.choice(("DROP", "REJECT", "ACCEPT"))


def own_rules(rng: random.Random, family: str) -> list[str]:
    """The shell lines of one step."""
    return rng.choice(_STEPS)(_Draw(rng, family))


def _closed_output(draw: _Draw) -> list[str]:
    """A host that may only ask what is listed, and answer who has asked it."""
    allowed = draw.rng.sample(
        [
            "-o lo -j ACCEPT",
            "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "-p udp --dport 53 -j ACCEPT",
            "-p tcp -m multiport --dports 80,443 -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT",
            "-p tcp --sport 22 -m conntrack --ctstate ESTABLISHED -j ACCEPT",
            f"-d {subnet(draw.bridge, draw.family)} -j ACCEPT",
            "-m owner --uid-owner 0 -p tcp --dport 443 -j ACCEPT",
        ],
        draw.rng.randint(1, 4),
    )
    icmp = f"-p {_ICMP[draw.family]} -j ACCEPT"
    return [
        *(f"{draw.tool} -A OUTPUT {rule}" for rule in (icmp, *allowed)),
        f"{draw.tool} -P OUTPUT DROP",
    ]


def _queries(draw: _Draw) -> list[str]:
    """Questions to name servers, or their answers, are refused."""
    server, bridge = _FAR_SERVER[draw.family], draw.bridge
    rule = draw.rng.choice(
        (
            "OUTPUT -p udp --dport 53",
            f"OUTPUT -p udp --dport 53 ! -d {server}",
            "OUTPUT -p udp -m udp --dport 53 -m owner ! --uid-owner 0",
            "INPUT -p udp --sport 53",
            "INPUT -i eth0 -p udp --sport 53 -m conntrack --ctstate NEW",
            "FORWARD -p udp --sport 53",
            f"FORWARD -i {bridge} -p udp --dport 53 ! -d {server}",
            f"INPUT -i {bridge} -p udp --dport 53",
        )
    )
    return [f"{draw.tool} -I {rule} -j {draw.rng.choice(('DROP', 'REJECT'))}"]


def _by_source_port(draw: _Draw) -> list[str]:
    """Rules as they were written before connection tracking: answers are known by their port."""
    port = draw.tcp_port
    chain = draw.rng.choice(("INPUT", "OUTPUT", "FORWARD"))
    syn = draw.rng.choice(("", "! --syn ", "--tcp-flags SYN,ACK SYN,ACK "))
    return [f"{draw.tool} -I {chain} -p tcp --sport {port} {syn}-j {draw.verdict}"]


def _only_new(draw: _Draw) -> list[str]:
    """What opens a connection is let through; whether what follows is, varies."""
    rng, bridge = draw.rng, draw.bridge
    rules = [
        f"-i {bridge} -m conntrack --ctstate NEW -j ACCEPT",
        f"-i {bridge} -p tcp --syn -j ACCEPT",
        f"-o {bridge} -m conntrack --ctstate NEW -j ACCEPT",
        "-m conntrack --ctdir REPLY -j ACCEPT",
        "-m conntrack --ctstate ESTABLISHED -m conntrack --ctdir REPLY -j ACCEPT",
        "-m conntrack --ctstate ESTABLISHED -j ACCEPT",
        f"-i {bridge} -m conntrack --ctstate ESTABLISHED -j DROP",
    ]
    chosen = rng.sample(rules, rng.randint(1, 3))
    policy = rng.choice(("DROP", "DROP", "ACCEPT"))
    icmp = f"{draw.tool} -A FORWARD -p {_ICMP[draw.family]} -j ACCEPT"
    return [
        icmp,
        *(f"{draw.tool} -A FORWARD {rule}" for rule in chosen),
        f"{draw.tool} -P FORWARD {policy}",
    ]


def _limited(draw: _Draw) -> list[str]:
    """What goes beyond a limit is dropped, or falls to a rule that drops."""
    chain = draw.rng.choice(("INPUT", "FORWARD", "OUTPUT"))
    port = draw.tcp_port
    return draw.rng.choice(
        (
            [
                f"{draw.tool} -I {chain} -p tcp --dport {port} -j DROP",
                f"{draw.tool} -I {chain} -p tcp --dport {port} -m limit --limit 9000/s --limit-burst 9000 -j ACCEPT",
            ],
            [
                (
                    f"{draw.tool} -I {chain} -p tcp --dport {port} -m hashlimit --hashlimit-upto 900/sec"
                    " --hashlimit-burst 900 --hashlimit-mode srcip --hashlimit-name few -j ACCEPT"
                )
            ],
            [
                f"{draw.tool} -I {chain} -p tcp --syn -m connlimit --connlimit-upto 90 -j ACCEPT",
                f"{draw.tool} -A {chain} -p tcp --syn --dport {port} -j DROP",
            ],
        )
    )


def _address_types(draw: _Draw) -> list[str]:
    """Rules by whose address it is."""
    kind = draw.rng.choice(
        (
            "INPUT -m addrtype --dst-type LOCAL --limit-iface-in",
            "INPUT -m addrtype ! --dst-type LOCAL",
            "INPUT -m addrtype ! --src-type LOCAL",
            "INPUT -m addrtype --src-type UNICAST",
            "FORWARD -m addrtype --src-type UNICAST --dst-type UNICAST",
            "FORWARD -m addrtype --dst-type MULTICAST",
            "OUTPUT -m addrtype --dst-type UNICAST",
            "OUTPUT -m addrtype ! --dst-type LOCAL",
        )
    )
    chain, _, rest = kind.partition(" ")
    narrowed = draw.rng.choice(("", f"-p tcp --dport {draw.tcp_port} ", "-p udp "))
    return [f"{draw.tool} -I {chain} {narrowed}{rest} -j {draw.verdict}"]


def _address_sets(draw: _Draw) -> list[str]:
    """Rules by a set of ipset's, of several kinds."""
    rng, family = draw.rng, draw.family
    one, other = container(draw.bridge, rng.choice((2, 3)), family), _FAR_SERVER[family]
    port = draw.tcp_port
    kind, members, flags = rng.choice(
        (
            ("hash:ip", (one, other), "src"),
            ("hash:ip", (one, other), "dst"),
            ("hash:net", (subnet(draw.bridge, family), _FAR[family]), "src"),
            ("hash:net", (subnet(draw.bridge, family), other), "dst"),
            ("hash:ip,port", (f"{one},tcp:{port}", f"{other},tcp:{port}"), "dst,dst"),
            ("hash:ip,port", (f"{one},tcp:{port}", f"{other},udp:53"), "src,dst"),
        )
    )
    negation = rng.choice(("", "", "! "))
    chain = rng.choice(("FORWARD", "INPUT", "OUTPUT"))
    inet = "inet6" if family == "ip6" else "inet"
    name = f"crowd{rng.randrange(1000000)}"
    return [
        f"#ipset create {name} {kind} {inet}",
        *(f"#ipset add {name} {member}" for member in members),
        f"{draw.tool} -I {chain} -m set {negation}--match-set {name} {flags} -j {draw.verdict}",
    ]


def _ranges(draw: _Draw) -> list[str]:
    bridge = draw.bridge
    one, other = (container(bridge, number, draw.family) for number in (2, 3))
    side = draw.rng.choice(("--src-range", "--dst-range", "! --src-range"))
    chain = draw.rng.choice(("FORWARD", "INPUT", "OUTPUT"))
    return [f"{draw.tool} -I {chain} -m iprange {side} {one}-{other} -j {draw.verdict}"]


def _other_routes(draw: _Draw) -> list[str]:
    """A way for some packets alone: by mark, port, user, interface, or a longer prefix."""
    gateway, table = _SECOND_GATEWAY[draw.family], draw.rng.randint(110, 130)
    selector = draw.rng.choice(
        (
            f"ipproto tcp dport {draw.tcp_port}",
            "uidrange 0-0",
            "iif lo",
            f"from {_HOST[draw.family]}",
            f"iif {draw.bridge} to {_FAR[draw.family]}",
            "fwmark 0x7",
        )
    )
    marks = (
        f"{draw.tool} -t mangle -A {draw.rng.choice(('PREROUTING', 'OUTPUT'))}"
        f" -p tcp --dport {draw.tcp_port} -j MARK --set-mark 0x7"
    )
    return [
        marks,
        f"{draw.ip} route add default via {gateway} table {table} || true",
        f"{draw.ip} rule add {selector} lookup {table} priority {draw.rng.choice((60, 110, 32800))}",
    ]


def _services(draw: _Draw) -> list[str]:
    """As kube-proxy does it: a virtual address, its marks, and one of several servers."""
    tool, virtual = draw.tool, "10.96.0.10" if draw.family == "ip" else "fd00:96::10"
    servers = [container(bridge, 2, draw.family) for bridge in BRIDGES]
    targets = [f"[{server}]:80" if draw.family == "ip6" else f"{server}:80" for server in servers]
    share = draw.rng.choice(("", "-m statistic --mode random --probability 0.5 "))
    return [
        f"{tool} -t nat -N KUBE-SERVICES; {tool} -t nat -N KUBE-MARK; {tool} -t nat -N KUBE-POST",
        f"{tool} -t nat -A KUBE-MARK -j MARK --set-xmark 0x4000/0x4000",
        f"{tool} -t nat -I PREROUTING -j KUBE-SERVICES; {tool} -t nat -I OUTPUT -j KUBE-SERVICES",
        f"{tool} -t nat -A KUBE-SERVICES -d {_HOST[draw.family]} -p tcp --dport 8443 -j KUBE-MARK",
        (
            f"{tool} -t nat -A KUBE-SERVICES -d {_HOST[draw.family]} -p tcp --dport 8443 {share}"
            f"-j DNAT --to-destination {targets[0]}"
        ),
        (
            f"{tool} -t nat -A KUBE-SERVICES -d {_HOST[draw.family]} -p tcp --dport 8443 -j DNAT"
            f" --to-destination {targets[1]}"
        ),
        f"{tool} -t nat -I POSTROUTING -j KUBE-POST",
        f"{tool} -t nat -A KUBE-POST -m mark ! --mark 0x4000/0x4000 -j RETURN",
        f"{tool} -t nat -A KUBE-POST -j MARK --set-xmark 0x4000/0x4000",
        f"{tool} -t nat -A KUBE-POST -j MASQUERADE",
        f"{tool} -I FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT",
        f"{tool} -I FORWARD -d {virtual} -m conntrack --ctstate INVALID -j DROP",
    ]


def _own_table(draw: _Draw) -> list[str]:
    """A table of nftables with chains, sets and maps of its own."""
    rng, key, bridge = draw.rng, draw.key, draw.bridge
    one, other = (container(bridge, number, draw.family) for number in (2, 3))
    port, family = draw.tcp_port, "ipv6_addr" if draw.family == "ip6" else "ipv4_addr"
    rules = [
        f"th dport {port} {rng.choice(('drop', 'accept', 'reject'))}", "meta l4proto . th dport { tcp . 80, udp . 53 } drop", f"{key} saddr @some drop", f"{key} daddr @some accept",
        f"{key} daddr . tcp dport vmap {{ {one} . 80 : drop, {other} . {port} : accept }}", "jump inner", "goto inner", f'iifname vmap {{ "{bridge}" : jump inner, "eth0" : accept }}',
        "ct state invalid drop", "ct state new tcp flags & (syn | ack) != syn drop", f"ct original {key} saddr {subnet(bridge, draw.family)} drop", "ct count over 500 drop",
        f"meta l4proto tcp ct original proto-dst {port} {rng.choice(('accept', 'drop'))}", "meta mark set 0x9", "meta mark 0x9 drop", "tcp sport 443 drop", "ct state established accept", "meta pkttype host accept",
        f"{key} saddr != @some return", f"fib saddr type local {rng.choice(('accept', 'drop'))}", "limit rate 9000/second accept", "tcp dport != { 22, 53, 80 } drop", "ct direction reply accept",
        "ct status snat drop", f"tcp sport {port} ct state new drop", f"{key} saddr {{ {one}-{other}, {_FAR[draw.family]} }} drop",
    ]  # fmt: skip
    hook = rng.choice(("forward", "forward", "input", "output", "prerouting", "postrouting"))
    if hook == "output":
        rules += ["meta skuid 0 drop", "meta skuid != 0 drop", "fib daddr type local accept"]
        rules = [rule for rule in rules if "iifname" not in rule]
    if hook == "prerouting":
        rules += ["notrack", "fib daddr . iif type local accept", "fib saddr . iif oif 0 drop"]
    rules = [rule for rule in rules if "reject" not in rule or hook != "prerouting"]
    if hook == "postrouting":
        rules = [rule for rule in rules if not any(w in rule for w in ("iifname", "reject"))]
    chosen = "\n".join(rng.sample(rules, rng.randint(1, 4)))
    inner = rng.choice((f"tcp dport {port} drop", "return", "udp dport 53 drop\naccept", "drop"))
    icmp = "meta l4proto { icmp, ipv6-icmp } accept"
    policy = rng.choice(("accept", "accept", "accept", "drop"))
    priority = rng.choice((-350, -310, -150, -110, -90, -1, 1, 50, 90, 110, 300))
    return [
        f"""nft -f - <<'END'
table {rng.choice(("inet", key))} own {{
set some {{ type {family}; flags interval; elements = {{ {subnet(bridge, draw.family)}, {_FAR_SERVER[draw.family]} }} }}
chain inner {{
{icmp}
{inner}
}}
chain c {{ type filter hook {hook} priority {priority}; policy {policy};
{icmp}
{chosen}
}}
}}
END"""
    ]


def _own_translation(draw: _Draw) -> list[str]:
    """Translation by nftables, before or after Docker's own."""
    rng, key, bridge = draw.rng, draw.key, draw.bridge
    one, other = (container(bridge, number, draw.family) for number in (2, 3))
    hook, rules = rng.choice(
        (
            (
                "prerouting",
                [
                    f"fib daddr type local tcp dport 8443 dnat to {one}:80"
                    if draw.family == "ip"
                    else f"fib daddr type local tcp dport 8443 dnat to [{one}]:80",
                    f"dnat to tcp dport map {{ 443 : {one}, 5432 : {other} }}",
                    "fib daddr type local tcp dport 8081 redirect to :80",
                    f"{key} daddr {_FAR_SERVER[draw.family]} tcp dport 80 dnat to {one}",
                ],
            ),
            ("output", [f"tcp dport 5432 dnat to {one}", "udp dport 53 redirect to :8080"]),
            (
                "postrouting",
                [
                    f"{key} saddr {subnet(bridge, draw.family)} snat to {_HOST[draw.family]}",
                    'oifname "eth*" masquerade',
                    f"{key} daddr {subnet(bridge, draw.family)} masquerade",
                    f"{key} saddr {subnet(bridge, draw.family)} accept",
                ],
            ),
        )
    )
    priority = rng.choice((-110, -100, -90) if hook != "postrouting" else (90, 100, 110))
    body = "\n".join(rng.sample(rules, rng.randint(1, len(rules))))
    return [
        (
            f"nft -f - <<'END'\ntable {key} translate {{ chain c {{ type nat hook {hook}"
            f" priority {priority};\n{body}\n}}\n}}\nEND"
        )
    ]


_STEPS: tuple[Callable[[_Draw], list[str]], ...] = (
    _closed_output, _queries, _queries, _by_source_port, _by_source_port, _only_new, _only_new, _limited, _address_types, _address_types,
    _address_sets, _address_sets, _ranges, _other_routes, _other_routes, _services, _own_table, _own_table, _own_table, _own_table,
    _own_translation, _own_translation,
)  # fmt: skip
