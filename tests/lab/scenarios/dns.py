"""Broken name resolution: queries that are lost, servers that are missing, stubs that containers
cannot reach."""

from __future__ import annotations

import signal

from tests.lab import Box, Engines, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY, RESOLVER, SILENT, WEB, ZONE
from tests.lab.runner import BASE_CONFIG, PATIENT, baseline, healthy_container

NAME = "www.lab.test"


def resolves(box: Box, container: str) -> bool:
    done = box.docker("exec", container, "timeout", "2", "nslookup", "-type=a", NAME, check=False)
    return "192.0.2.80" in done.stdout


def start(box: Box, resolv_conf: str | None) -> None:
    """Start the engine on a host with this resolv.conf, or none."""
    if resolv_conf is None:
        box.sh("rm -f /etc/resolv.conf")
    else:
        box.write("/etc/resolv.conf", resolv_conf)
    box.start_engine(config=BASE_CONFIG)


@fault("dns.upstream-unreachable", subject="container:lostdns", shareable=True)
def own_server_is_silent(box: Box) -> None:
    """A container was given a DNS server that never answers."""
    box.docker(
        "run",
        "-d",
        "--name=lostdns",
        f"--dns={SILENT}",
        "--memory=64m",
        "--pids-limit=64",
        "shop:1.4",
    )
    assert not resolves(box, "lostdns")


@fault("dns.upstream-unreachable", subject="container:selfish", shareable=True)
def own_server_is_loopback(box: Box) -> None:
    """A container is to ask 127.0.0.1, where the host has a server: inside, that is the container
    itself."""
    box.docker(
        "run",
        "-d",
        "--name=selfish",
        "--dns=127.0.0.1",
        "--memory=64m",
        "--pids-limit=64",
        "shop:1.4",
    )
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


@fault("dns.upstream-unreachable", subject="network:bridge", also=["firewall.*"])
def forwarding_of_dns_dropped(box: Box) -> None:
    """The host resolves, its containers do not: a rule drops what they send to the DNS server."""
    assert resolves(box, "web")
    box.run(["iptables", "-I", "DOCKER-USER", "-p", "udp", "--dport", "53", "-j", "DROP"])
    assert not resolves(box, "web")


@fault(
    "dns.host-broken", subject="host:host", also=["dns.upstream-unreachable", "container.unhealthy"]
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
            f"nameserver {each}\n"
            for each in ("192.0.2.201", "192.0.2.202", "192.0.2.203", RESOLVER)
        ),
    )
    baseline(box)
    assert not resolves(box, "web")


@fault("dns.udp-blocked", subject="host:host", also=["dns.upstream-unreachable"])
def only_tcp_gets_through(box: Box) -> None:
    """A firewall on the way drops DNS over UDP and lets TCP pass."""
    box.provider.drop("-p udp --dport 53")
    assert not resolves(box, "web")


@fault(
    "dns.loopback-stub",
    subject="host:host",
    engine_started=False,
    also=["dns.upstream-unreachable", "dns.host-broken"],
)
def stub_without_a_file_behind_it(box: Box) -> None:
    """resolv.conf names 127.0.0.53 alone and systemd-resolved's own file is not there: containers
    get
    8.8.8.8."""
    box.spawn(["dnsmasq", "--keep-in-foreground", "--listen-address=127.0.0.53", "--bind-interfaces", "--no-hosts",
               "--no-resolv", f"--server={RESOLVER}", "--conf-file=/dev/null", "--user=root", "--pid-file="])  # fmt: skip
    start(box, "nameserver 127.0.0.53\n")
    baseline(box)
    assert "8.8.8.8" in box.read(box.inspect("web")["ResolvConfPath"])
    assert not resolves(box, "web")


@healthy(engine_started=False)
def stub_with_a_file_behind_it(box: Box) -> None:
    """systemd-resolved as distributions set it up: a stub in resolv.conf, the real servers in its
    own file."""
    box.spawn(["dnsmasq", "--keep-in-foreground", "--listen-address=127.0.0.53", "--bind-interfaces", "--no-hosts",
               "--no-resolv", f"--server={RESOLVER}", "--conf-file=/dev/null", "--user=root", "--pid-file="])  # fmt: skip
    box.write("/run/systemd/resolve/resolv.conf", f"nameserver {RESOLVER}\nsearch lab.test\n")
    start(box, "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lab.test\n")
    baseline(box)
    assert resolves(box, "web")


@healthy(engine_started=False, engines=Engines(since=26))
def stub_that_the_engine_asks(box: Box) -> None:
    """From engine 26 on containers of user-defined networks ask the host's loopback stub through
    the engine."""
    box.spawn(["dnsmasq", "--keep-in-foreground", "--listen-address=127.0.0.53", "--bind-interfaces", "--no-hosts",
               "--no-resolv", f"--server={RESOLVER}", "--conf-file=/dev/null", "--user=root", "--pid-file="])  # fmt: skip
    start(box, "nameserver 127.0.0.53\n")
    box.docker("network", "create", "shopnet")
    healthy_container(box, "web", 8080, "--net=shopnet")
    assert resolves(box, "web")


@healthy(engine_started=False)
def stub_with_a_configured_server(box: Box) -> None:
    """A local dnsmasq on 127.0.0.1, and the daemon was told which server containers shall ask."""
    box.spawn(["dnsmasq", "--keep-in-foreground", "--listen-address=127.0.0.1", "--bind-interfaces", "--no-hosts",
               "--no-resolv", f"--server={RESOLVER}", "--conf-file=/dev/null", "--user=root", "--pid-file="])  # fmt: skip
    box.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    box.start_engine(config={**BASE_CONFIG, "dns": [RESOLVER]})
    baseline(box)
    assert resolves(box, "web")


@healthy(shareable=True)
def internal_network_without_a_way_out(box: Box) -> None:
    """A container on an internal network alone cannot resolve outside names, by design."""
    box.docker("network", "create", "--internal", "vault")
    box.docker(
        "run", "-d", "--name=inside", "--net=vault", "--memory=64m", "--pids-limit=64", "shop:1.4"
    )
    assert not resolves(box, "inside")


@healthy(engine_started=False, box={"provider": False})
def island(box: Box) -> None:
    """A host in a net of its own, without a default route and without a DNS server, as closed sites
    have them."""
    box.sh(
        "ip link add lan0 type veth peer name far0; ip addr add 10.5.0.2/24 dev lan0; ip link set lan0 up; ip link set far0 up"
    )
    start(box, "")
    box.docker("network", "create", "siteflow")
    healthy_container(box, "web", 8080)
    healthy_container(box, "ledger", 8081, "--net=siteflow")
    assert not resolves(box, "web")


@fault(
    "dns.no-nameserver",
    subject="host:host",
    engine_started=False,
    also=["dns.upstream-unreachable"],
)
def link_to_nothing(box: Box) -> None:
    """resolv.conf is a link to a file that is not there."""
    box.sh("rm -f /etc/resolv.conf; ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf")
    box.start_engine(config=BASE_CONFIG)
    baseline(box)
    assert not resolves(box, "web")


@fault(
    "dns.host-broken",
    subject="host:host",
    also=["dns.upstream-unreachable", "network.*", "firewall.*"],
)
def uplink_down(box: Box) -> None:
    """The host's only interface to others is down, and took its routes with it."""
    box.sh("ip link set eth0 down")
    by_id = {f["id"]: f for f in box.diagnose("all", "--format", "json").findings}
    assert "no default route leads out, eth0 is down" in by_id["dns.host-broken"]["summary"]


@fault("dns.stale-resolv-conf", subject="container:web", also=["dns.upstream-unreachable"])
def server_moved(box: Box) -> None:
    """The host got a new DNS server after the container started, and the old one is gone."""
    box.write("/etc/resolv.conf", f"nameserver {SILENT}\n")
    box.docker("rm", "-f", "web")
    baseline(box)
    assert not resolves(box, "web")
    box.sh("sleep 1.1")
    box.write("/etc/resolv.conf", f"nameserver {RESOLVER}\n")


@fault(
    "dns.no-nameserver", subject="host:host", also=["dns.host-broken", "dns.upstream-unreachable"]
)
def host_has_ipv6_servers_only(box: Box) -> None:
    """The host's file came to name an IPv6 server alone: a container without IPv6 that starts then
    gets 8.8.8.8, one that started before still has the old server and works."""
    box.sh("sleep 1.1")
    box.write("/etc/resolv.conf", "nameserver 2001:db8::53\n")
    healthy_container(box, "new", 8081)
    assert "8.8.8.8" in box.read(box.inspect("new")["ResolvConfPath"])
    assert resolves(box, "web")
    assert not resolves(box, "new")
    findings = box.diagnose("all", "--format", "json").findings
    (lost,) = (f for f in findings if f["id"] == "dns.upstream-unreachable")
    assert "dns.no-nameserver" in [cause["id"] for cause in lost["caused_by"]], lost["caused_by"]
    assert "dns.stale-resolv-conf" not in [f["id"] for f in findings]


@fault("dns.upstream-unreachable", subject="container:lonely")
def another_container_has_old_servers(box: Box) -> None:
    """A container's own server is silent; its neighbour has the host's old server, which answers,
    and no part in it."""
    box.docker(
        "run",
        "-d",
        "--name=lonely",
        f"--dns={SILENT}",
        "--memory=64m",
        "--pids-limit=64",
        "shop:1.4",
    )
    box.provider.sh(
        f"ip addr add 192.0.2.54/24 dev uplink; iptables -t nat -A PREROUTING -d 192.0.2.54 -j DNAT --to {RESOLVER}"
    )
    box.sh("sleep 1.1")
    box.write("/etc/resolv.conf", "nameserver 192.0.2.54\n")
    assert resolves(box, "web")
    assert not resolves(box, "lonely")
    findings = box.diagnose("all", "--format", "json").findings
    (lost,) = (f for f in findings if f["id"] == "dns.upstream-unreachable")
    assert "dns.stale-resolv-conf" in [f["id"] for f in findings]
    assert lost["caused_by"] == []


@fault("dns.embedded-rules-missing", subject="container:flushed", shareable=True)
def nat_flushed_inside(box: Box) -> None:
    """A script in a container's network flushes nat, and the engine's redirection of port 53 with
    it."""
    box.docker("network", "create", "flushnet")
    healthy_container(box, "flushed", 18090, "--net=flushnet")
    assert resolves(box, "flushed")
    pid = box.inspect("flushed")["State"]["Pid"]
    box.run(["nsenter", "-t", str(pid), "-n", "iptables", "-t", "nat", "-F"])
    assert not resolves(box, "flushed")


@fault(
    "dns.embedded-rules-missing",
    subject="container:outlived",
    expect=[("daemon.not-running", "daemon:docker")],
    config={"live-restore": True},
    exit_code=2,
)
def resolver_ended_with_the_engine(box: Box) -> None:
    """dockerd was stopped and a container on a user-defined network lives on: its rules are there,
    the socket behind them is not."""
    box.docker("network", "create", "livenet")
    healthy_container(box, "outlived", 8081, "--net=livenet")
    container = box.inspect("outlived")["State"]["Pid"]
    engine = box.engine_pid
    box.kill(engine, signal.SIGTERM)
    box.wait_for(lambda: not box.alive(engine), 20, "dockerd to stop")
    inside = ["nsenter", "-t", str(container), "-n"]
    assert "DNAT" in box.run([*inside, "iptables", "-t", "nat", "-S", "DOCKER_OUTPUT"]).stdout
    assert "127.0.0.11" not in box.run([*inside, "ss", "-lnu"]).stdout
    (said,) = (
        f
        for f in box.diagnose("all", "--format", "json").findings
        if f["id"] == "dns.embedded-rules-missing"
    )
    assert "resolver does not listen" in said["summary"], said["summary"]
    assert [cause["id"] for cause in said["caused_by"]] == ["daemon.not-running"], said["caused_by"]


@fault("dns.search-amplified", subject="container:searching", shareable=True)
def many_search_domains(box: Box) -> None:
    """A container tries five domains for each name of up to five dots."""
    search = [f"--dns-search={part}.lab.test" for part in ("a", "b", "c", "d", "e")]
    box.docker(
        "run",
        "-d",
        "--name=searching",
        *search,
        "--dns-opt=ndots:5",
        "--memory=64m",
        "--pids-limit=64",
        "shop:1.4",
    )


_DNSMASQ = (
    "--no-resolv --no-hosts --conf-file=/dev/null --user=root --pid-file= --keep-in-foreground"
)
_ZONE = f"--local=/{ZONE}/ --address=/{ZONE}/{WEB}"


def _dns_container(box: Box, *options: str) -> str:
    """A container with a DNS server; gives its address."""
    box.docker("run", "-d", "--name", "pihole", "-m", "64m", *options, "bb:1.36", "sleep", "1000")
    details = box.inspect("pihole")
    enter = ["nsenter", "-t", str(details["State"]["Pid"]), "-n"]
    box.spawn([*enter, "dnsmasq", *_DNSMASQ.split(), *_ZONE.split()])
    address = str(details["NetworkSettings"]["Networks"]["bridge"]["IPAddress"])
    ask = ["busybox", "nslookup", f"www.{ZONE}", address]
    box.wait_for(lambda: box.run(ask, check=False).returncode == 0, what="the DNS server")
    return address


@fault("dns.host-broken", subject="host:host", also=[("dns.*", "*")])
def server_of_the_host_is_a_stopped_container(box: Box) -> None:
    """The host's only DNS server is one of its own containers, which was stopped."""
    _dns_container(box, "-p", f"{BOX_ADDRESS}:53:53/udp")
    box.write("/etc/resolv.conf", f"nameserver {BOX_ADDRESS}\n")
    box.docker("stop", "pihole")


@fault(
    "dns.upstream-unreachable",
    subject="network:bridge",
    also=[("dns.*", "*")],
    engines=Engines(until=20),
)
def answers_of_docker_proxy_from_another_address(box: Box) -> None:
    """Containers ask a neighbour by the host's address: docker-proxy answers from the bridge's, and
    the answers are dropped."""
    _dns_container(box, "-p", "53:53/udp")
    box.write("/etc/resolv.conf", f"nameserver {BOX_ADDRESS}\n")
    box.docker("run", "-d", "--name", "asker", "-m", "32m", "bb:1.36", "sleep", "1000")


@fault("dns.upstream-unreachable", subject="container:asker")
def server_of_a_network_that_nobody_is(box: Box) -> None:
    """A container is to ask an address of its network that its DNS container had before it was
    created again."""
    box.docker("network", "create", "--subnet=172.30.0.0/24", "names")
    box.docker(
        "run",
        *[
            "-d",
            "--name",
            "asker",
            "-m",
            "32m",
            "--network",
            "names",
            "--dns",
            "172.30.0.55",
            "bb:1.36",
            "sleep",
            "1000",
        ],
    )


@healthy()
def server_that_is_a_container(box: Box) -> None:
    """A container asks a neighbour that is a DNS server, by the neighbour's own address."""
    address = _dns_container(box)
    box.docker("run", *f"-d --name asker -m 32m --dns {address} bb:1.36 sleep 1000".split())


@fault("firewall.masquerade-missing", subject="network:bridge", also=[("dns.*", "*")])
def server_behind_a_net_that_is_not_translated(box: Box) -> None:
    """A rule keeps what goes to the office net from being translated, and the containers' DNS
    server is there."""
    box.provider.sh("ip addr add 10.20.0.53/32 dev lo")
    listen = "--listen-address=10.20.0.53 --bind-interfaces"
    box.provider.spawn(["dnsmasq", *_DNSMASQ.split(), *listen.split(), *_ZONE.split()])
    box.sh(
        f"ip route add 10.20.0.0/16 via {GATEWAY}; iptables -t nat -I POSTROUTING -d 10.20.0.0/16 -j ACCEPT"
    )
    box.docker(
        "run",
        *["-d", "--name", "asker", "-m", "32m", "--dns", "10.20.0.53", "bb:1.36", "sleep", "1000"],
    )
