"""The rules of Docker's engines for two bridges with three published ports, varied at random."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

BRIDGES = ("docker0", "br-shop")
_SUBNETS = {
    "docker0": ("172.17.0.0/16", "fd00:17::/64"),
    "br-shop": ("172.18.0.0/16", "2001:db8:18::/64"),
    "lxcbr0": ("10.0.3.0/24", "fd00:3::/64"),
}
_CONTAINERS = {
    "docker0": ("172.17.0.", "fd00:17::"),
    "br-shop": ("172.18.0.", "2001:db8:18::"),
    "lxcbr0": ("10.0.3.", "fd00:3::"),
}


class _Published(NamedTuple):
    proto: str
    port: int
    bridge: str
    number: int
    """Of the container on its bridge."""
    inside: int


PUBLISHED = (
    _Published("tcp", 8080, "docker0", 2, 80),
    _Published("tcp", 8081, "br-shop", 2, 8080),
    _Published("tcp", 8443, "docker0", 3, 443),
    _Published("udp", 8081, "docker0", 2, 53),
)


def subnet(bridge: str, family: str) -> str:
    return _SUBNETS[bridge][family == "ip6"]


def container(bridge: str, number: int, family: str) -> str:
    return f"{_CONTAINERS[bridge][family == 'ip6']}{number}"


@dataclass
class DockerRules:
    """The rules of one engine with iptables."""

    rng: random.Random
    family: str
    style: str
    """"20.10" or "28": the chains that these engines make."""

    def script(self, program: str) -> str:
        """The shell command that loads them with this program."""
        proxied = self.rng.random() < 0.6
        policy = self.rng.choice(("DROP", "DROP", "ACCEPT"))
        nat = self._nat(proxied=proxied)
        filters = [
            "*filter", ":INPUT ACCEPT", f":FORWARD {policy}", ":OUTPUT ACCEPT", ":DOCKER -",
            ":DOCKER-USER -", *(self._forward_20_10() if self.style == "20.10" else _forward_28()),
        ]  # fmt: skip
        raw = ["*raw", ":PREROUTING ACCEPT"]
        for proto, _, bridge, number, inside in PUBLISHED:
            to = container(bridge, number, self.family)
            filters.append(
                f"-A DOCKER -d {to} ! -i {bridge} -o {bridge} -p {proto} -m {proto} "
                f"--dport {inside} -j ACCEPT"
            )
            if self.style == "28" and self.rng.random() < 0.7:
                raw.append(f"-A PREROUTING -d {to} ! -i {bridge} -j DROP")
        if self.style == "28":
            filters += [f"-A DOCKER ! -i {bridge} -o {bridge} -j DROP" for bridge in BRIDGES]
        text = "\n".join([*nat, "COMMIT", *filters, "COMMIT", *raw, "COMMIT"])
        return f"{program}-restore <<'END'\n{text}\nEND"

    def _nat(self, *, proxied: bool) -> list[str]:
        """proxied: docker-proxy serves what comes from a port's own bridge, and from loopback."""
        loopback = "127.0.0.0/8" if self.family == "ip" else "::1/128"
        but_loopback = f"! -d {loopback} " if proxied else ""
        nat = [
            "*nat", ":PREROUTING ACCEPT", ":OUTPUT ACCEPT", ":POSTROUTING ACCEPT", ":DOCKER -",
            "-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
            f"-A OUTPUT {but_loopback}-m addrtype --dst-type LOCAL -j DOCKER",
        ]  # fmt: skip
        for bridge in BRIDGES:
            if self.rng.random() < 0.9:
                source = subnet(bridge, self.family)
                nat.append(f"-A POSTROUTING -s {source} ! -o {bridge} -j MASQUERADE")
            if proxied and self.style == "20.10":
                nat.append(f"-A DOCKER -i {bridge} -j RETURN")
        for proto, port, bridge, number, inside in PUBLISHED:
            if self.rng.random() < 0.9:
                to = container(bridge, number, self.family)
                target = f"[{to}]:{inside}" if self.family == "ip6" else f"{to}:{inside}"
                but_own = f"! -i {bridge} " if proxied else ""
                nat.append(
                    f"-A DOCKER {but_own}-p {proto} -m {proto} --dport {port} "
                    f"-j DNAT --to-destination {target}"
                )
        return nat

    def _forward_20_10(self) -> list[str]:
        rules = [
            ":ISOLATE1 -",
            ":ISOLATE2 -",
            "-A FORWARD -j DOCKER-USER",
            "-A FORWARD -j ISOLATE1",
        ]
        for bridge in BRIDGES:
            within = self.rng.choice(("ACCEPT", "ACCEPT", "DROP"))
            rules += [
                f"-A FORWARD -o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                f"-A FORWARD -o {bridge} -j DOCKER",
                f"-A FORWARD -i {bridge} ! -o {bridge} -j ACCEPT",
                f"-A FORWARD -i {bridge} -o {bridge} -j {within}",
                f"-A ISOLATE1 -i {bridge} ! -o {bridge} -j ISOLATE2",
                f"-A ISOLATE2 -o {bridge} -j DROP",
            ]
        return [*rules, "-A DOCKER-USER -j RETURN"]


def _forward_28() -> list[str]:
    rules = [
        ":DOCKER-FORWARD -", ":DOCKER-CT -", ":DOCKER-BRIDGE -", "-A FORWARD -j DOCKER-USER",
        "-A FORWARD -j DOCKER-FORWARD", "-A DOCKER-FORWARD -j DOCKER-CT",
        "-A DOCKER-FORWARD -j DOCKER-BRIDGE",
    ]  # fmt: skip
    for bridge in BRIDGES:
        rules += [
            f"-A DOCKER-CT -o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            f"-A DOCKER-BRIDGE -o {bridge} -j DOCKER",
            f"-A DOCKER-FORWARD -i {bridge} -j ACCEPT",
        ]
    return rules


def nftables_rules(family: str) -> str:
    """As engine 29's nftables backend writes them, in short."""
    net, to = subnet("docker0", family), container("docker0", 2, family)
    target = f"[{to}]:80" if family == "ip6" else f"{to}:80"
    key = "ip6 saddr" if family == "ip6" else "ip saddr"
    return f"""nft -f - <<'END'
            table {family} docker-bridges {{
                map out {{ type ifname : verdict; elements = {{ "docker0" : jump in-docker0 }} }}
                chain in-docker0 {{
                    ct state established,related accept
                    tcp dport 80 accept
                    iifname != "docker0" drop
                }}
                chain forward {{
                    type filter hook forward priority filter; policy accept;
                    oifname vmap @out
                }}
                chain dnat {{ fib daddr type local iifname != "docker0" tcp dport 8080 dnat to {target}; }}
                chain prerouting {{ type nat hook prerouting priority dstnat; jump dnat; }}
                chain output {{ type nat hook output priority dstnat; jump dnat; }}
                chain postrouting {{ type nat hook postrouting priority srcnat; oifname != "docker0" {key} {net} masquerade; }}
            }}
END"""
