"""Generated hosts on which real packets are compared with what the walk says of them.

    python -m tests.lab.agreement [SEED [HOSTS]]

A host is a network namespace with two uplinks, each to a provider of its own, and two or three
bridges with containers, in IPv4 and IPv6. Each generated host gets random packet filters (iptables
of both backends and nftables, as Docker and other programs write them and worse), settings and
policy routes; then connections are opened from every party to every other, all at once, and their
fate is compared with `trace`. Everything happens in namespaces that end with the process.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import random
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)
WAIT_S = 0.7
"""How long a connection may take; on a busy machine a handshake between namespaces takes
milliseconds."""

PATIENT_S = (2.5, 5.0)
"""How long is waited when a connection met silence and should not have: two retransmissions of a
SYN take three seconds."""

TCP_PORTS = (22, 53, 80, 443, 5432, 8080)
UDP_PORTS = (53, 8080)
PUBLISHED = (8080, 8081, 8443)


class Namespace:
    """A network namespace that lives as long as this object."""

    def __init__(self, name: str) -> None:
        self.name = name
        with _back_home():
            _check(_LIBC.unshare(_CLONE_NEWNET))
            self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            os.set_inheritable(self.fd, True)
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

    @property
    def path(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self.fd}"

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        with _back_home():
            _check(_LIBC.setns(self.fd, _CLONE_NEWNET))
            yield

    def sh(self, script: str, check: bool = True) -> str:
        """Run a shell script inside."""
        with self.entered():
            done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, timeout=60)
        if check and done.returncode:
            raise RuntimeError(f"{self.name}: {done.stderr.strip()}\n{script}")
        return done.stdout

    def join(self, link: str, peer: str, other: Namespace) -> None:
        """A pair of interfaces between this namespace and another."""
        self.sh(
            f"ip link add {link} type veth peer name {peer} netns {other.path}; ip link set {link} up"
        )
        other.sh(f"ip link set {peer} up")


@contextlib.contextmanager
def _back_home() -> Iterator[None]:
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        _check(_LIBC.setns(home, _CLONE_NEWNET))
        os.close(home)


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@dataclass
class Party:
    """Who sends and answers: a container, the host, or a provider. device: of the host that leads
    to it, "" for the host itself."""

    name: str
    space: Namespace
    addresses: dict[str, str]
    device: str = ""
    port: str = ""


@dataclass
class Attempt:
    """One connection: who asks, by which protocol and family, which address and port."""

    client: Party
    family: str
    proto: str
    dst: str
    dport: int
    through: bool = False
    by: str = ""
    error: str = ""

    def __str__(self) -> str:
        return f"{self.client.name} -> {self.proto} [{self.dst}]:{self.dport}"


@dataclass
class Disagreement:
    """Where the walk says something else than what the packets met."""

    host: int
    attempt: Attempt
    expected: str
    script: str


@dataclass
class Tally:
    """hosts, attempts, and how the walk stood to them."""

    hosts: int = 0
    agreed: int = 0
    undecided: int = 0
    through: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)
    undecided_by: dict[str, int] = field(default_factory=dict)

    @property
    def decided(self) -> int:
        return self.agreed + len(self.disagreements)

    @property
    def agreement(self) -> float:
        return self.agreed / max(1, self.decided)

    @property
    def undecided_share(self) -> float:
        return self.undecided / max(1, self.decided + self.undecided)

    def __str__(self) -> str:
        return (
            f"{self.hosts} hosts, {self.decided + self.undecided} connections ({self.through} got through): "
            f"{self.agreement:.2%} of {self.decided} decided agree, {self.undecided_share:.2%} undecided"
        )


class Site:
    """The namespaces, built once; each generated host starts from the same bare state."""

    def __init__(self) -> None:
        self.host = Namespace("host")
        self.providers = [Namespace("provider0"), Namespace("provider1")]
        self.bridges = ["docker0", "br-shop", "lxcbr0"]
        self.subnets = {
            "docker0": ("172.17", "fd00:17"),
            "br-shop": ("172.18", "2001:db8:18"),
            "lxcbr0": ("10.0.3", "fd00:3"),
        }
        self.parties: list[Party] = []
        self._server_sockets: dict[int, tuple[socket.socket, str]] = {}
        self._selector = selectors.DefaultSelector()
        self._uplinks()
        self._containers()
        self.host_addresses = {
            "ip": ["192.0.2.10", "203.0.113.10", "172.17.0.1", "172.18.0.1", "10.0.3.1"],
            "ip6": [
                "2001:db8:a::10",
                "2001:db8:b::10",
                "fd00:17::1",
                "2001:db8:18::1",
                "fd00:3::1",
            ],
        }
        self.parties.append(Party("host", self.host, {"ip": "", "ip6": ""}))
        self._serve()

    def _uplinks(self) -> None:
        nets = [
            ("192.0.2", "2001:db8:a", "198.51.100.80", "2001:db8:c::80"),
            ("203.0.113", "2001:db8:b", "198.18.0.80", "2001:db8:d::80"),
        ]
        for number, (net, net6, far, far6) in enumerate(nets):
            provider = self.providers[number]
            self.host.join(f"eth{number}", f"up{number}", provider)
            self.host.sh(
                f"ip addr add {net}.10/24 dev eth{number}; ip -6 addr add {net6}::10/64 dev eth{number} nodad"
            )
            provider.sh(
                f"ip addr add {net}.1/24 dev up{number}; ip -6 addr add {net6}::1/64 dev up{number} nodad;"
                f" ip addr add {far}/32 dev lo; ip -6 addr add {far6}/128 dev lo nodad;"
                f" ip route add default via {net}.10; ip -6 route add default via {net6}::10"
            )
            self.parties.append(
                Party(
                    f"near{number}",
                    provider,
                    {"ip": f"{net}.1", "ip6": f"{net6}::1"},
                    f"eth{number}",
                )
            )
            self.parties.append(
                Party(f"far{number}", provider, {"ip": far, "ip6": far6}, f"eth{number}")
            )
        self.host.sh(
            "ip route add default via 192.0.2.1; ip -6 route add default via 2001:db8:a::1"
        )
        self.host.sh(
            "ip route add 198.18.0.0/24 via 203.0.113.1; ip -6 route add 2001:db8:d::/64 via 2001:db8:b::1"
        )

    def _containers(self) -> None:
        self.host.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
        for bridge in self.bridges:
            net, net6 = self.subnets[bridge]
            whole, size = (net, 24) if net.count(".") == 2 else (f"{net}.0", 16)
            self.host.sh(
                f"ip link add {bridge} type bridge; ip link set {bridge} up; ip addr add {whole}.1/{size} dev {bridge};"
                f" ip -6 addr add {net6}::1/64 dev {bridge} nodad"
            )
            for number in (2, 3):
                inside = Namespace(f"{bridge}-{number}")
                port = f"v{self.bridges.index(bridge)}{number}"
                self.host.join(port, "eth0", inside)
                self.host.sh(f"ip link set {port} master {bridge}")
                inside.sh(
                    f"ip addr add {whole}.{number}/{size} dev eth0; ip -6 addr add {net6}::{number}/64 dev eth0 nodad;"
                    f" ip route add default via {whole}.1; ip -6 route add default via {net6}::1"
                )
                addresses = {"ip": f"{whole}.{number}", "ip6": f"{net6}::{number}"}
                self.parties.append(Party(inside.name, inside, addresses, bridge, port))

    # -- servers ----------------------------------------

    def _serve(self) -> None:
        for space in {id(party.space): party.space for party in self.parties}.values():
            with space.entered():
                for family in (socket.AF_INET, socket.AF_INET6):
                    for port in TCP_PORTS:
                        self._listen(space.name, family, socket.SOCK_STREAM, "", port)
                    for address in _own_addresses(family):
                        for port in UDP_PORTS:
                            self._listen(space.name, family, socket.SOCK_DGRAM, address, port)

    def _listen(
        self,
        name: str,
        family: socket.AddressFamily,
        kind: socket.SocketKind,
        address: str,
        port: int,
    ) -> None:
        server = socket.socket(family, kind | socket.SOCK_NONBLOCK)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.bind((address, port))
        if kind == socket.SOCK_STREAM:
            server.listen(64)
        self._selector.register(
            server,
            selectors.EVENT_READ,
            (_answer_tcp if kind == socket.SOCK_STREAM else _answer_udp, name),
        )

    # -- attempts ----------------------------------------

    def attempts(self, rng: random.Random, count: int) -> list[Attempt]:
        """Random connections among all parties, some of them certainly of interest: published
        ports, and the outside."""
        found: dict[str, Attempt] = {}
        while len(found) < count:
            client = rng.choice(self.parties)
            family = rng.choice(("ip", "ip", "ip6"))
            proto = rng.choice(("tcp", "tcp", "udp"))
            kind = rng.random()
            if kind < 0.3:
                dst = rng.choice(self.host_addresses[family])
                dport = rng.choice(PUBLISHED if rng.random() < 0.6 else TCP_PORTS)
            else:
                server = rng.choice(
                    [party for party in self.parties if party is not client and party.device]
                )
                if server.space is client.space:
                    continue
                dst, dport = (
                    server.addresses[family],
                    rng.choice(TCP_PORTS if proto == "tcp" else UDP_PORTS),
                )
            if proto == "udp" and kind < 0.3:
                dport = rng.choice((53, 8080, 8081))
            attempt = Attempt(client, family, proto, dst, dport)
            found[str(attempt)] = attempt
        return list(found.values())

    def try_all(self, attempts: list[Attempt], wait_s: float = WAIT_S) -> None:
        """Open every connection at once and wait for all of them."""
        waiting: dict[socket.socket, Attempt] = {}
        for attempt in attempts:
            with attempt.client.space.entered():
                client = _client(attempt)
                if client is not None:
                    waiting[client] = attempt
                    self._selector.register(client, selectors.EVENT_READ, (_progress, attempt))
        ends = time.monotonic() + wait_s
        again = ends - wait_s / 2
        while waiting and time.monotonic() < ends:
            for key, events in self._selector.select(0.02):
                handler, owner = key.data
                ready = key.fileobj
                assert isinstance(ready, socket.socket)
                if handler(ready, owner, events):
                    self._selector.unregister(ready)
                    waiting.pop(ready)
                    ready.close()
            if again and time.monotonic() > again:
                again = 0.0
                _ask_again(waiting)
        for client in waiting:
            self._selector.unregister(client)
            client.close()


def _ask_again(waiting: dict[socket.socket, Attempt]) -> None:
    """Send what is still unanswered once more, as resolvers do: a single datagram may be lost on a
    busy machine."""
    for client, attempt in waiting.items():
        if attempt.proto == "udp":
            with contextlib.suppress(OSError):
                client.send(b"x" * 64)


def _own_addresses(family: socket.AddressFamily) -> list[str]:
    report = json.loads(
        subprocess.run(["ip", "-j", "addr"], capture_output=True, text=True, check=True).stdout
    )
    wanted = "inet" if family == socket.AF_INET else "inet6"
    return [
        info["local"]
        for link in report
        for info in link["addr_info"]
        if info["family"] == wanted and info["scope"] != "link"
    ]


def _answer_tcp(server: socket.socket, name: str, _events: int) -> bool:
    with contextlib.suppress(OSError):
        connection, _ = server.accept()
        connection.setblocking(False)
        connection.send(name.encode())
        connection.close()
    return False


def _answer_udp(server: socket.socket, name: str, _events: int) -> bool:
    with contextlib.suppress(OSError):
        _, peer = server.recvfrom(512)
        server.sendto(name.encode().ljust(64), peer)
    return False


def _client(attempt: Attempt) -> socket.socket | None:
    family = socket.AF_INET if attempt.family == "ip" else socket.AF_INET6
    kind = socket.SOCK_STREAM if attempt.proto == "tcp" else socket.SOCK_DGRAM
    client = socket.socket(family, kind | socket.SOCK_NONBLOCK)
    source = attempt.client.addresses[attempt.family]
    try:
        if source:
            client.bind((source, 0))
        client.connect((attempt.dst, attempt.dport))
        if kind == socket.SOCK_DGRAM:
            client.send(b"x" * 64)
    except BlockingIOError:
        return client
    except OSError as error:
        attempt.error = errno.errorcode.get(error.errno or 0, "?")
        client.close()
        return None
    return client


def _progress(client: socket.socket, attempt: Attempt, _events: int) -> bool:
    """Whether an attempt has come to its end."""
    error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        attempt.error = errno.errorcode.get(error, "?")
        return True
    try:
        said = client.recv(64)
    except BlockingIOError:
        return False
    except OSError as failure:
        attempt.error = errno.errorcode.get(failure.errno or 0, "?")
        return True
    attempt.through, attempt.by = bool(said), said.decode().strip()
    return True


# -- generated hosts ----------------------------------------


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
            self._native, self._device, self._bridge, self._odd_rules, self._sets, self._settings, self._settings, self._policy,
            self._policy, self._routes, self._nat, self._nat, self._legacy, self._other_bridge,
        ]  # fmt: skip
        for step in rng.sample(steps, rng.randint(0, 6)):
            step()
        return "\n".join(self._lines)

    def _add(self, *lines: str) -> None:
        self._lines += lines

    def _tool(self, family: str, flavour: str = "nft") -> str:
        return f"{'iptables' if family == 'ip' else 'ip6tables'}-{flavour}"

    def _family(self) -> str:
        return self._rng.choice(("ip", "ip", "ip6"))

    def _subnet(self, bridge: str, family: str) -> str:
        subnets = {
            "docker0": ("172.17.0.0/16", "fd00:17::/64"),
            "br-shop": ("172.18.0.0/16", "2001:db8:18::/64"),
            "lxcbr0": ("10.0.3.0/24", "fd00:3::/64"),
        }
        return subnets[bridge][family == "ip6"]

    def _container(self, bridge: str, number: int, family: str) -> str:
        nets = {
            "docker0": ("172.17.0.", "fd00:17::"),
            "br-shop": ("172.18.0.", "2001:db8:18::"),
            "lxcbr0": ("10.0.3.", "fd00:3::"),
        }
        return f"{nets[bridge][family == 'ip6']}{number}"

    def _bridge_name(self) -> str:
        return self._rng.choice(("docker0", "br-shop", "lxcbr0"))

    def _docker(self, family: str, style: str, tool: str) -> None:
        """Docker's rules as its engines write them, with three published ports."""
        rng = self._rng
        if style == "none":
            return
        if style == "nftables":
            self._docker_nftables(family)
            return
        program = tool.replace("iptables", "ip6tables") if family == "ip6" else tool
        published = [("tcp", 8080, "docker0", 2, 80), ("tcp", 8081, "br-shop", 2, 8080), ("tcp", 8443, "docker0", 3, 443),
                     ("udp", 8081, "docker0", 2, 53)]  # fmt: skip
        proxied = rng.random() < 0.6
        mode = "" if proxied else None
        nat = ["*nat", ":PREROUTING ACCEPT", ":OUTPUT ACCEPT", ":POSTROUTING ACCEPT", ":DOCKER -"]
        nat.append("-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER")
        loopback = "127.0.0.0/8" if family == "ip" else "::1/128"
        nat.append(
            f"-A OUTPUT {f'! -d {loopback} ' if proxied else ''}-m addrtype --dst-type LOCAL -j DOCKER"
        )
        filters = [
            "*filter",
            ":INPUT ACCEPT",
            f":FORWARD {rng.choice(('DROP', 'DROP', 'ACCEPT'))}",
            ":OUTPUT ACCEPT",
            ":DOCKER -",
            ":DOCKER-USER -",
        ]
        raw = ["*raw", ":PREROUTING ACCEPT"]
        for bridge in ("docker0", "br-shop"):
            if rng.random() < 0.9:
                nat.append(
                    f"-A POSTROUTING -s {self._subnet(bridge, family)} ! -o {bridge} -j MASQUERADE"
                )
            if proxied and style == "20.10":
                nat.append(f"-A DOCKER -i {bridge} -j RETURN")
        for proto, port, bridge, number, inside in published:
            if rng.random() < 0.9:
                to = self._container(bridge, number, family)
                target = f"[{to}]:{inside}" if family == "ip6" else f"{to}:{inside}"
                nat.append(
                    f"-A DOCKER {f'! -i {bridge} ' if proxied else ''}-p {proto} -m {proto} --dport {port} -j DNAT --to-destination {target}"
                )
        if style == "20.10":
            filters += [
                ":ISOLATE1 -",
                ":ISOLATE2 -",
                "-A FORWARD -j DOCKER-USER",
                "-A FORWARD -j ISOLATE1",
            ]
            for bridge in ("docker0", "br-shop"):
                filters += [f"-A FORWARD -o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", f"-A FORWARD -o {bridge} -j DOCKER",
                            f"-A FORWARD -i {bridge} ! -o {bridge} -j ACCEPT",
                            f"-A FORWARD -i {bridge} -o {bridge} -j {rng.choice(('ACCEPT', 'ACCEPT', 'DROP'))}",
                            f"-A ISOLATE1 -i {bridge} ! -o {bridge} -j ISOLATE2", f"-A ISOLATE2 -o {bridge} -j DROP"]  # fmt: skip
            filters.append("-A DOCKER-USER -j RETURN")
        else:
            filters += [":DOCKER-FORWARD -", ":DOCKER-CT -", ":DOCKER-BRIDGE -", "-A FORWARD -j DOCKER-USER", "-A FORWARD -j DOCKER-FORWARD",
                        "-A DOCKER-FORWARD -j DOCKER-CT", "-A DOCKER-FORWARD -j DOCKER-BRIDGE"]  # fmt: skip
            for bridge in ("docker0", "br-shop"):
                filters += [f"-A DOCKER-CT -o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", f"-A DOCKER-BRIDGE -o {bridge} -j DOCKER",
                            f"-A DOCKER-FORWARD -i {bridge} -j ACCEPT"]  # fmt: skip
        for proto, _, bridge, number, inside in published:
            to = self._container(bridge, number, family)
            filters.append(
                f"-A DOCKER -d {to} ! -i {bridge} -o {bridge} -p {proto} -m {proto} --dport {inside} -j ACCEPT"
            )
            if style == "28" and rng.random() < 0.7:
                raw.append(f"-A PREROUTING -d {to} ! -i {bridge} -j DROP")
        if style == "28":
            filters += [
                f"-A DOCKER ! -i {bridge} -o {bridge} -j DROP" for bridge in ("docker0", "br-shop")
            ]
        text = "\n".join([*nat, "COMMIT", *filters, "COMMIT", *raw, "COMMIT"])
        assert mode is None or mode == ""
        self._add(f"{program}-restore <<'END'\n{text}\nEND")

    def _docker_nftables(self, family: str) -> None:
        """As engine 29's nftables backend, in short."""
        net, to = self._subnet("docker0", family), self._container("docker0", 2, family)
        target = f"[{to}]:80" if family == "ip6" else f"{to}:80"
        key = "ip6 saddr" if family == "ip6" else "ip saddr"
        self._add(f"""nft -f - <<'END'
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
END""")

    def _match(self, family: str) -> str:
        """Random conditions of one iptables rule."""
        rng = self._rng
        bridge = self._bridge_name()
        if rng.random() < 0.5:
            source = self._subnet(bridge, family)
        else:
            source = self._container(bridge, rng.choice((2, 3)), family)
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
            f"from {self._subnet(bridge, family)}", f"iif {bridge}", f"from {rng.choice(host)}", f"to {far}", f"not fwmark 0x5 to {far}",
            f"from {self._container(bridge, 2, family)}",
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
                self._container(bridge, 2, family),
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
            f"{key} saddr {self._subnet(bridge, family)} {rng.choice(('drop', 'accept', 'reject'))}", "tcp dport { 80, 443 } accept", "udp dport 53 drop",
            f"{key} daddr . tcp dport {{ {self._container(bridge, 2, family)} . 80 }} drop", "meta l4proto tcp reject with tcp reset",
            "ct status dnat accept", "ct direction original tcp dport 5432 drop", "fib daddr type local accept", "ct mark 0x2 drop", "meta mark and 0xf == 1 drop",
            f'iifname "{bridge}" oifname "{bridge}" drop', 'iifname "dock*" accept', f'iifname . oifname {{ "{bridge}" . "eth0" }} drop', "meta nfproto ipv6 drop",
            "ct original proto-dst 8080 drop", "tcp flags & (fin|syn|rst|ack) == syn drop", "limit rate over 1000/second burst 500 packets drop", "counter log",
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

    def _sets(self) -> None:
        family, rng = self._family(), self._rng
        addresses = [
            self._container(self._bridge_name(), 2, family),
            self._subnet("lxcbr0", family),
            {"ip": "198.51.100.80", "ip6": "2001:db8:c::80"}[family],
        ]
        kind = rng.choice(("hash:ip", "hash:net", "hash:net"))
        members = [address for address in addresses if kind == "hash:net" or "/" not in address]
        inet = "inet6" if family == "ip6" else "inet"
        flag = rng.choice(("src", "dst"))
        self._add(
            "NEEDS_IPSET", f"ipset create crowd {kind} family {inet}", *(f"ipset add crowd {member}" for member in members),
            f"{self._tool(family)} -I {rng.choice(('FORWARD', 'INPUT'))} -m set {rng.choice(('', '! '))}--match-set crowd {flag} -j {rng.choice(('DROP', 'ACCEPT'))}",
        )  # fmt: skip

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
        inside = self._container(bridge, rng.choice((2, 3)), family)
        target = f"[{inside}]:80" if family == "ip6" else f"{inside}:80"
        self._add(f"{tool} -t nat " + rng.choice((
            f"-I POSTROUTING -s {self._subnet(bridge, family)} -j RETURN", f"-I POSTROUTING -s {self._subnet(bridge, family)} -o eth0 -j SNAT --to-source {host}",
            f"-I PREROUTING -p tcp --dport 443 -j DNAT --to-destination {target}", "-I PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 22",
            f"-A POSTROUTING -s {self._subnet('lxcbr0', family)} -j MASQUERADE", "-A POSTROUTING -o eth1 -j MASQUERADE",
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
        tool, net = self._tool(family), self._subnet("lxcbr0", family)
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


_RESET = """
for tool in iptables-nft ip6tables-nft; do for table in filter nat mangle raw; do $tool -t $table -F; $tool -t $table -X; done; done
nft flush ruleset
for family in ip ip6; do
    file=/proc/net/${family}_tables_names
    for table in $(cat $file 2>/dev/null); do ${family}tables-legacy -t $table -F; ${family}tables-legacy -t $table -X
        for chain in PREROUTING INPUT FORWARD OUTPUT POSTROUTING; do ${family}tables-legacy -t $table -P $chain ACCEPT 2>/dev/null || true; done; done
done
for v in -4 -6; do
    ip $v rule flush; ip $v rule add from all lookup main priority 32766
    ip $v rule show | grep -q 'lookup local' || ip $v rule add from all lookup local priority 0
    for table in 102 $(seq 110 130); do ip $v route flush table $table 2>/dev/null || true; done
    for kind in blackhole unreachable prohibit; do ip $v route show type $kind | while read -r _ net _; do ip $v route del $kind $net; done; done
done
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
sysctl -qw net.ipv4.conf.all.src_valid_mark=0 net.ipv4.conf.all.accept_local=0
for link in docker0 br-shop lxcbr0 eth0 eth1; do sysctl -qw net.ipv4.conf.$link.rp_filter=0 net.ipv4.conf.$link.forwarding=1; done
[ ! -e /proc/sys/net/bridge ] || sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0
ip neigh flush all
conntrack -F 2>/dev/null || true
"""


# -- what the walk says ----------------------------------------


def predict() -> None:
    """A process in the host's namespace: a line of attempts in, a line of predictions out."""
    from diagnose.evidence.network.host_stack import HostStack
    from diagnose.firewall.flow import Flow, Origin
    from diagnose.firewall.neighbours import NeighbourPair, between_peers, on_the_way
    from diagnose.firewall.trace import trace, trace_bridged

    here = _here()
    for line in sys.stdin:
        stack = _stack(here())
        if not isinstance(stack, HostStack):
            print(json.dumps({"unavailable": str(stack)}), flush=True)
            continue
        rows = []
        for asked in json.loads(line):
            origin = Origin(asked["device"], asked["src"] or None, asked["port"])
            flow = Flow(origin, asked["dst"], asked["proto"], asked["dport"], asked["family"])
            if asked["out_port"]:
                verdict = trace_bridged(stack.stack, flow, asked["out_port"])
                pair = NeighbourPair(asked["device"], asked["src"], asked["dst"])
                unheard = list(between_peers(stack.stack, pair)) if flow.family == "ip6" else []
            else:
                verdict = trace(stack.stack, flow)
                unheard = list(on_the_way(stack.stack, flow, verdict))
            outcome, by, decided = verdict.outcome, verdict.by, verdict.is_decided
            if outcome == "accept" and unheard:
                # nobody knows whom to send the packets to, as the checks of neighbours say
                by = unheard[0].obstacle.by
                decided = any(message.is_certain for message in unheard)
                outcome = "drop" if decided else "unknown"
            end = verdict.packet
            rows.append({
                "outcome": outcome, "decided": decided, "to": verdict.to, "dst": end.dst if end else None,
                "dport": end.dport if end else None, "by": str(by) if by else "",
                "how": [f"{stage.part} {stage.hook}: {stage.verdict.outcome}, {stage.verdict.by}" for stage in verdict.stages],
            })  # fmt: skip
        print(json.dumps(rows), flush=True)


def _here() -> Any:
    """Answers of this namespace, whoever's engine it is."""
    from diagnose.live import Live
    from diagnose.questions import Host

    live = Live()
    live.start_helpers(network=True)
    live.__dict__ |= {"_elsewhere": None, "_other_network": None}

    class Here:
        def ask(self, question: Any) -> Any:
            return live.ask(question)

        def ask_many(self, questions: Any) -> Any:
            return ((question, self.ask(question)) for question in questions)

    return lambda: Host(Here())


def _stack(here: Any) -> Any:
    from diagnose.evidence.network import host_stack, interfaces, uplinks
    from diagnose.evidence.network.rules import packet_filter
    from diagnose.model import Unavailable

    firewall = packet_filter.firewall(here, uplinks.uplinks(here))
    links = interfaces.links(here)
    if isinstance(firewall, Unavailable) or isinstance(links, Unavailable):
        return firewall
    return host_stack.host_stack(here, firewall, links, Unavailable("missing"))


def _asked(attempt: Attempt, site: Site) -> dict[str, Any]:
    client = attempt.client
    server = next(
        (
            party
            for party in site.parties
            if attempt.dst in party.addresses.values() and party.device
        ),
        None,
    )
    on_one_bridge = server is not None and server.device == client.device and bool(client.port)
    return {
        "device": client.device,
        "src": client.addresses[attempt.family],
        "port": client.port,
        "dst": attempt.dst,
        "proto": attempt.proto,
        "dport": attempt.dport,
        "family": attempt.family,
        "out_port": server.port if on_one_bridge and server else "",
    }


def _expected(row: dict[str, Any], attempt: Attempt, site: Site) -> str | None:
    """Who would answer: a namespace's name, "" for nobody, None where that cannot be told."""
    if row["outcome"] in ("drop", "reject"):
        return ""
    if not row["decided"]:
        return None
    ports = TCP_PORTS if attempt.proto == "tcp" else UDP_PORTS
    if row["dport"] not in ports:
        return ""
    if row["to"] == "":
        return "host"
    candidates = [
        party
        for party in site.parties
        if party.device == row["to"] and row["dst"] in party.addresses.values()
    ]
    return candidates[0].space.name if candidates else "nobody there"


def run(seed: int, hosts: int, attempts: int = 40, report: Callable[[str], None] = print) -> Tally:
    """Generate hosts, send packets, compare."""
    site = Site()
    tally = Tally()
    predictor = subprocess.Popen(
        ["nsenter", f"--net={site.host.path}", sys.executable, "-m", "tests.lab.agreement", "--predict"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT, pass_fds=(site.host.fd,),
    )  # fmt: skip
    assert predictor.stdin
    assert predictor.stdout
    try:
        for number in range(hosts):
            rng = random.Random(f"{seed}/{number}")
            script = Generator(rng).script()
            site.host.sh(_RESET)
            _apply(site, script)
            chosen = site.attempts(rng, attempts)
            predictor.stdin.write(json.dumps([_asked(attempt, site) for attempt in chosen]) + "\n")
            predictor.stdin.flush()
            rows = json.loads(predictor.stdout.readline())
            if isinstance(rows, dict):
                raise RuntimeError(f"host {number}: {rows}")
            site.host.sh("conntrack -F 2>/dev/null || true")
            site.try_all(chosen)
            pairs = list(zip(chosen, rows, strict=True))
            for wait_s in PATIENT_S:
                silent = [attempt for attempt, row in pairs if _missed(attempt, row, site)]
                if silent:
                    site.host.sh("conntrack -F 2>/dev/null || true")
                    site.try_all(silent, wait_s)
            _compare(tally, site, number, script, pairs, report)
    finally:
        predictor.stdin.close()
        predictor.wait(10)
    return tally


def _missed(attempt: Attempt, row: dict[str, Any], site: Site) -> bool:
    """Whether silence met a connection that the walk lets through: on a busy machine it may only
    have come too late."""
    return (
        not attempt.through
        and not attempt.error
        and _expected(row, attempt, site) not in ("", None, "nobody there")
    )


def _apply(site: Site, script: str) -> None:
    if "NEEDS_IPSET" in script:
        script = "\n".join(
            line
            for line in script.splitlines()
            if "ipset" not in line.lower() and "crowd" not in line
        )
    site.host.sh(f"set +e\n{script}", check=False)


def _compare(
    tally: Tally,
    site: Site,
    number: int,
    script: str,
    pairs: list[tuple[Attempt, dict[str, Any]]],
    report: Callable[[str], None],
) -> None:
    tally.hosts += 1
    for attempt, row in pairs:
        expected = _expected(row, attempt, site)
        tally.through += attempt.through
        if expected == "nobody there":
            continue
        if expected is None:
            tally.undecided += 1
            tally.undecided_by[row["by"]] = tally.undecided_by.get(row["by"], 0) + 1
        elif expected == (attempt.by if attempt.through else ""):
            tally.agreed += 1
        else:
            if attempt.through:
                seen = f"answered by {attempt.by}"
            else:
                seen = f"nobody answered ({attempt.error or 'silence'})"
            said = f"{row['outcome']} to {expected or 'nobody'} {row['by']}"
            tally.disagreements.append(Disagreement(number, attempt, said, script))
            report(
                f"host {number}: {attempt}: {seen}; the walk: {said}\n    "
                + "\n    ".join(row["how"])
            )


if __name__ == "__main__":
    if "--predict" in sys.argv:
        predict()
    else:
        chosen_seed = (
            int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1 << 30)
        )
        print(f"seed {chosen_seed}")
        outcome = run(chosen_seed, int(sys.argv[2]) if len(sys.argv) > 2 else 20)
        for cause, count in sorted(outcome.undecided_by.items(), key=lambda pair: -pair[1])[:20]:
            print(f"undecided {count}: {cause}")
        print(outcome)
