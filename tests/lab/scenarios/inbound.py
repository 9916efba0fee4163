"""Clients of published ports that get no connection although no rule of the host stops them."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, GATEWAY, WEB
from tests.lab.runner import IPV6_RULES, PATIENT, healthy_container
from tests.lab.scenarios.network.helpers import QUIET
from tests.lab.scenarios.programs.helpers import MACHINE

_STRANGERS = ("198.41.200.21", "198.41.200.22", "198.41.200.23", "198.41.200.24")


def _shop(box: Box, name: str, port: int) -> None:
    """A web server that has run for a moment: what came before its start is another matter."""
    healthy_container(box, name, port)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:{port}/") == "hello\n"
    box.sh("sleep 12", timeout=30)


def _calls(box: Box, port: int, source: str, times: int = 2) -> list[bool]:
    """Whether a client with this address gets an answer, at each of some calls."""
    curl = ["curl", "-sS", "--noproxy", "*", "-m", "1", "--interface", source]
    url = f"http://{BOX_ADDRESS}:{port}/"
    return [box.provider.run([*curl, url], check=False).stdout == "hello\n" for _ in range(times)]


def _calls_on(box: Box, port: int, source: str) -> None:
    """A client that gets no answer, and keeps trying."""
    assert _calls(box, port, source) == [False, False]
    call = f"curl -s --noproxy '*' -m 1 --interface {source} http://{BOX_ADDRESS}:{port}/"
    box.provider.spawn(["sh", "-c", f"while :; do {call}; sleep 1; done"])


def _lose_answers(box: Box, port: int, *clients: str) -> None:
    """A firewall beyond the host drops the answers to these clients; to all where none is named."""
    for client in clients or ("0.0.0.0/0",):
        box.provider.sh(f"iptables -I INPUT -p tcp --sport {port} -d {client} -j DROP")


@fault("network.clients-unanswered", subject="container:shop60", shareable=True)
def answers_dropped_beyond_the_host(box: Box) -> None:
    """A firewall beyond the host lets the requests of clients pass, and not the answers."""
    _shop(box, "shop60", 18060)
    _lose_answers(box, 18060)
    _calls_on(box, 18060, WEB)


@fault("network.clients-unanswered", subject="container:shop61", shareable=True)
def answers_to_one_network_dropped(box: Box) -> None:
    """Clients of one network get no answers, and those of another one do."""
    _shop(box, "shop61", 18061)
    _lose_answers(box, 18061, WEB)
    _calls_on(box, 18061, WEB)
    assert _calls(box, 18061, GATEWAY) == [True, True]


@fault("network.clients-unanswered", subject="container:shop66", shareable=True)
def neighbour_entry_of_a_former_machine(box: Box) -> None:
    """A script has written the hardware address of a former container for good."""
    _shop(box, "shop66", 18066)
    address = box.inspect("shop66")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    box.sh(f"ip neigh replace {address} lladdr 02:00:00:00:00:77 dev docker0 nud permanent")
    _calls_on(box, 18066, WEB)
    run = box.diagnose("check", "network.clients-unanswered", "--format", "json")
    (found,) = (f for f in run.findings if f["subject"]["name"] == "shop66")
    assert "02:00:00:00:00:77" in found["summary"], found


_SITE6, _USER6 = "2606:4700:77::10", "2606:4700:77::80"
_SERVES6 = """
import http.server, socket
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
Server(("::", 8080), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def _site6(box: Box, rule: str = "") -> None:
    """A site of the IPv6 internet, whose container has an IPv6 address; rule: a firewall beyond
    this host, with the site in use."""
    box.sh(
        f"ip addr add {_SITE6}/64 dev eth0 nodad; ip -6 route add default via 2606:4700:77::1 "
        "dev eth0 onlink"
    )
    box.provider.sh(f"ip addr add {_USER6}/64 dev uplink nodad")
    box.docker("network", "create", "--ipv6", "--subnet=fd00:66::/64", "site66net")
    options = ("--name=site66", "--net=site66net", "--memory=64m", "--pids-limit=64", *MACHINE)
    served = ("-p", "8066:8080", "bb:1.36", "/usr/bin/python3", "-c", _SERVES6)
    box.docker("run", "-d", *options, *served)
    curl = f"curl -s --noproxy '*' -m 1 -o /dev/null http://[{_SITE6}]:8066/"
    box.wait_for(lambda: box.provider.run(["sh", "-c", curl], check=False).returncode == 0)
    box.sh("sleep 12", timeout=30)
    if rule:
        box.provider.sh(rule)
        assert box.provider.run(["sh", "-c", curl], check=False).returncode != 0
    box.provider.spawn(["sh", "-c", f"while :; do {curl}; sleep 1; done"])
    box.sh("sleep 5")
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8066/")


@fault("network.clients-unanswered", subject="container:site66", config=IPV6_RULES, args=PATIENT)
def answers_over_ipv6_dropped_beyond_the_host(box: Box) -> None:
    """Clients of a site get no answers over IPv6, and all is well over IPv4."""
    _site6(box, "ip6tables -I INPUT -p tcp --sport 8066 -j DROP")


@healthy(config=IPV6_RULES, args=PATIENT)
def site_that_answers_over_ipv6(box: Box) -> None:
    """The same site, whose clients over IPv6 get their answers."""
    _site6(box)


@fault("network.clients-unanswered", subject="container:shop62", shareable=True)
def container_whose_own_rules_nobody_may_know(box: Box) -> None:
    """A tool of the administrator wrote rules into the network namespace of a container that has no
    right to write any, and forgot its port."""
    _shop(box, "shop62", 18062)
    pid = str(box.inspect("shop62")["State"]["Pid"])
    rule = [
        "iptables", "-A", "INPUT", "-p", "tcp", "--dport", "8080", "!", "-i", "lo", "-j", "DROP",
    ]  # fmt: skip
    box.run(["nsenter", "-t", pid, "-n", *rule])
    _calls_on(box, 18062, WEB)


@fault("network.clients-unanswered", subject="container:hole65", shareable=True)
def dns_server_for_its_own_bridge_alone(box: Box) -> None:
    """A DNS server answers local clients alone, as Pi-hole does unless it is told otherwise: to a
    container, the machines of the LAN are not local."""
    box.docker("run", "-d", "--name=hole65", *QUIET, "-p=18065:53/udp", "bb:1.36", "sleep", "900")
    pid = str(box.inspect("hole65")["State"]["Pid"])
    fixed = "--keep-in-foreground --no-hosts --no-resolv --conf-file=/dev/null --user=root"
    serves = f"dnsmasq {fixed} --pid-file= --local-service --address=/#/192.0.2.77"
    box.spawn(["nsenter", "-t", pid, "-n", *serves.split()])
    sockets = ["nsenter", "-t", pid, "-n", "ss", "-lnuH", "sport = :53"]
    box.wait_for(lambda: box.run(sockets).stdout, what="the server")
    code = _QUERIES.format(address=BOX_ADDRESS, port=18065)
    box.provider.spawn([sys.executable, "-c", code])
    table = ["conntrack", "-L", "-p", "udp", "--orig-port-dst", "18065"]
    box.wait_for(lambda: box.run(table, check=False).stdout.count("UNREPLIED") > 1, what="queries")


_LAN = ("-d=macvlan", "-o=parent=eth0", "--subnet=192.0.2.0/24", "--gateway=192.0.2.1")


def _on_two_networks(box: Box, name: str, lan: str, address: str, port: int) -> None:
    """A container with a published port, on the LAN by macvlan and on a bridge."""
    options = (f"--network={lan}", f"--ip={address}")
    box.docker("create", f"--name={name}", *QUIET, *options, f"-p={port}:8080", "shop:1.4")
    box.docker("network", "connect", "front66", name)
    box.docker("start", name)


@fault("network.port-not-published", subject="container:shop66")
def published_port_of_a_container_on_the_lan_too(box: Box) -> None:
    """A container was put on the LAN by macvlan as well, which has its default route now: the
    engine publishes none of its ports, and says nothing."""
    box.docker("network", "create", *_LAN, "a-lan66")
    box.docker("network", "create", "front66")
    _on_two_networks(box, "shop66", "a-lan66", "192.0.2.166", 18066)
    assert not box.provider.curl(f"http://{BOX_ADDRESS}:18066/", timeout=2, check=False)


@fault("network.port-not-published", subject="container:shop69", exit_code=0)
def published_port_of_a_container_on_the_lan_alone(box: Box) -> None:
    """A container on a macvlan network alone: its port is not published, and the engine says
    nothing."""
    box.docker("network", "create", *_LAN, "lan69")
    options = ("--network=lan69", "--ip=192.0.2.169", "-p=18069:8080")
    box.docker("run", "-d", "--name=shop69", *QUIET, *options, "shop:1.4")
    assert not box.provider.curl(f"http://{BOX_ADDRESS}:18069/", timeout=2, check=False)
    assert box.provider.curl("http://192.0.2.169:8080/", timeout=2)


_REMOTE = "198.51.100.68"


@healthy()
def published_port_of_a_container_whose_bridge_leads_out(box: Box) -> None:
    """The same container with the default route by its bridge, and a client of another network."""
    box.docker("network", "create", *_LAN, "lan67")
    box.docker("network", "create", "front66")
    _on_two_networks(box, "shop67", "lan67", "192.0.2.167", 18067)
    box.provider.sh(f"ip addr add {_REMOTE}/32 dev uplink")
    assert _calls(box, 18067, _REMOTE) == [True, True]


@fault("network.clients-unanswered", subject="container:shop68")
def answers_to_the_lan_by_the_second_network(box: Box) -> None:
    """The same container called by a machine of the LAN: it answers on the LAN, with an address
    that was not called."""
    box.docker("network", "create", *_LAN, "lan68")
    box.docker("network", "create", "front66")
    _on_two_networks(box, "shop68", "lan68", "192.0.2.168", 18068)
    box.sh("sleep 12", timeout=30)
    _calls_on(box, 18068, WEB)


_QUERIES = """
import socket, time
query = bytes.fromhex("123401000001000000000000047465737403636f6d0000010001")
while True:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.sendto(query, ("{address}", {port}))
    client.close()
    time.sleep(1)
"""


@healthy(shareable=True)
def strangers_that_do_not_finish(box: Box) -> None:
    """Addresses of the internet send requests and take no answers, as scanners do, and others are
    served; a neighbour gave up once."""
    _shop(box, "shop63", 18063)
    for stranger in _STRANGERS:
        box.provider.sh(f"ip addr add {stranger}/32 dev uplink")
    _lose_answers(box, 18063, *_STRANGERS[:3])
    for stranger in _STRANGERS[:3]:
        assert _calls(box, 18063, stranger) == [False, False]
    assert _calls(box, 18063, _STRANGERS[3]) == [True, True]
    _lose_answers(box, 18063, WEB)
    assert _calls(box, 18063, WEB, 1) == [False]


@healthy(shareable=True)
def neighbour_that_was_cut_off_for_a_moment(box: Box) -> None:
    """Answers to a client were lost for a moment; since then it is served."""
    _shop(box, "shop64", 18064)
    _lose_answers(box, 18064, WEB)
    assert _calls(box, 18064, WEB) == [False, False]
    box.provider.sh(f"iptables -D INPUT -p tcp --sport 18064 -d {WEB} -j DROP")
    assert _calls(box, 18064, WEB) == [True, True]
