"""Generated hosts: networks, routes and packet filters that vary with a seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.lab.agreement.docker_rules import DockerRules, container, nftables_rules, subnet
from tests.lab.agreement.own_rules import own_rules
from tests.lab.agreement.site import TCP_PORTS


class Generator:
    """One random host as shell, for the host's namespace."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._lines: list[str] = []

    def script(self) -> str:
        rng = self._rng
        for family in ("ip", "ip6"):
            style = rng.choice(("20.10", "28", "28", "none", "nftables"))
            legacy = rng.random() < 0.2
            self._docker(family, style, "iptables-legacy" if legacy else "iptables-nft")
        steps: list[Callable[[], None]] = [
            self._docker_user, self._docker_user, self._input, self._output, self._raw, self._marks, self._two_uplinks, self._native,
            self._native, self._device, self._bridge, self._odd_rules, self._settings, self._settings, self._policy,
            self._policy, self._routes, self._nat, self._nat, self._legacy, self._other_bridge, *[self._own] * 8,
        ]  # fmt: skip
        for step in rng.sample(steps, rng.randint(0, 6)):
            step()
        return "\n".join(self._lines)

    def _own(self) -> None:
        self._add(*own_rules(self._rng, self._family()))

    def _add(self, *lines: str) -> None:
        self._lines += lines

    def _tool(self, family: str, flavour: str = "nft") -> str:
        return f"{'iptables' if family == 'ip' else 'ip6tables'}-{flavour}"

    def _family(self) -> str:
        return self._rng.choice(("ip", "ip", "ip6"))

    def _bridge_name(self) -> str:
        return self._rng.choice(("docker0", "br-shop", "lxcbr0"))

    def _docker(self, family: str, style: str, tool: str) -> None:
        if style == "nftables":
            self._add(nftables_rules(family))
        elif style != "none":
            program = tool.replace("iptables", "ip6tables") if family == "ip6" else tool
            self._add(DockerRules(self._rng, family, style).script(program))

    def _match(self, family: str) -> str:
        """Random conditions of one iptables rule."""
        rng = self._rng
        bridge = self._bridge_name()
        if rng.random() < 0.5:
            source = subnet(bridge, family)
        else:
            source = container(bridge, rng.choice((2, 3)), family)
        proto = rng.choice(("tcp", "udp"))
        port = rng.choice((*TCP_PORTS, 8081, 8443))
        options = [
            "", f"-i {bridge}", f"-o {bridge}", "-i eth0", "-o eth0", "-i eth1", "-o eth1", f"! -i {bridge}", f"-s {source}", f"-d {source}", f"! -s {source}",
            f"-p {proto}", f"-p {proto} --dport {port}", f"-p {proto} -m multiport --dports {port},53", f"-p {proto} --sport {port}",
            "-m conntrack --ctstate NEW", "-m conntrack --ctstate RELATED,ESTABLISHED", "-m conntrack --ctstate DNAT", "-m conntrack --ctdir REPLY",
            "-m conntrack --ctstatus DNAT", f"-m conntrack --ctorigdstport {port} --ctproto tcp", "-m mark --mark 0x1/0xf", "-m connmark --mark 0x2",
            "-p tcp --syn", "-p tcp ! --syn -m conntrack --ctstate NEW", "-m addrtype --dst-type LOCAL", "-m addrtype --src-type LOCAL",
            f"-i {bridge} -o {bridge}", "-m limit --limit 5000/s --limit-burst 5000", "-p tcp -m connlimit --connlimit-above 100", "-p gre", "-p esp", "-m pkttype --pkt-type unicast",
            "-m rpfilter --invert", "-m physdev --physdev-is-bridged", f"-p tcp -m multiport --ports {port},99",
        ]  # fmt: skip
        chosen = [rng.choice(options) for _ in range(rng.choice((1, 1, 2)))]
        flags = [
            word
            for text in chosen
            for word in text.split()
            if word.startswith("-") and len(word) == 2
        ]
        modules = [
            word
            for text in chosen
            for word in text.split()
            if word in ("conntrack", "multiport", "addrtype")
        ]
        if len(set(flags) - {"-m"}) != len([flag for flag in flags if flag != "-m"]) or len(
            set(modules)
        ) != len(modules):
            return chosen[0]
        return " ".join(chosen)

    def _docker_user(self) -> None:
        family = self._family()
        tool = self._tool(family)
        verdict = self._rng.choice(("DROP", "DROP", "REJECT", "ACCEPT", "RETURN"))
        self._add(
            f"{tool} -I DOCKER-USER {self._match(family)} -j {verdict} 2>/dev/null || {tool} -I FORWARD {self._match(family)} -j {verdict} || true"
        )

    def _input(self) -> None:
        family, rng = self._family(), self._rng
        tool = self._tool(family)
        keep = rng.choice(
            (
                "-i lo -j ACCEPT",
                "-m addrtype --src-type LOCAL -j ACCEPT",
                "-p tcp --dport 22 -j ACCEPT",
            )
        )
        self._add(
            f"{tool} -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", f"{tool} -A INPUT {keep}",
            f"{tool} -A INPUT {self._match_in(family)} -j {rng.choice(('ACCEPT', 'DROP', 'REJECT'))} || true",
        )  # fmt: skip
        if family == "ip6":
            self._add(f"{tool} -A INPUT -p icmpv6 -j ACCEPT")
        self._add(f"{tool} -P INPUT DROP" if rng.random() < 0.6 else f"{tool} -A INPUT -j REJECT")

    def _match_in(self, family: str) -> str:
        for _ in range(50):
            match = self._match(family)
            if "-o " not in match:
                return match
        return ""

    def _output(self) -> None:
        family, rng = self._family(), self._rng
        for _ in range(50):
            match = self._match(family)
            if "-i " not in match and "rpfilter" not in match and "physdev" not in match:
                self._add(
                    f"{self._tool(family)} -A OUTPUT {match} -j {rng.choice(('DROP', 'REJECT', 'ACCEPT'))} || true"
                )
                return

    def _raw(self) -> None:
        family, rng = self._family(), self._rng
        for _ in range(50):
            match = self._match(family)
            if "-o " not in match and "ct" not in match and "--mark" not in match:
                verdict = rng.choice(("-j DROP", "-j CT --notrack", "-j ACCEPT"))
                self._add(f"{self._tool(family)} -t raw -A PREROUTING {match} {verdict} || true")
                return

    def _marks(self) -> None:
        family, rng = self._family(), self._rng
        tool, bridge = self._tool(family), self._bridge_name()
        mark = rng.choice(("0x1", "0x2", "0x11/0xff"))
        self._add(
            f"{tool} -t mangle -A PREROUTING -i {bridge} -j MARK --set-xmark {mark if '/' in mark else mark + '/0xf'}"
        )
        if rng.random() < 0.5:
            self._add(
                f"{tool} -t mangle -A FORWARD -m mark --mark 0x1/0x1 -j {rng.choice(('DROP', 'ACCEPT'))}"
            )
        if rng.random() < 0.6:
            self._policy_rule(family, f"fwmark {rng.choice(('0x1/0xf', '0x2', '0x11/0xff'))}")

    def _two_uplinks(self) -> None:
        """Connections are answered by the uplink that they came by, by marks; or that is only half
        done."""
        family, rng = self._family(), self._rng
        tool = self._tool(family)
        v6 = " -6" if family == "ip6" else ""
        via = {"ip": ("203.0.113.1", "192.0.2.1"), "ip6": ("2001:db8:b::1", "2001:db8:a::1")}[
            family
        ]
        self._add(
            f"{tool} -t mangle -A PREROUTING -i eth1 -m conntrack --ctstate NEW -j CONNMARK --set-mark 0x2",
            f"ip{v6} route replace default via {via[0]} dev eth1 table 102", f"ip{v6} rule add fwmark 0x2 lookup 102 priority 90",
        )  # fmt: skip
        if rng.random() < 0.7:
            self._add(
                f"{tool} -t mangle -A PREROUTING -m connmark --mark 0x2 -j CONNMARK --restore-mark"
            )
        if rng.random() < 0.5:
            self._add(
                f"{tool} -t mangle -A OUTPUT -m connmark --mark 0x2 -j CONNMARK --restore-mark"
            )

    def _policy_rule(self, family: str, selector: str) -> None:
        rng = self._rng
        v6 = " -6" if family == "ip6" else ""
        via = rng.choice(
            {"ip": ("203.0.113.1", "192.0.2.1"), "ip6": ("2001:db8:b::1", "2001:db8:a::1")}[family]
        )
        table = rng.randint(110, 130)
        route = rng.choice(
            (
                f"default via {via}",
                f"default via {via}",
                "prohibit default",
                "unreachable default",
                "blackhole default",
                "throw default",
            )
        )
        self._add(
            f"ip{v6} route add {route} table {table} || true",
            f"ip{v6} rule add {selector} lookup {table} priority {rng.choice((50, 100, 33000))}",
        )

    def _policy(self) -> None:
        family, rng = self._family(), self._rng
        bridge = self._bridge_name()
        host = {"ip": ("192.0.2.10", "203.0.113.10"), "ip6": ("2001:db8:a::10", "2001:db8:b::10")}[
            family
        ]
        far = {"ip": "198.51.100.0/24", "ip6": "2001:db8:c::/64"}[family]
        selector = rng.choice((
            f"from {subnet(bridge, family)}", f"iif {bridge}", f"from {rng.choice(host)}", f"to {far}", f"not fwmark 0x5 to {far}",
            f"from {container(bridge, 2, family)}",
        ))  # fmt: skip
        self._policy_rule(family, selector)
        if rng.random() < 0.3:
            v6 = " -6" if family == "ip6" else ""
            self._add(f"ip{v6} rule add table main suppress_prefixlength 0 priority 40")

    def _routes(self) -> None:
        family, rng = self._family(), self._rng
        v6 = " -6" if family == "ip6" else ""
        bridge = self._bridge_name()
        target = rng.choice(
            (
                container(bridge, 2, family),
                {"ip": "198.51.100.0/24", "ip6": "2001:db8:c::/64"}[family],
            )
        )
        self._add(
            f"ip{v6} route add {rng.choice(('blackhole', 'unreachable', 'prohibit'))} {target}"
        )

    def _native(self) -> None:
        rng = self._rng
        family = self._family()
        key = "ip6" if family == "ip6" else "ip"
        bridge = self._bridge_name()
        rules = [
            "ct state established,related accept", "ct state vmap { established : accept, related : accept, invalid : drop }",
            f'iifname "{bridge}" drop', f'oifname "{bridge}" accept', f'iifname {{ "docker0", "eth1" }} {rng.choice(("accept", "drop"))}',
            f"{key} saddr {subnet(bridge, family)} {rng.choice(('drop', 'accept', 'reject'))}", "tcp dport { 80, 443 } accept", "udp dport 53 drop",
            f"{key} daddr . tcp dport {{ {container(bridge, 2, family)} . 80 }} drop", "meta l4proto tcp reject with tcp reset",
            "ct status dnat accept", "ct direction original tcp dport 5432 drop", "fib daddr type local accept", "ct mark 0x2 drop", "meta mark and 0xf == 1 drop",
            f'iifname "{bridge}" oifname "{bridge}" drop', 'iifname "dock*" accept', f'iifname . oifname {{ "{bridge}" . "eth0" }} drop', "meta nfproto ipv6 drop",
            "meta l4proto tcp ct original proto-dst 8080 drop", "tcp flags & (fin|syn|rst|ack) == syn drop", "limit rate over 1000/second burst 500 packets drop", "counter log",
            "fib saddr . iif oif missing drop", "ct state new accept", "tcp dport vmap { 22 : drop, 80 : accept, 443 : drop }", "reject",
        ]  # fmt: skip
        hook = rng.choice(("forward", "forward", "input", "output", "prerouting", "postrouting"))
        priority = rng.choice((-350, -160, -10, 0, 10, 200))
        policy = rng.choice(("accept", "accept", "drop"))
        chosen = [rng.choice(rules) for _ in range(rng.randint(1, 4))]
        if policy == "drop":
            chosen.insert(0, "meta l4proto { icmp, ipv6-icmp } accept")
        chosen = [rule for rule in chosen if _fits(rule, hook)]
        kind = rng.choice(("inet", family))
        body = "\n".join(chosen)
        self._add(
            f"nft -f - <<'END'\ntable {kind} extra{len(self._lines)} {{ chain c {{ type filter hook {hook} priority {priority}; policy {policy};\n{body}\n}}\n}}\nEND"
        )

    def _device(self) -> None:
        rng = self._rng
        device = rng.choice(("eth0", "eth1", "docker0", "v02"))
        rule = rng.choice(
            (
                "ip protocol udp drop",
                "tcp dport 80 drop",
                "ip saddr 172.17.0.0/16 drop",
                "meta protocol ip6 drop",
                "udp dport 53 drop",
                "ip daddr 192.0.2.10 drop",
            )
        )
        self._add(
            "nft add table netdev guard",
            f"nft 'add chain netdev guard c {{ type filter hook ingress device \"{device}\" priority 0; }}'",
            f"nft 'add rule netdev guard c {rule}'",
        )

    def _bridge(self) -> None:
        rng = self._rng
        rule = rng.choice((
            'iifname "v02" drop', "ip daddr 172.17.0.3 drop", "ether type ip tcp dport 80 drop", "ip protocol udp drop", 'meta ibrname "docker0" ip daddr 172.17.0.3 drop',
            "ip saddr 172.18.0.2 accept", "ip6 daddr fd00:17::3 drop",
        ))  # fmt: skip
        hook = rng.choice(("forward", "prerouting", "input", "output"))
        if (hook == "output" and "iifname" in rule) or (hook != "forward" and "ibrname" in rule):
            hook = "forward"
        self._add(
            "nft add table bridge guard",
            f"nft 'add chain bridge guard c {{ type filter hook {hook} priority 0; }}'",
            f"nft 'add rule bridge guard c {rule}'",
        )

    def _odd_rules(self) -> None:
        family, rng = self._family(), self._rng
        rule = rng.choice((
            "-m statistic --mode random --probability 0.5 -j DROP", "-m owner --uid-owner 0 -j DROP", "-p tcp -m connlimit --connlimit-above 0 -j DROP",
            "-m hashlimit --hashlimit-above 500/sec --hashlimit-mode srcip --hashlimit-name h -j DROP", "-m ttl --ttl-gt 20 -j DROP", "-m length --length 40:1500 -j DROP",
            "-p tcp -m tcpmss ! --mss 536:65535 -j DROP", "-p tcp -m tcp --tcp-flags ALL NONE -j DROP", "-m string --string BitTorrent --algo bm -j DROP",
            "-m recent --set --name seen", "-m dscp --dscp 0x2e -j DROP", "-m tos --tos 0x00/0xff -j DROP", "-m mac --mac-source 02:00:00:00:00:01 -j DROP",
            "-m connbytes --connbytes 0:100 --connbytes-mode packets --connbytes-dir both -j DROP",
        ))  # fmt: skip
        chain = "OUTPUT" if "owner" in rule else rng.choice(("FORWARD", "INPUT"))
        if "ttl" in rule and family == "ip6":
            rule = "-m hl --hl-gt 20 -j DROP"
        self._add(f"{self._tool(family)} -I {chain} {rule} || true")

    def _settings(self) -> None:
        rng = self._rng
        bridge = rng.choice(("docker0", "br-shop", "eth0", "eth1"))
        self._add("sysctl -qw " + rng.choice((
            "net.ipv4.ip_forward=0", f"net.ipv4.conf.{bridge}.forwarding=0", "net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.all.rp_filter=2",
            f"net.ipv4.conf.{bridge}.rp_filter=1", "net.ipv6.conf.all.forwarding=0", "net.bridge.bridge-nf-call-iptables=1",
            "net.bridge.bridge-nf-call-ip6tables=1", "net.bridge.bridge-nf-call-iptables=0",
            "net.ipv4.conf.all.src_valid_mark=1", "net.ipv4.conf.all.accept_local=1",
        )))  # fmt: skip

    def _nat(self) -> None:
        family, rng = self._family(), self._rng
        tool, bridge = self._tool(family), self._bridge_name()
        host = {"ip": "192.0.2.10", "ip6": "2001:db8:a::10"}[family]
        inside = container(bridge, rng.choice((2, 3)), family)
        target = f"[{inside}]:80" if family == "ip6" else f"{inside}:80"
        self._add(f"{tool} -t nat " + rng.choice((
            f"-I POSTROUTING -s {subnet(bridge, family)} -j RETURN", f"-I POSTROUTING -s {subnet(bridge, family)} -o eth0 -j SNAT --to-source {host}",
            f"-I PREROUTING -p tcp --dport 443 -j DNAT --to-destination {target}", "-I PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 22",
            f"-A POSTROUTING -s {subnet('lxcbr0', family)} -j MASQUERADE", "-A POSTROUTING -o eth1 -j MASQUERADE",
            f"-I OUTPUT -p tcp --dport 5432 -j DNAT --to-destination {target}", "-I PREROUTING -p udp --dport 53 -j REDIRECT --to-ports 53",
            f"-I PREROUTING -i {bridge} -p tcp --dport 80 -j ACCEPT",
        )))  # fmt: skip

    def _legacy(self) -> None:
        family, rng = self._family(), self._rng
        tool = self._tool(family, "legacy")
        self._add(
            rng.choice(
                (
                    f"{tool} -P FORWARD DROP",
                    f"{tool} -A FORWARD {self._match(family)} -j DROP || true",
                    f"{tool} -A INPUT {self._match_in(family)} -j DROP || true",
                )
            )
        )

    def _other_bridge(self) -> None:
        family = self._family()
        tool, net = self._tool(family), subnet("lxcbr0", family)
        self._add(f"{tool} -t nat -A POSTROUTING -s {net} ! -d {net} -j MASQUERADE")
        if self._rng.random() < 0.5:
            self._add(
                f"{tool} -I FORWARD -i lxcbr0 -j ACCEPT", f"{tool} -I FORWARD -o lxcbr0 -j ACCEPT"
            )


def _fits(rule: str, hook: str) -> bool:
    """Whether the kernel takes a rule on this hook."""
    if hook in ("prerouting", "input") and ("oifname" in rule or "iifname . oifname" in rule):
        return False
    if hook == "output" and "iifname" in rule:
        return False
    if "fib saddr . iif" in rule and hook not in ("prerouting", "input", "forward"):
        return False
    return "reject" not in rule or hook in ("input", "forward", "output")
