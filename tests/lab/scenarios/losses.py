"""What is lost while the tool looks: requests without an answer, datagrams, docker-proxy, the way
out of an internal network."""

from __future__ import annotations

import sys

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, SILENT, WEB
from tests.lab.runner import IPV6_RULES

_LIMITS = ("-m=32m", "--pids-limit=64")


@fault("network.call-unanswered", subject="container:asker21", shareable=True)
def database_that_nobody_has_any_more(box: Box) -> None:
    """A program waits for a database at an address that no machine has; it logs nothing. Another
    one is refused, which is an answer."""
    box.docker("network", "create", "--subnet=10.162.1.0/24", "asknet21")
    asks = "while :; do nc -w 60 {} {} </dev/null 2>/dev/null; sleep 0.2; done"
    for name, place in (("asker21", (SILENT, 5432)), ("refused21", (WEB, 5432))):
        run = ("run", "-d", f"--name={name}", "--network=asknet21", f"--env=DB_HOST={place[0]}")
        box.docker(*run, *_LIMITS, "bb:1.36", "sh", "-c", asks.format(*place))
    repeated = box.in_netns("asker21", "nstat", "-asz", "TcpExtTCPSynRetrans")
    box.wait_for(lambda: int(box.run(repeated).stdout.split()[-2]) > 1, what="repeated requests")


@fault(
    "network.subnet-overlaps-route",
    subject="network:former22",
    also=[("network.call-unanswered", "container:asker22")],
    shareable=True,
)
def database_in_the_subnet_of_an_empty_network(box: Box) -> None:
    """A program calls a machine of the office. A network that nobody uses has the machine's range,
    so that the packets go to its bridge."""
    box.provider.sh("ip addr add 10.234.8.5/32 dev uplink")
    box.docker("network", "create", "--subnet=10.234.7.0/24", "asknet22")
    box.docker("network", "create", "--subnet=10.234.8.0/24", "former22")
    line = 'connection to server at "10.234.8.5", port 5432 failed: No route to host'
    asks = f"while :; do nc -w 3 10.234.8.5 5432 </dev/null || echo '{line}' >&2; sleep 1; done"
    run = ("run", "-d", "--name=asker22", "--network=asknet22")
    box.docker(*run, *_LIMITS, "bb:1.36", "sh", "-c", asks)
    box.wait_for(lambda: box.docker("logs", "asker22").stderr.count(line) >= 2, what="its failures")


_SLOW = """
import socket, time
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
receiver.bind(("0.0.0.0", 5514))
while True:
    receiver.recv(9000)
    time.sleep({pause})
"""
_SENDS = """
import socket, time
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    for address in {addresses}:
        sender.sendto(b"x" * 400, (address, 5514))
    time.sleep(0.02)
"""


@fault("network.datagrams-dropped", subject="container:syslog22", shareable=True)
def log_server_that_reads_too_slowly(box: Box) -> None:
    """Fifty lines a second come, and the program reads five. Another one reads all."""
    box.docker("network", "create", "--subnet=10.162.2.0/24", "lognet22")
    addresses = []
    for name, pause in (("syslog22", 0.2), ("quick22", 0)):
        box.docker(
            "run", "-d", f"--name={name}", "--network=lognet22", *_LIMITS, "bb:1.36", "sleep", "900"
        )
        box.spawn(box.in_netns(name, sys.executable, "-c", _SLOW.format(pause=pause)))
        addresses.append(box.inspect(name)["NetworkSettings"]["Networks"]["lognet22"]["IPAddress"])
    box.spawn([sys.executable, "-c", _SENDS.format(addresses=addresses)])
    lost = box.in_netns("syslog22", "nstat", "-asz", "UdpRcvbufErrors")
    box.wait_for(lambda: int(box.run(lost).stdout.split()[-2]) > 20, what="lost datagrams")


@fault("network.proxy-missing", subject="container:shop23", shareable=True)
def proxy_that_the_kernel_ended(box: Box) -> None:
    """The docker-proxy of one container was killed; that of another one runs."""
    for name, port in (("shop23", 18623), ("kept23", 18624)):
        box.docker("run", "-d", f"--name={name}", f"-p={port}:8080", *_LIMITS, "shop:1.4")
    for pid in box.pids_of("docker-proxy"):
        if "18623" in box.read(f"/proc/{pid}/cmdline").split("\0"):
            box.kill(pid)
    url = "http://127.0.0.1:{}/"
    get = ["curl", "-sS", "--noproxy", "*", "--max-time", "2"]
    box.wait_for(
        lambda: box.run([*get, url.format(18623)], check=False).returncode == 7, what="a refusal"
    )
    assert box.run([*get, url.format(18624)], check=False).returncode == 0
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18623/")


@fault("network.internal-called-out", subject="container:mailer24", shareable=True)
def mailer_on_an_internal_network(box: Box) -> None:
    """A program on an internal network calls the outside; its neighbour is only called."""
    box.docker("network", "create", "--internal", "--subnet=10.162.4.0/24", "closed24")
    place = f"{WEB}:80"
    line = f"dial tcp {place}: connect: network is unreachable"
    calls = f"while :; do nc -w 2 {WEB} 80 </dev/null 2>/dev/null || echo '{line}'; sleep 1; done"
    for name, script in (("mailer24", calls), ("called24", "sleep 900")):
        run = ("run", "-d", f"--name={name}", "--network=closed24", *_LIMITS)
        box.docker(*run, "bb:1.36", "sh", "-c", script)
    box.wait_for(
        lambda: box.docker("logs", "mailer24").stdout.count(line) > 2, what="calls without a way"
    )


@fault("network.gateway-unanswered", subject="network:lan25", also=["dns.*"], shareable=True)
def network_with_a_gateway_that_nobody_has(box: Box) -> None:
    """A macvlan network was created with a router that nobody on its wire has."""
    box.sh("""
        ip link add wire25 type veth peer name end25
        ip link set wire25 up; ip link set end25 up
        ip addr add 10.162.5.2/24 dev wire25
    """)
    options = ("-d=macvlan", "-o=parent=wire25", "--subnet=10.162.5.0/24", "--gateway=10.162.5.254")
    box.docker("network", "create", *options, "lan25")
    run = ("run", "-d", "--name=nas25", "--network=lan25", *_LIMITS, "bb:1.36", "sh", "-c")
    box.docker(*run, "while :; do nc -w 5 203.0.113.9 80 </dev/null; sleep 0.2; done")
    arp = box.in_netns("nas25", "ip", "neigh", "show", "10.162.5.254")
    box.wait_for(
        lambda: any(word in box.run(arp).stdout for word in ("FAILED", "INCOMPLETE")),
        what="a question without an answer",
    )


@fault("network.ipv6-leads-nowhere", subject="container:feed26", shareable=True)
def feed_by_ipv6_on_a_host_without_it(box: Box) -> None:
    """A program calls a server over IPv6. Its network has IPv6, and the host has no way out by
    it."""
    subnets = ("--subnet=10.162.6.0/24", "--subnet=fd00:162:6::/64")
    box.docker("network", "create", "--ipv6", *subnets, "dual26")
    line = "Error: connect ENETUNREACH 2001:db8:77::80:443"
    calls = f"while :; do nc -w 5 2001:db8:77::80 443 </dev/null || echo '{line}'; sleep 1; done"
    for name, script in (("feed26", calls), ("quiet26", "sleep 900")):
        run = ("run", "-d", f"--name={name}", "--network=dual26", *_LIMITS)
        box.docker(*run, "bb:1.36", "sh", "-c", script)
    box.wait_for(
        lambda: box.docker("logs", "feed26").stdout.count(line) > 2, what="calls without a way"
    )


@healthy(shareable=True)
def feed_that_goes_on_with_ipv4(box: Box) -> None:
    """A program on such a network tries IPv6 first, and is connected over IPv4 then."""
    subnets = ("--subnet=10.162.8.0/24", "--subnet=fd00:162:8::/64")
    box.docker("network", "create", "--ipv6", *subnets, "dual28")
    lost = "Connecting to feed.test|2001:db8:77::80|:80... failed: Network is unreachable."
    gone = "Connecting to feed.test|192.0.2.80|:80... connected."
    tries = f"nc -w 5 2001:db8:77::80 80 </dev/null || echo '{lost}'"
    goes_on = f"wget -qO /dev/null http://192.0.2.80/ && echo '{gone}'"
    run = ("run", "-d", "--name=feed28", "--network=dual28", *_LIMITS)
    box.docker(*run, "bb:1.36", "sh", "-c", f"while :; do {tries}; {goes_on}; sleep 1; done")
    box.wait_for(
        lambda: box.docker("logs", "feed28").stdout.count(gone) > 2, what="calls over IPv4"
    )


@fault("network.ipv6-leads-nowhere", subject="container:ledger27")
def database_with_an_ipv6_address_alone(box: Box) -> None:
    """A program calls a rented database whose name has an IPv6 address alone. The host reaches it,
    and the program's network has IPv4 alone."""
    box.provider.sh(
        "ip -6 addr add 2001:db8:9::1/64 dev uplink nodad; "
        "ip -6 addr add 2001:db8:9::80/64 dev uplink nodad"
    )
    box.provider.spawn(["busybox", "httpd", "-f", "-p", "[2001:db8:9::80]:5432", "-h", "/run/www"])
    box.provider.dns_stop()
    box.provider.dns_start("--address=/db.rent.test/2001:db8:9::80")
    box.sh(
        "ip -6 addr add 2001:db8:9::10/64 dev eth0 nodad; "
        "ip -6 route add default via 2001:db8:9::1 dev eth0"
    )
    box.docker("network", "create", "--subnet=10.162.7.0/24", "ledgernet27")
    line = (
        'connection to server at "db.rent.test" (2001:db8:9::80), port 5432 failed: '
        "Network is unreachable"
    )
    calls = f"while :; do nc -w 2 db.rent.test 5432 </dev/null || echo '{line}' >&2; sleep 1; done"
    run = ("run", "-d", "--name=ledger27", "--network=ledgernet27", *_LIMITS)
    box.docker(*run, "bb:1.36", "sh", "-c", calls)
    box.wait_for(lambda: box.docker("logs", "ledger27").stderr.count(line) > 2, what="failed calls")


_TUNNEL6 = "fd7a:115c:a1e0:b1a:0:7:a01:109"
_DIAL6 = f"dial tcp [{_TUNNEL6}]:8080: connect: network is unreachable"


def _private_ipv6(box: Box, *network: str) -> None:
    """A proxy calls a server in a private IPv6 net that the host has a route to."""
    box.provider.sh(
        f"ip -6 addr add fd00:1::1/64 dev uplink nodad; ip -6 addr add {_TUNNEL6} dev lo nodad"
    )
    box.provider.spawn(["busybox", "httpd", "-f", "-p", f"[{_TUNNEL6}]:8080", "-h", "/run/www"])
    box.sh(
        "ip -6 addr add fd00:1::10/64 dev eth0 nodad; "
        "ip -6 route add fd7a:115c:a1e0::/48 via fd00:1::1"
    )
    get = ["curl", "-s", "--noproxy", "*", "--max-time", "2", f"http://[{_TUNNEL6}]:8080/"]
    box.wait_for(lambda: "hello" in box.run(get, check=False).stdout, what="the host to reach it")
    box.docker("network", "create", "--subnet=10.162.29.0/24", *network, "proxynet29")
    line = f'{{"level":"error","remote_ip":"192.0.2.1","msg":"{_DIAL6}"}}'
    calls = f"while :; do nc -w 2 {_TUNNEL6} 8080 </dev/null && echo served || echo '{line}'; sleep 1; done"
    run = ("run", "-d", "--name=proxy29", "--network=proxynet29", *_LIMITS)
    box.docker(*run, "bb:1.36", "sh", "-c", calls)


@fault("network.ipv6-leads-nowhere", subject="container:proxy29")
def private_net_over_ipv6(box: Box) -> None:
    """A proxy calls a machine of a VPN by its IPv6 address. The host reaches it, and the network of
    the proxy has IPv4 alone."""
    _private_ipv6(box)
    box.wait_for(
        lambda: box.docker("logs", "proxy29").stdout.count(_DIAL6) > 2, what="failed calls"
    )


@healthy(config=IPV6_RULES)
def private_net_over_ipv6_that_is_reached(box: Box) -> None:
    """The same on a network with IPv6."""
    _private_ipv6(box, "--ipv6", "--subnet=fd00:162:29::/64")
    box.wait_for(lambda: box.docker("logs", "proxy29").stdout.count("served") > 2, what="answers")


@fault("network.call-unanswered", subject="container:sync28")
def metadata_service_one_hop_too_far(box: Box) -> None:
    """The answers of the cloud's metadata service end at the host. The program says only that it
    has no credentials."""
    service = "169.254.169.254"
    box.provider.sh(
        f"ip addr add {service}/32 dev uplink; mkdir -p /run/md; echo key >/run/md/role; "
        "nft add table ip hops; "
        "nft 'add chain ip hops out { type filter hook postrouting priority 0; }'; "
        f"nft add rule ip hops out ip saddr {service} meta length gt 80 ip ttl set 1"
    )
    box.provider.spawn(["busybox", "httpd", "-f", "-p", f"{service}:80", "-h", "/run/md"])
    box.sh(f"ip route add {service} dev eth0")
    box.wait_for(lambda: "key" in box.sh(f"curl -s --noproxy '*' -m 3 http://{service}/role"))
    line = "botocore.exceptions.NoCredentialsError: Unable to locate credentials"
    asks = f"timeout 2 wget -q -O- http://{service}/role"
    script = f"while :; do {asks} || echo '{line}' >&2; sleep 1; done"
    box.docker("run", "-d", "--name=sync28", *_LIMITS, "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: box.docker("logs", "sync28").stderr.count(line) > 1, what="its failures")


@healthy()
def job_without_credentials(box: Box) -> None:
    """A program finds no credentials, on a host that no cloud runs: no packet has expired."""
    line = "botocore.exceptions.NoCredentialsError: Unable to locate credentials"
    script = f"while :; do echo '{line}' >&2; sleep 1; done"
    box.docker("run", "-d", "--name=sync29", *_LIMITS, "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: box.docker("logs", "sync29").stderr.count(line) > 1, what="its lines")


_PUSHES = """
import socket, time
server = socket.create_server(("{address}", 5432))
while True:
    client, _ = server.accept()
    time.sleep(9)
    try:
        client.sendall(b"notify")
    except OSError:
        pass
"""


@fault("network.idle-connections-forgotten", subject="host:host")
def connections_forgotten_after_seconds(box: Box) -> None:
    """A setting against floods makes the kernel forget idle connections: what a database sends to
    a container afterwards is answered with a reset."""
    box.sh("sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=3")
    box.provider.spawn([sys.executable, "-c", _PUSHES.format(address=WEB)])
    line = "psycopg2.OperationalError: server closed the connection unexpectedly"
    waits = f"sleep 12 >/tmp/idle & got=$(timeout 11 nc {WEB} 5432 </tmp/idle | head -c 6)"
    script = (
        f"mkfifo /tmp/idle; while :; do {waits}; [ \"$got\" = notify ] || echo '{line}' >&2; done"
    )
    box.docker("run", "-d", "--name=listens30", *_LIMITS, "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: line in box.docker("logs", "listens30").stderr, what="a lost event")


@healthy()
def connection_reset_on_a_host_with_defaults(box: Box) -> None:
    """A container's peer resets a connection, and the kernel remembers idle ones for days."""
    line = "psycopg2.OperationalError: server closed the connection unexpectedly"
    script = f"echo '{line}' >&2; sleep 900"
    box.docker("run", "-d", "--name=listens31", *_LIMITS, "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: line in box.docker("logs", "listens31").stderr, what="its line")


_LEAKS = """
import socket
server = socket.create_server(("0.0.0.0", 8080), backlog=400)
held = []
while True:
    held.append(server.accept())
"""
_CLOSES = """
import socket
for _ in range(400):
    socket.create_connection(("{address}", 8080), 5).close()
"""


@fault(
    "network.connections-left-open",
    subject="container:leaky27",
    also=["network.requests-unanswered"],
    shareable=True,
)
def server_that_never_closes(box: Box) -> None:
    """A program takes connections and never closes them; four hundred clients have gone."""
    box.docker("network", "create", "--subnet=10.162.7.0/24", "leaknet27")
    run = ("run", "-d", "--name=leaky27", "--network=leaknet27", "--ulimit=nofile=4096", *_LIMITS)
    box.docker(*run, "bb:1.36", "sleep", "900")
    box.spawn(box.in_netns("leaky27", sys.executable, "-c", _LEAKS))
    address = box.inspect("leaky27")["NetworkSettings"]["Networks"]["leaknet27"]["IPAddress"]
    box.wait_for(
        lambda: ":8080" in box.run(box.in_netns("leaky27", "ss", "-ltn")).stdout, what="a server"
    )
    box.run([sys.executable, "-c", _CLOSES.format(address=address)])


@fault("firewall.opened-by-host-port", subject="container:cloud28", shareable=True)
def port_opened_by_its_number_on_the_host(box: Box) -> None:
    """A rule of the user lets in port 18628 of the host, and the container's port is 8080."""
    box.docker("network", "create", "--subnet=10.162.8.0/24", "cloudnet28")
    for name, port in (("cloud28", 18628), ("wiki28", 18629)):
        run = ("run", "-d", f"--name={name}", "--network=cloudnet28", f"-p={port}:8080")
        box.docker(*run, *_LIMITS, "shop:1.4")
    add = "iptables -I DOCKER-USER -i eth0 -d 10.162.8.0/24"
    box.sh(f"""
        {add} -j DROP
        {add} -p tcp --dport 18628 -j ACCEPT
        {add} -p tcp -m conntrack --ctorigdstport 18629 --ctdir ORIGINAL -j ACCEPT
        {add} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    """)
    assert not box.provider.curl(f"http://{BOX_ADDRESS}:18628/", timeout=2, check=False)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18629/")


@healthy(shareable=True)
def device_that_is_off(box: Box) -> None:
    """Home automation on the host's network calls a plug that it found once, and that is off."""
    waits = "until [ -s /tmp/plug ]; do sleep 1; done; read -r plug </tmp/plug"
    asks = f"{waits}; while :; do nc -w 60 $plug 80 </dev/null 2>/dev/null; sleep 0.2; done"
    limits = ("--memory=32m", "--pids-limit=64", "--restart=unless-stopped", "--network=host")
    hard = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--cpus=0.2")
    run = ("run", "-d", "--name=hub29", "--tmpfs=/tmp", *limits, *hard)
    box.docker(*run, "bb:1.36", "sh", "-c", asks)
    box.docker("exec", "hub29", "sh", "-c", f"echo {SILENT} >/tmp/plug")
    waiting = ["ss", "-tnoH", "state", "syn-sent", "dst", SILENT]
    box.wait_for(lambda: "on," in box.run(waiting).stdout, what="a request without an answer")
    table = ["ip", "neigh", "show", SILENT]
    box.wait_for(lambda: "FAILED" in box.run(table).stdout, what="the missing machine")
