"""DNS servers that are containers."""

from __future__ import annotations

import functools

from tests.lab import Box, Engines, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY, RESOLVER, WEB, ZONE

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
    "dns.host-broken",
    subject="host:host",
    expect=[("container.restart-loop", "container:pihole")],
    also=[("dns.*", "*"), ("container.*", "*")],
)
def server_of_the_host_is_a_container_that_fails(box: Box) -> None:
    """The host's only DNS server is one of its own containers, which ends again and again."""
    script = "echo 'FATAL: bad gravity database'; sleep 0.3; exit 3"
    options = ("-d", "--name=pihole", "-m=64m", "--restart=always")
    port = f"--publish={BOX_ADDRESS}:53:53/udp"
    box.docker("run", *options, port, "bb:1.36", "sh", "-c", script)
    box.write("/etc/resolv.conf", f"nameserver {BOX_ADDRESS}\n")
    box.wait_for(lambda: box.inspect("pihole")["RestartCount"] > 4, what="the restarts")
    found = box.diagnose("check", "dns.host-broken", "--format", "json").findings
    (summary,) = [one["summary"] for one in found if one["id"] == "dns.host-broken"]
    assert "ends and is restarted again and again" in summary, summary


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


@fault(
    "dns.upstream-unreachable",
    subject="network:bridge",
    also=[("dns.*", "*"), ("firewall.direct-access-dropped", "*")],
)
def server_of_the_host_on_a_network_of_its_own(box: Box) -> None:
    """The host's file names the address of a DNS container, and the containers of other networks
    are kept out of its network."""
    box.docker("network", "create", "--subnet=172.24.0.0/24", "names")
    options = ("--network=names", "--ip=172.24.0.2", "-m", "64m", "bb:1.36", "sleep", "1000")
    box.docker("run", "-d", "--name=pihole", *options)
    box.spawn(box.in_netns("pihole", "dnsmasq", *_DNSMASQ.split(), *_ZONE.split()))
    box.write("/etc/resolv.conf", "nameserver 172.24.0.2 # names\n")
    box.wait_for(lambda: WEB in box.sh(f"getent ahostsv4 www.{ZONE} || true"), what="the server")
    box.docker("run", "-d", "--name", "asker", "-m", "32m", "bb:1.36", "sleep", "1000")


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


def _asks(box: Box, server: str, *options: str) -> None:
    """The host's only DNS server is a container that asks this server."""
    box.docker("run", "-d", "--name=pihole", "-m", "64m", f"-p={BOX_ADDRESS}:53:53/udp", "bb:1.36",
        "sleep", "1000")  # fmt: skip
    box.spawn(
        [*box.in_netns("pihole", "dnsmasq", *_DNSMASQ.split()), f"--server={server}", *options]
    )
    box.write("/etc/resolv.conf", f"nameserver {BOX_ADDRESS}\n")


@fault("dns.host-broken", subject="host:host", also=[("dns.*", "*"), ("network.*", "*")])
def server_and_router_ask_each_other(box: Box) -> None:
    """The container passes queries on to the router, and the router on to the container."""
    router = [*_DNSMASQ.split(), f"--listen-address={GATEWAY}", "--bind-interfaces"]
    box.provider.spawn(["dnsmasq", *router, f"--server={BOX_ADDRESS}"])
    _asks(box, GATEWAY)
    ask = ["busybox", "nslookup", f"www.{ZONE}", BOX_ADDRESS]
    table = ["conntrack", "-L", "-p", "udp"]

    def comes_back() -> bool:
        assert box.run(ask, check=False, timeout=30).returncode != 0
        return f"src={GATEWAY} dst={BOX_ADDRESS} " in box.run(table).stdout

    box.wait_for(comes_back, what="a query to come back")
    found = box.diagnose("check", "dns.host-broken", "--format", "json").findings
    assert [f"passes queries on to {GATEWAY}, and" in finding["summary"] for finding in found] == [
        True
    ]


@healthy()
def server_that_asks_the_router_for_local_names(box: Box) -> None:
    """The router asks the container for all names, and is asked by it for some."""
    router = [*_DNSMASQ.split(), f"--listen-address={GATEWAY}", "--bind-interfaces"]
    local = f"--address=/lan/{WEB}"
    box.provider.spawn(["dnsmasq", *router, f"--server={BOX_ADDRESS}", local])
    _asks(box, RESOLVER, f"--server=/lan/{GATEWAY}")
    for name, server in ((f"www.{ZONE}", GATEWAY), ("nas.lan", BOX_ADDRESS)):
        box.wait_for(functools.partial(_knows, box, name, server), what=name)


def _knows(box: Box, name: str, server: str) -> bool:
    ask = ["busybox", "nslookup", "-type=a", name, server]
    return WEB in box.run(ask, check=False).stdout
