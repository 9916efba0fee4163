"""A host in namespaces: its parties, their connections, and what became of each."""

from __future__ import annotations

import contextlib
import errno
import json
import random
import selectors
import socket
import subprocess
import time
from dataclasses import dataclass, field

from tests.lab.agreement.namespaces import Namespace

WAIT_S = 0.7
"""How long a connection may take; on a busy machine a handshake between namespaces takes
milliseconds."""


PATIENT_S = (2.5, 5.0)
"""How long is waited when a connection met silence and should not have: two retransmissions of a
SYN take three seconds."""


TCP_PORTS = (22, 53, 80, 443, 5432, 8080)


UDP_PORTS = (53, 8080)


PUBLISHED = (8080, 8081, 8443)


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

    def forget(self) -> None:
        """Empty what host and parties remember of connections and of their neighbours."""
        self.host.sh("conntrack -F 2>/dev/null || true")
        for space in {id(party.space): party.space for party in self.parties}.values():
            space.sh("ip neigh flush all; ip -6 neigh flush all")

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


RESET = """
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
"""
"""Undoes what a generated host has changed."""
