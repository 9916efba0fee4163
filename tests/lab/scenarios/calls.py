"""Calls of containers that fail and that a log, a socket or a DNS server mentions, with twins."""

from __future__ import annotations

import re
import shlex
import sys

import pytest

from tests.lab import Box, fault, healthy
from tests.lab.images import RECIPES, Recipe, load
from tests.lab.provider import BOX_ADDRESS, GATEWAY, RESOLVER, WEB
from tests.lab.runner import PATIENT
from tests.lab.scenarios.network.helpers import QUIET
from tests.lab.scenarios.programs.helpers import MACHINE


def _repeats(box: Box, name: str, line: str, command: str, *options: str, first: str = ":") -> None:
    """A program that runs a command each second, and prints a line where it fails."""
    script = f"{first}; while :; do {command} >/dev/null 2>&1 || echo {shlex.quote(line)} >&2; sleep 1; done"
    box.docker("run", "-d", f"--name={name}", *QUIET, *options, "bb:1.36", "sh", "-c", script)


def _says(box: Box, name: str, line: str) -> None:
    box.wait_for(
        lambda: box.docker("logs", name).stderr.count(line) >= 4, what=f"failures of {name}"
    )


@fault("network.call-unanswered", subject="container:agent31", shareable=True)
def agent_on_the_hosts_network(box: Box) -> None:
    """An agent with host networking calls a server that does not answer, and prints nothing."""
    call = "while :; do nc -w 60 203.0.113.31 5432 </dev/null; sleep 0.2; done"
    run = ("run", "-d", "--name=agent31", "--network=host", *QUIET, "bb:1.36", "sh", "-c", call)
    box.docker(*run)
    waiting = ["ss", "-tnoH", "state", "syn-sent", "dst", "203.0.113.31"]
    box.wait_for(lambda: "on," in box.run(waiting).stdout, what="a request without an answer")


@fault("container.errors-in-log", subject="container:api32", shareable=True)
def database_of_another_machine_that_refuses(box: Box) -> None:
    """A database on another machine listens for that machine alone, and refuses this host."""
    line = f'connection to server at "{WEB}", port 5433 failed: Connection refused'
    _repeats(box, "api32", line, f"nc -w 2 {WEB} 5433", f"--env=DB_HOST={WEB}")
    _says(box, "api32", line)


def _repeats_for_long(box: Box, name: str, first: str, *options: str) -> None:
    """A program of a file prints nothing but a refusal, for longer than a start takes."""
    line = f"sync: dial {WEB}:5434: ECONNREFUSED"
    loop = f"while :; do nc -w 2 {WEB} 5434 2>/dev/null || echo '{line}' >&2; sleep 1; done"
    box.write(f"/srv/{name}/run.sh", f"{first}\n{loop}\n")
    mount = f"--volume=/srv/{name}/run.sh:/run.sh:ro"
    box.docker("run", "-d", f"--name={name}", *QUIET, mount, *options, "bb:1.36", "sh", "/run.sh")
    box.wait_for(
        lambda: box.docker("logs", name).stderr.count(line) >= 22, 90, f"failures of {name}"
    )


@fault("network.calls-failing", subject="container:sync35", baseline=False, exit_code=1)
def worker_whose_calls_all_fail(box: Box) -> None:
    """A worker without a port prints nothing but that it is refused: its work is not done."""
    _repeats_for_long(box, "sync35", "echo sync starts")


@healthy(baseline=False)
def server_that_misses_another_machine(box: Box) -> None:
    """A server that offers a port misses one machine: its callers may not notice."""
    _repeats_for_long(box, "site36", "httpd -p 8080", "--expose=8080")


_SITES = """
while :; do
    nslookup old.gone.lab.test >/dev/null 2>&1 || echo "GET http://old.gone.lab.test/: bad address 'old.gone.lab.test'"
    echo 'GET http://203.0.113.7/: connection refused'
    echo 'GET http://198.51.100.9/: timed out'
    sleep 0.5
done
"""
_COUNTS_USERS = (
    "while :; do echo 'usage data to 203.0.113.91:443: connect timed out'; sleep 0.5; done"
)


@healthy(baseline=False)
def programs_that_miss_the_sites_of_others(box: Box) -> None:
    """A crawler misses three sites in three ways, and a worker misses the site that counts its
    users: both print nothing else, and do their work."""
    box.provider.dns_stop()
    box.provider.dns_start("--address=/gone.lab.test/")
    for name, script in (("crawler37", _SITES), ("worker37", _COUNTS_USERS)):
        load(box, f"{name}:1", Recipe({"run.sh": (script.encode(), 0o755)}))
        box.docker("run", "-d", f"--name={name}", *QUIET, f"{name}:1", "sh", "/run.sh")
    box.wait_for(
        lambda: all(_times_out(box, name) for name in ("crawler37", "worker37")), 90, "failures"
    )


def _times_out(box: Box, name: str) -> bool:
    """Whether a program has said often enough, and for long enough, that it gets no answer."""
    return box.docker("logs", name).stdout.count("timed out") >= 50


@fault("network.calls-failing", subject="container:api34", shareable=True)
def refusal_in_words_that_no_row_knows(box: Box) -> None:
    """A program says in few words that a server of another machine refuses it."""
    line = f"sync: dial {WEB}:5434: ECONNREFUSED"
    _repeats(box, "api34", line, f"nc -w 2 {WEB} 5434")
    _says(box, "api34", line)


def _pods(box: Box, bridge: str, net: str) -> None:
    """The bridge of another program of this host, with the machine of a pod."""
    box.sh(f"ip route replace default via {GATEWAY}; ip link add {bridge} type bridge")
    box.sh(f"ip addr add {net}.1/24 dev {bridge}; ip link set {bridge} up")
    box.sh(f"ip link add vethpod type veth peer name pod; ip link set vethpod master {bridge} up")
    box.sh("ip link set pod up")


@fault("network.calls-failing", subject="container:api46", also=["container.errors-in-log"])
def machine_outside_in_the_net_of_another_program(box: Box) -> None:
    """A program calls a machine beyond the router, in whose net a Kubernetes node has its pods."""
    address = "10.42.0.20"
    box.provider.sh(f"ip addr add {address}/32 dev lo")
    box.provider.spawn(["busybox", "httpd", "-f", "-p", f"{address}:5432", "-h", "/run/www"])
    _pods(box, "cni0", "10.42.0")
    line = f"Error: connect EHOSTUNREACH {address}:5432"
    _repeats(box, "api46", line, f"nc -w 1 {address} 5432 </dev/null")
    _says(box, "api46", line)
    command = f"ip route add {address}/32 via {GATEWAY}"
    assert command in box.diagnose("check", "network.calls-failing", *PATIENT).joined
    box.sh(f"{command} && busybox nc -w 4 {address} 5432 </dev/null")
    box.sh(f"ip route del {address}/32")


@fault("network.clients-unanswered", subject="container:web")
def clients_in_the_net_of_another_program(box: Box) -> None:
    """The office has the addresses that libvirt gave its own bridge."""
    client = "192.168.122.77"
    box.provider.sh(f"ip addr add {client}/32 dev lo")
    _pods(box, "virbr0", "192.168.122")
    curl = f"while :; do curl -sm 4 --interface {client} http://{BOX_ADDRESS}:8080/; sleep 1; done"
    box.provider.spawn(["sh", "-c", curl])
    command = f"ip route add {client}/32 via {GATEWAY}"
    check = ("check", "network.clients-unanswered", *PATIENT)
    box.wait_for(lambda: command in box.diagnose(*check).out, what="attempts of the client")


@fault("network.subnet-overlaps-route", subject="network:hub44", also=["network.calls-failing"])
def machine_outside_in_the_subnet_of_its_caller(box: Box) -> None:
    """A program calls a machine of another site, and the engine has chosen a subnet for the
    program's network that holds the machine's address."""
    box.docker("network", "create", "hub44")
    (config,) = box.api("/networks/hub44")["IPAM"]["Config"]
    address = config["Subnet"].replace("0.0/16", "5.20")
    box.provider.sh(f"ip addr add {address}/32 dev lo")
    line = f"ERROR plug-3: dial tcp {address}:80: connect: no route to host"
    _repeats(box, "panel44", line, f"nc -w 4 {address} 80", "--network=hub44")
    _says(box, "panel44", line)


@fault("container.exits-at-start", subject="container:loki35", shareable=True)
def service_that_ended_and_is_still_called(box: Box) -> None:
    """A log store ended at its start, and the program that sends it lines finds its name no more:
    that is an effect, and no complaint of its own."""
    box.docker("network", "create", "logs35net")
    line = 'Post "http://loki35:3100/push": dial tcp: lookup loki35 on 127.0.0.11:53: no such host'
    ends = ("sh", "-c", "echo 'error running loki: invalid schema config' >&2; exit 1")
    box.docker(*("run", "-d", "--name=loki35", "--network=logs35net", *QUIET, "bb:1.36", *ends))
    box.wait_state("loki35", "exited")
    _repeats(box, "promtail35", line, "nslookup loki35", "--network=logs35net")
    _says(box, "promtail35", line)


@healthy(shareable=True)
def database_that_was_away_and_came_back(box: Box) -> None:
    """A program waited for its database, and works since."""
    line = f"dial tcp {WEB}:5432: connect: connection refused"
    script = f"for at in 1 2 3 4; do echo '{line}' >&2; done; sleep 18; echo ready; sleep 900"
    box.docker("run", "-d", "--name=api33", *QUIET, "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: "ready" in box.docker("logs", "api33").stdout, what="its recovery")


_REFUSES = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("{address}", 53))
while True:
    query, client = server.recvfrom(4096)
    server.sendto(query[:2] + bytes([0x81, 0x80 | {rcode}]) + query[4:6] + bytes(6) + query[12:], client)
"""


def _server_with_errors(box: Box, rcode: int) -> None:
    """The DNS server of the host answers every query with an error."""
    box.provider.dns_stop()
    code = _REFUSES.format(address=RESOLVER, rcode=rcode)
    box.provider.spawn([sys.executable, "-c", code])
    sockets = ["ss", "-lnuH"]
    box.wait_for(lambda: f"{RESOLVER}:53" in box.provider.run(sockets).stdout, what="its socket")


@fault("dns.server-fails", subject="host:host", also=["container.*", "network.*"])
def server_that_refuses_this_host(box: Box) -> None:
    """The DNS server refuses every query of this host, which asked too often."""
    _server_with_errors(box, 5)
    line = "Error: getaddrinfo EAI_AGAIN api.push.test"
    box.docker("network", "create", "pushnet")
    _repeats(box, "kuma", line, "nslookup api.push.test", "--network=pushnet")
    _says(box, "kuma", line)


@fault("dns.server-fails", subject="host:host", also=["container.*", "network.*"])
def server_without_servers_of_its_own(box: Box) -> None:
    """The DNS server reaches none of the servers that it asks."""
    _server_with_errors(box, 2)
    line = "curl: (6) Could not resolve host: api.push.test"
    _repeats(box, "push", line, "nslookup api.push.test")
    _says(box, "push", line)


@fault(
    "dns.host-broken",
    subject="host:host",
    also=["dns.upstream-unreachable", "container.*", "network.calls-failing"],
)
def route_that_rejects_the_dns_server(box: Box) -> None:
    """A route of the host throws away what is sent to the DNS server."""
    box.sh(f"ip route add blackhole {RESOLVER}/32")
    line = "Error: getaddrinfo EAI_AGAIN api.lab.test"
    _repeats(box, "mail51", line, "nslookup api.lab.test")
    _says(box, "mail51", line)
    report = box.diagnose("check", "dns.host-broken", "--format", "json")
    (finding,) = [finding for finding in report.findings if finding["id"] == "dns.host-broken"]
    assert f"route blackhole {RESOLVER}/32 of this host rejects" in finding["summary"], finding


@fault(
    "dns.upstream-unreachable",
    subject="network:bridge",
    also=["container.*", "network.calls-failing", "network.subnet-overlaps-route"],
)
def rule_that_rejects_what_containers_send(box: Box) -> None:
    """A routing rule of the host throws away what containers of the default network send."""
    box.sh("ip rule add from 172.17.0.0/16 to 192.0.2.0/24 prohibit pref 100")
    line = "Error: getaddrinfo EAI_AGAIN api.lab.test"
    _repeats(box, "mail52", line, "nslookup api.lab.test")
    _says(box, "mail52", line)
    report = box.diagnose("check", "dns.upstream-unreachable", "--format", "json")
    assert any("routing rule 100:" in finding["summary"] for finding in report.findings)


@fault("dns.name-unknown", subject="container:pay36", also=["network.calls-failing"])
def name_that_nobody_has(box: Box) -> None:
    """A program calls a service by a name that was mistyped."""
    box.provider.dns_stop()
    box.provider.dns_start("--local=/lab-shop.test/")
    line = "dial tcp: lookup paymnet.lab-shop.test on 127.0.0.11:53: no such host"
    box.docker("network", "create", "paynet36")
    _repeats(box, "pay36", line, "nslookup paymnet.lab-shop.test", "--network=paynet36")
    _says(box, "pay36", line)


@healthy()
def name_that_a_crawler_skips(box: Box) -> None:
    """A program meets names that nobody has any more, and says that it continues without them."""
    box.provider.dns_stop()
    box.provider.dns_start("--local=/lab-shop.test/")
    line = "WARN lookup gone.lab-shop.test on 127.0.0.11:53: no such host, skipped"
    box.docker("network", "create", "seeknet43")
    _repeats(box, "seeker43", line, "nslookup gone.lab-shop.test", "--network=seeknet43")
    _says(box, "seeker43", line)


@fault("dns.name-unknown", subject="container:pay42", also=["network.calls-failing"])
def name_that_a_search_domain_completes(box: Box) -> None:
    """A program that appends no search domain calls a name that only such a domain completes."""
    box.provider.dns_stop()
    box.provider.dns_start(
        "--local=/lab-shop.test/",
        "--local=/office/",
        f"--host-record=pay.office.lab-shop.test,{WEB}",
    )
    line = "pay.office could not be resolved (3: Host not found)"
    box.docker("network", "create", "paynet42")
    options = ("--network=paynet42", "--dns-search=lab-shop.test")
    _repeats(box, "pay42", line, "nslookup pay.office.", *options)
    found = box.docker("exec", "pay42", "nslookup", "pay.office.lab-shop.test")
    assert WEB in found.stdout
    _says(box, "pay42", line)
    report = box.diagnose("check", "dns.name-unknown", "--format", "json")
    (finding,) = [finding for finding in report.findings if finding["id"] == "dns.name-unknown"]
    assert "pay.office.lab-shop.test" in finding["summary"], finding


@fault("network.call-unanswered", subject="container:tunnel37", shareable=True)
def tunnel_whose_udp_is_dropped(box: Box) -> None:
    """A tunnel speaks QUIC, and a firewall beyond the host drops its port over UDP."""
    box.provider.drop("-p udp --dport 7844")
    line = (
        'ERR Failed to dial a quic connection error="failed to dial to edge with quic: timeout: '
        f'no recent network activity" connIndex=0 event=0 ip={WEB}'
    )
    _repeats(box, "tunnel37", line, "false")
    pid = str(box.inspect("tunnel37")["State"]["Pid"])
    box.spawn(["nsenter", "-t", pid, "-n", sys.executable, "-c", _SENDS.format(address=WEB)])
    _says(box, "tunnel37", "no recent network activity")


_SENDS = """
import socket, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    sender.sendto(b"hello", ("{address}", 7844))
    time.sleep(1)
"""


_CUTS_SHORT = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("{address}", 53))
while True:
    query, client = server.recvfrom(4096)
    flags = bytes([0x81 | 2 * (b"big" in query), 0x80])
    end = query.index(0, 12) + 5
    server.sendto(query[:2] + flags + query[4:6] + bytes(6) + query[12:end], client)
"""


@fault("dns.tcp-blocked", subject="host:host", also=["container.*", "network.*"])
def server_without_tcp(box: Box) -> None:
    """A firewall beyond the host lets DNS over UDP pass, and not over TCP; one name has a large
    answer."""
    box.provider.dns_stop()
    box.provider.spawn([sys.executable, "-c", _CUTS_SHORT.format(address=RESOLVER)])
    box.provider.drop("-p tcp --dport 53")
    line = "dial tcp: lookup big.push.test on 127.0.0.11:53: server misbehaving"
    box.docker("network", "create", "bignet")
    _repeats(box, "big", line, "false", "--network=bignet")
    _says(box, "big", line)


@fault("dns.engine-resolver-bypassed", subject="container:guest39", shareable=True)
def guest_of_a_vpn_that_asks_the_vpns_server(box: Box) -> None:
    """A VPN client writes its own server into resolv.conf; its guest calls a neighbour by name."""
    box.docker("network", "create", "vpnnet39")
    box.docker("run", "-d", "--name=media39", *QUIET, "--network=vpnnet39", "shop:1.4")
    script = "echo nameserver 127.0.0.1 >/etc/resolv.conf; sleep 900"
    # as root, unlike the others: it writes resolv.conf
    limits = ("--memory=32m", "--pids-limit=64", "--network=vpnnet39")
    run = ("run", "-d", "--name=vpn39", *limits, "bb:1.36", "sh", "-c", script)
    box.docker(*run)
    pid = box.inspect("vpn39")["State"]["Pid"]
    serves = "--listen-address=127.0.0.1 --bind-interfaces --no-resolv --local=/#/"
    fixed = "--keep-in-foreground --no-hosts --conf-file=/dev/null --user=root --pid-file="
    enter = ["nsenter", "-t", str(pid), "-n"]
    box.spawn([*enter, "dnsmasq", *fixed.split(), *serves.split()])
    line = "wget: bad address 'media39'"
    _repeats(
        box,
        "guest39",
        line,
        "timeout 2 wget -qO- http://media39:8080/",
        "--network=container:vpn39",
    )
    _says(box, "guest39", line)


@fault("network.address-duplicate", subject="container:hole40", also=["dns.upstream-unreachable"])
def address_that_the_dhcp_server_gave_away(box: Box) -> None:
    """A macvlan container has an address that another machine on the wire has too."""
    box.provider.sh("ip addr add 192.0.2.130/24 dev uplink")
    options = ("-d=macvlan", "-o=parent=eth0", "--subnet=192.0.2.0/24", "--gateway=192.0.2.1")
    box.docker("network", "create", *options, "lan40")
    run = ("run", "-d", "--name=hole40", "--network=lan40", "--ip=192.0.2.130", *QUIET, "shop:1.4")
    box.docker(*run)
    # the host learns of the other machine when it calls the address
    box.run(["curl", "-m", "2", "http://192.0.2.130:9/"], check=False)
    table = box.sh("ip neigh show dev eth0")
    assert "192.0.2.130 lladdr" in table, table


@fault("swarm.ipvs-missing", subject="daemon:docker", baseline=False, also=["image.*", "swarm.*"])
def kernel_without_a_balancer(box: Box) -> None:
    """A service publishes a port in ingress mode on a kernel without IPVS."""
    if box.path("/proc/net/ip_vs").exists():
        pytest.skip("this kernel has IPVS")
    _service_with_a_port(box)
    box.wait_for(lambda: "ipvs family" in box.log_tail(2000), what="the engine's complaint")
    assert not box.provider.curl(f"http://{BOX_ADDRESS}:8080/", check=False)


@fault(
    "swarm.ingress-forwarding-off",
    subject="network:ingress",
    baseline=False,
    also=["image.*", "swarm.ipvs-missing"],
)
def mesh_that_forwards_nothing(box: Box) -> None:
    """The namespace of the routing mesh has IP forwarding off, as in an LXC guest."""
    _service_with_a_port(box)
    box.sh(
        "nsenter --net=/run/docker/netns/ingress_sbox sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'"
    )


def _service_with_a_port(box: Box) -> None:
    """A swarm of this node, with a service that publishes a port in ingress mode."""
    address = ("--advertise-addr", BOX_ADDRESS, "--default-addr-pool", "10.200.0.0/16")
    box.docker("swarm", "init", *address)
    box.image("shop:1.4")
    service = ("service", "create", "-d", "--name=shop", "--publish=8080:8080")
    box.docker(*service, "--no-resolve-image", "shop:1.4", timeout=60)
    box.wait_for(lambda: box.api("/containers/json"), what="the task")


_REPEATED = re.compile(r"timer:\(on,[^,]+,[1-9]")
"""A request that the kernel has sent again, as `ss -o` shows it."""


def _site_whose_router_leads_no_call_back(box: Box, called: str) -> None:
    """A container serves a site at this host's public address, another one calls it there."""
    box.provider.sh("ip addr add 198.41.200.13/32 dev uplink")
    box.provider.drop("-d 198.41.200.13")
    box.provider.dns_stop()
    box.provider.dns_start("--address=/cloud.home.example/198.41.200.13")
    line = "Error: connect ETIMEDOUT 198.41.200.13:18441 (https://cloud.home.example:18441)"
    name = "--label=traefik.http.routers.cloud.rule=Host(`cloud.home.example`)"
    box.docker("run", "-d", "--name=cloud41", *QUIET, "-p=18441:8080", name, "shop:1.4")
    _repeats(box, "office41", line, f"nc -w 4 {called} 18441")
    _says(box, "office41", line)
    waiting = box.in_netns("office41", "ss", "-tnoH", "state", "syn-sent", "dst", "198.41.200.13")
    # on a quick machine the tool is done before the call that has just begun is repeated
    box.wait_for(lambda: _REPEATED.search(box.run(waiting).stdout), what="a repeated request")


@fault("network.call-unanswered", subject="container:office41", also=["network.calls-failing"])
def site_called_by_its_own_public_name(box: Box) -> None:
    """A container calls its site by the public name, and the router does not lead the call back."""
    _site_whose_router_leads_no_call_back(box, "cloud.home.example")


@fault("network.call-unanswered", subject="container:office41", also=["network.calls-failing"])
def site_called_by_its_own_public_address(box: Box) -> None:
    """The same, and the address itself is in the command."""
    _site_whose_router_leads_no_call_back(box, "198.41.200.13")


@fault("firewall.dnat-missing", subject="container:web", also=["network.*"])
def published_port_that_is_not_tracked(box: Box) -> None:
    """The rules that guides advise for a busy web server, for a published port."""
    for port in ("dport", "sport"):
        box.sh(f"iptables -t raw -I PREROUTING -p tcp --{port} 8080 -j CT --notrack")


@fault("firewall.dnat-missing", subject="container:web", also=["network.*"])
def published_port_that_nftables_leaves_untracked(box: Box) -> None:
    """The same by a table of the administrator's own."""
    box.sh("""
        nft add table ip site
        nft add chain ip site pre '{ type filter hook prerouting priority -300; }'
        nft add rule ip site pre tcp dport 8080 notrack
    """)


def _asks(box: Box, name: str, *options: str) -> None:
    """A container that fetches a page again and again, and says when it cannot."""
    script = "while :; do timeout 4 wget -q -O /dev/null http://www.lab.test/; sleep 0.3; done"
    box.docker("run", "-d", f"--name={name}", *QUIET, *options, "bb:1.36", "sh", "-c", script)


def _cannot_resolve(box: Box, name: str) -> bool:
    return box.docker("logs", name).stderr.count("bad address") > 3


@fault("network.calls-failing", subject="container:blank71", shareable=True)
def resolv_conf_that_a_script_has_emptied(box: Box) -> None:
    """A script inside has emptied /etc/resolv.conf: the program asks nobody."""
    _asks(box, "blank71")
    box.docker("exec", "--user=0", "blank71", "sh", "-c", ": >/etc/resolv.conf")
    box.wait_for(lambda: _cannot_resolve(box, "blank71"), what="names that do not resolve")


@fault(
    "network.calls-failing",
    subject="container:lone72",
    also=["container.errors-in-log"],
    shareable=True,
)
def caller_without_any_network(box: Box) -> None:
    """A container with the network mode none is to fetch a page."""
    _asks(box, "lone72", "--network=none")
    box.wait_for(lambda: _cannot_resolve(box, "lone72"), what="names that do not resolve")


_CALLS_MESH = """
import socket, time
while True:
    with socket.socket() as client:
        client.settimeout(8)
        try:
            client.connect(("100.101.5.7", 5432))
        except OSError:
            pass
    time.sleep(0.2)
"""


@fault("network.call-unanswered", subject="container:shop88", also=["network.*"])
def machine_of_a_private_network_without_its_interface(box: Box) -> None:
    """A container calls a machine of Tailscale's network, whose client runs without an interface on
    this host: the call leaves for the internet."""
    load(box, "tailscale/tailscale:v1.80", RECIPES["bb:1.36"])
    client = ("tailscale/tailscale:v1.80", "sleep", "1000")
    box.docker("run", "-d", "--name=tailscale88", "--network=host", *QUIET, *client)
    program = ("bb:1.36", "/usr/bin/python3", "-c", _CALLS_MESH)
    box.docker("run", "-d", "--name=shop88", *QUIET, *MACHINE, *program)
    box.sh("sleep 6")
    (finding,) = box.diagnose("check", "network.call-unanswered", "--format", "json").findings
    assert 'container "tailscale88" joins it without an interface' in finding["summary"]
    assert "--env=TS_USERSPACE=false" in finding["fix"][0]["command"]
