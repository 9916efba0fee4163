"""DNS servers that are silent, lossy or behind a packet filter."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.provider import GATEWAY, RESOLVER, SILENT, WEB, ZONE
from tests.lab.runner import PATIENT, baseline, healthy_container
from tests.lab.scenarios.dns.helpers import NAME, resolves, start
from tests.lab.scenarios.programs.helpers import MACHINE


@fault("dns.upstream-unreachable", subject="container:lostdns", shareable=True)
def own_server_is_silent(box: Box) -> None:
    """A container was given a DNS server that never answers."""
    box.docker(
        "run", "-d", "--name=lostdns", f"--dns={SILENT}", "--memory=64m", "--pids-limit=64",
        "shop:1.4",
    )  # fmt: skip
    assert not resolves(box, "lostdns")


@fault("dns.upstream-unreachable", subject="container:selfish", shareable=True)
def own_server_is_loopback(box: Box) -> None:
    """A container is to ask 127.0.0.1, where the host has a server: inside, that is the container
    itself."""
    box.docker(
        "run", "-d", "--name=selfish", "--dns=127.0.0.1", "--memory=64m", "--pids-limit=64",
        "shop:1.4",
    )  # fmt: skip
    assert not resolves(box, "selfish")


@fault("dns.upstream-unreachable", subject="network:consulnet", engine_started=False)
def dnsmasq_that_leaves_out_the_bridge(box: Box) -> None:
    """daemon.json names the address of docker0, and the host's dnsmasq listens at 127.0.0.1
    alone."""
    fixed = (
        "--keep-in-foreground --no-hosts --no-resolv --conf-file=/dev/null --user=root --pid-file="
    )
    own = f"--bind-interfaces --listen-address=127.0.0.1 --server={RESOLVER}"
    box.spawn(["dnsmasq", *fixed.split(), *own.split()])
    box.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    box.start_engine(config={"dns": ["172.17.0.1"]})
    box.docker("network", "create", "consulnet")
    for name in ("asks1", "asks2"):
        run = ("run", "-d", f"--name={name}", "--network=consulnet", "-m=32m", "--pids-limit=64")
        box.docker(*run, "shop:1.4")
    assert "192.0.2.80" in box.sh("getent hosts www.lab.test")
    looked_up = box.docker("exec", "asks1", "nslookup", "www.lab.test", check=False)
    assert looked_up.returncode != 0


@fault("dns.queries-lost", subject="host:host", shareable=True)
def own_server_loses_half(box: Box) -> None:
    """A container was given a DNS server that loses half of the queries; the host's answers all."""
    server = "192.0.2.57"
    box.provider.sh(f"ip addr add {server}/24 dev uplink")
    zone = f"--local=/{ZONE}/ --address=/{ZONE}/{WEB}"
    options = "--no-resolv --no-hosts --conf-file=/dev/null --user=root --pid-file="
    listen = f"--keep-in-foreground --listen-address={server} --bind-interfaces"
    box.provider.spawn(["dnsmasq", *options.split(), *listen.split(), *zone.split()])
    box.wait_for(
        lambda: f"{server}:53" in box.provider.run(["ss", "-lnu"]).stdout, what="the lossy server"
    )
    limits = ["--memory=64m", "--pids-limit=64"]
    box.docker("run", "-d", "--name=halfdns", f"--dns={server}", *limits, "shop:1.4")
    assert resolves(box, "halfdns")
    chance = "-m statistic --mode random --probability 0.5"
    box.provider.drop(f"-d {server} -p udp --dport 53 {chance}")
    asked = [resolves_in_a_second(box, "halfdns") for _ in range(12)]
    assert 0 < sum(asked) < 12, asked


_ANSWERS_IPV4_ALONE = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("{address}", 53))
while True:
    query, client = server.recvfrom(4096)
    end = query.index(0, 12) + 5
    if query[end - 4:end - 2] != bytes([0, 28]):
        server.sendto(query[:2] + bytes([0x81, 0x80]) + query[4:6] + bytes(6) + query[12:end], client)
"""


@fault("dns.queries-lost", subject="host:host", also=["daemon.errors-in-log", "container.*"])
def server_that_ignores_questions_for_ipv6_addresses(box: Box) -> None:
    """The host's DNS server answers questions for IPv4 addresses, and drops those for IPv6
    addresses: each lookup waits for the second answer."""
    box.provider.dns_stop()
    code = _ANSWERS_IPV4_ALONE.format(address=RESOLVER)
    box.provider.spawn(["/usr/bin/python3", "-c", code])
    sockets = ["ss", "-lnuH"]
    box.wait_for(lambda: f"{RESOLVER}:53" in box.provider.run(sockets).stdout, what="its socket")
    query = ["timeout", "2", "busybox", "nslookup"]
    assert "answer" in box.run([*query, "-type=a", NAME, RESOLVER], check=False).stdout.lower()
    assert box.run([*query, "-type=aaaa", NAME, RESOLVER], check=False).returncode != 0


_DENIES_IPV6 = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("{address}", 53))
while True:
    query, client = server.recvfrom(4096)
    end = query.index(0, 12) + 5
    is_known = query[12:end - 4].lower().endswith(bytes([3]) + b"lab" + bytes([4]) + b"test" + bytes(1))
    has_address = is_known and query[end - 4:end - 2] == bytes([0, 1])
    code = bytes([0x81, 0x80 if has_address {or_empty} else 0x83])
    address = bytes([192, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 80]) if has_address else b""
    counts = bytes([0, 1, 0, has_address, 0, 0, 0, 0])
    server.sendto(query[:2] + code + counts + query[12:end] + address, client)
"""


_BY_MUSL = r"""
#include <netdb.h>
#include <stdio.h>
#include <unistd.h>
int main(int count, char **words) {
  setvbuf(stdout, 0, _IOLBF, 0);
  for (;; sleep(1)) {
    struct addrinfo *found;
    if (getaddrinfo(words[1], "80", 0, &found)) printf("ping: bad address '%s'\n", words[1]);
    else { printf("PING %s\n", words[1]); freeaddrinfo(found); }
  }
}
"""
"""A program that looks a name up with the library of Alpine, and complains as its ping does."""


def _asks_by_musl(box: Box, name: str, or_empty: str, words: str) -> None:
    """A DNS server, and a program on musl that has said these words several times."""
    box.provider.dns_stop()
    code = _DENIES_IPV6.format(address=RESOLVER, or_empty=or_empty)
    box.provider.spawn(["/usr/bin/python3", "-c", code])
    sockets = ["ss", "-lnuH"]
    box.wait_for(lambda: f"{RESOLVER}:53" in box.provider.run(sockets).stdout, what="its socket")
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "ask.c"), Path(folder, "ask")
        source.write_text(_BY_MUSL)
        subprocess.run(["musl-gcc", "-static", "-o", program, source], check=True)
        load(box, "ask:1", Recipe({"ask": (program.read_bytes(), 0o755)}, ('ENTRYPOINT ["/ask"]',)))
    box.docker("network", "create", f"{name}net")
    limits = ["--memory=64m", "--pids-limit=64", f"--network={name}net"]
    box.docker("run", "-d", f"--name={name}", *limits, "ask:1", NAME)
    box.wait_for(lambda: box.docker("logs", name).stdout.count(words) >= 4, what=words)


@fault("dns.server-fails", subject="host:host", also=["network.calls-failing"])
def server_that_denies_names_without_ipv6_addresses(box: Box) -> None:
    """The host's DNS server gives a name its IPv4 address, and says that there is no such name when
    it is asked for IPv6 addresses."""
    _asks_by_musl(box, "both1", "", f"bad address '{NAME}'")
    out = box.diagnose("check", "dns.server-fails", *PATIENT).joined
    assert f"diagnose recreate both1 -- --add-host={NAME}:{WEB} | sh" in out


@healthy()
def server_that_has_no_ipv6_addresses(box: Box) -> None:
    """The same, with an empty answer in place of the denial."""
    _asks_by_musl(box, "both2", "or is_known", f"PING {NAME}")


@fault(
    "dns.host-broken",
    subject="host:host",
    expect=[("dns.upstream-unreachable", "*:*")],
    engine_started=False,
)
def server_behind_the_bridge_of_another_program(box: Box) -> None:
    """The site's DNS server has an address in the range that a Kubernetes node gave its own
    bridge."""
    server = "10.42.0.2"
    box.provider.sh(f"ip addr add {server}/32 dev lo")
    options = "--no-resolv --no-hosts --conf-file=/dev/null --user=root --pid-file= -k"
    zone = f"--listen-address={server} --bind-interfaces --address=/{ZONE}/{WEB}"
    box.provider.spawn(["dnsmasq", *options.split(), *zone.split()])
    box.sh(f"ip route replace default via {GATEWAY}")
    start(box, f"nameserver {server}\n")
    assert "192.0.2.80" in box.sh(f"getent hosts {NAME}")
    box.sh("ip link add cni0 type bridge; ip addr add 10.42.0.1/24 dev cni0; ip link set cni0 up")
    box.sh("ip link add vethpod type veth peer name pod; ip link set vethpod master cni0 up")
    box.sh("ip link set pod up")
    limits = ["--memory=64m", "--pids-limit=64"]
    box.docker("network", "create", "podnet")
    loop = f"while :; do nslookup {NAME} >/dev/null 2>&1; sleep 1; done"
    box.docker(
        "run", "-d", "--name=poddns", "--network=podnet", *limits, "bb:1.36", "sh", "-c", loop
    )
    arp = "/proc/net/arp"
    box.wait_for(
        lambda: f"{server} " in box.sh(f"cat {arp}"), what="the host to ask for the server"
    )
    (first,) = box.diagnose("check", "dns.host-broken", "--format", "json").findings
    assert "route 10.42.0.0/24 leads to cni0" in first["summary"]
    assert (
        f"ip route add {server}/32 via {GATEWAY}" in box.diagnose("check", "dns.host-broken").joined
    )


_OWN_CLIENTS = """
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 53))
while True:
    query, client = server.recvfrom(4096)
    end = query.index(0, 12) + 5
    if not client[0].startswith("127.") or sys.argv[1] == "all":
        server.sendto(query[:2] + bytes([0x81, 0x80]) + query[4:6] + bytes(6) + query[12:end], client)
"""
_ASKS_ITSELF = (
    "timeout 5 nslookup -type=ns . 127.0.0.1 || { echo 'failed for localhost:53'; exit 1; }"
)


def _probed_dns_server(box: Box, name: str, serves: str, health: str) -> None:
    """A DNS server in a container whose health check asks it by its loopback."""
    program = ("bb:1.36", "/usr/bin/python3", "-c", _OWN_CLIENTS, serves)
    limits = ("--memory=64m", "--pids-limit=64", "--restart=always", *MACHINE)
    probe = (f"--health-cmd={_ASKS_ITSELF}", "--health-interval=1s", "--health-retries=2")
    box.docker("run", "-d", f"--name={name}", *limits, *probe, *program)
    box.wait_health(name, health)


@fault("container.unhealthy", subject="container:filters1")
def dns_server_that_shuts_its_own_probe_out(box: Box) -> None:
    """A list of allowed clients lacks the loopback from which the health check asks."""
    _probed_dns_server(box, "filters1", "others", "unhealthy")
    (found,) = box.diagnose("check", "container.unhealthy", "--format", "json").findings
    assert "does not answer queries from 127.0.0.1" in found["summary"]
    assert "nothing in it listens" not in found["summary"]


@healthy()
def dns_server_that_answers_its_own_probe(box: Box) -> None:
    """The same with the loopback on the list."""
    _probed_dns_server(box, "filters2", "all", "healthy")


_SINK = """
import socket, sys, threading
def take(client):
    while client.recv(65536):
        pass
server = socket.create_server((sys.argv[1], 9000))
while True:
    threading.Thread(target=take, args=(server.accept()[0],), daemon=True).start()
"""


@fault("dns.queries-lost", subject="host:host", also=["network.call-unanswered"], args=PATIENT)
def network_that_loses_packets(box: Box) -> None:
    """Whatever leaves this host may get lost: queries, and what a container uploads."""
    box.provider.spawn(["/usr/bin/python3", "-c", _SINK, WEB])
    upload = f"while :; do head -c 400000 /dev/zero | nc -w 9 {WEB} 9000; sleep 1; done"
    for protocol, chance in (("udp", "0.4"), ("tcp", "0.1")):
        random = f"-m statistic --mode random --probability {chance}"
        box.provider.drop(f"-i uplink -p {protocol} {random}")
    limits = ["--memory=64m", "--pids-limit=64"]
    box.docker("run", "-d", "--name=uploads", *limits, "bb:1.36", "sh", "-c", upload)
    box.wait_for(lambda: _loses(box, "uploads"), 90, "packets to be lost")
    findings = box.diagnose("check", "dns.queries-lost", "--format", "json").findings
    assert 'container "uploads" had to send' in findings[0]["summary"]


def _loses(box: Box, name: str) -> bool:
    """Whether a container has sent much, and had to send a twentieth of it again."""
    pid = box.inspect(name)["State"]["Pid"]
    names, numbers = box.sh(f"grep ^Tcp: /proc/{pid}/net/snmp").splitlines()
    counters = dict(zip(names.split(), numbers.split(), strict=True))
    sent, again = int(counters["OutSegs"]), int(counters["RetransSegs"])
    return sent >= 300 and again >= sent / 20


def resolves_in_a_second(box: Box, container: str) -> bool:
    query = ["timeout", "1", "nslookup", "-type=a", NAME]
    return box.docker("exec", container, *query, check=False).returncode == 0


@fault("dns.host-broken", subject="host:host", also=["dns.*", "container.unhealthy"], args=PATIENT)
def server_of_the_host_that_asks_a_silent_one(box: Box) -> None:
    """The host asks its own dnsmasq, and the server to which that passes queries on is silent."""
    asks = ["--no-resolv", "--no-hosts", f"--server={SILENT}", "--pid-file=/run/dnsmasq.pid"]
    box.run(["dnsmasq", "--listen-address=127.0.0.1", "--bind-interfaces", *asks])
    box.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    assert not box.run(["getent", "ahosts", NAME], check=False, timeout=30).stdout
    findings = box.diagnose("check", "dns.host-broken", "--format", "json", *PATIENT).findings
    assert f"passes queries on to {SILENT} (its command)" in findings[0]["summary"], findings


@fault("dns.upstream-unreachable", subject="network:bridge", also=["firewall.*"])
def forwarding_of_dns_dropped(box: Box) -> None:
    """The host resolves, its containers do not: a rule drops what they send to the DNS server."""
    assert resolves(box, "web")
    box.run(["iptables", "-I", "DOCKER-USER", "-p", "udp", "--dport", "53", "-j", "DROP"])
    assert not resolves(box, "web")


@fault(
    "dns.host-broken",
    subject="host:host",
    also=["dns.upstream-unreachable", "container.unhealthy"],
    first_command=("decides", "it asks the router, and names it in the file where it answers"),
)
def resolver_does_not_answer(box: Box) -> None:
    """The DNS server of the host drops all queries."""
    assert resolves(box, "web")
    box.provider.drop("-p udp --dport 53")
    box.provider.drop("-p tcp --dport 53")
    assert not resolves(box, "web")


@fault(
    "dns.host-broken",
    subject="host:host",
    expect=[("firewall.output-dropped", "host:host")],
    also=["dns.upstream-unreachable", "container.unhealthy"],
)
def answers_dropped_by_the_host(box: Box) -> None:
    """The host's own INPUT policy drops the answers to what it asks; containers of the default
    bridge resolve."""
    box.sh(
        "iptables -P INPUT DROP; iptables -A INPUT -i lo -j ACCEPT; iptables -A INPUT -p tcp --dport 22 -j ACCEPT"
    )
    assert resolves(box, "web")
    assert box.run(["busybox", "timeout", "2", "nslookup", NAME], check=False).returncode != 0


@fault("dns.upstream-unreachable", subject="container:gated", also=["firewall.*"])
def input_rules_before_a_server_of_the_host(box: Box) -> None:
    """A DNS server on the host's own address, and INPUT rules that let no container ask it."""
    box.spawn(["dnsmasq", "--keep-in-foreground", "--listen-address=172.17.0.1", "--bind-interfaces", "--no-hosts",
               "--no-resolv", f"--server={RESOLVER}", "--conf-file=/dev/null", "--user=root", "--pid-file="])  # fmt: skip
    healthy_container(box, "gated", 8081, "--dns=172.17.0.1")
    assert resolves(box, "gated")
    box.sh(
        "iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; iptables -A INPUT -i lo -j ACCEPT"
    )
    box.sh("iptables -P INPUT DROP")
    assert not resolves(box, "gated")


@fault(
    "dns.host-broken",
    subject="host:host",
    engine_started=False,
    also=["dns.upstream-unreachable", "container.unhealthy"],
)
def three_dead_servers_before_a_live_one(box: Box) -> None:
    """The fourth server of resolv.conf would answer, and no library asks more than three."""
    start(
        box,
        "".join(
            f"nameserver {server}\n"
            for server in ("192.0.2.201", "192.0.2.202", "192.0.2.203", RESOLVER)
        ),
    )
    baseline(box)
    assert not resolves(box, "web")


@fault(
    "dns.udp-blocked",
    subject="host:host",
    also=["dns.upstream-unreachable"],
    first_command=("half", "for programs with glibc alone"),
)
def only_tcp_gets_through(box: Box) -> None:
    """A firewall on the way drops DNS over UDP and lets TCP pass."""
    box.provider.drop("-p udp --dport 53")
    assert not resolves(box, "web")
