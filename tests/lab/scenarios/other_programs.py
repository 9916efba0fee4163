"""Rules, routes and access lists of other programs that take containers' connections elsewhere."""

from __future__ import annotations

from tests.lab import Box, fault, healthy, images
from tests.lab.faults import Engines
from tests.lab.provider import BOX_ADDRESS, RESOLVER, WEB
from tests.lab.runner import healthy_container
from tests.lab.scenarios.everyday.helpers import first_command, host_gets


def _inside(box: Box, name: str, script: str) -> bool:
    """Run a script in a container's network namespace; whether it succeeded."""
    pid = str(box.inspect(name)["State"]["Pid"])
    return box.run(["nsenter", "-t", pid, "-n", "sh", "-ec", script], check=False).returncode == 0


def _gets(box: Box, name: str, url: str) -> bool:
    return _inside(box, name, f"curl -sS -o /dev/null --noproxy '*' --max-time 2 {url}")


_REDIRECT = """
    iptables -t nat -N CLASH
    for net in 10.0.0.0/8 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16; do
        iptables -t nat -A CLASH -d $net -j RETURN
    done
    iptables -t nat -A CLASH -p tcp -j REDIRECT --to-ports 7892
    iptables -t nat -A PREROUTING -p tcp -j CLASH
"""


@fault("firewall.redirected-to-nobody", subject="host:host")
def redirect_without_its_proxy(box: Box) -> None:
    """The rules of a transparent proxy are left, and the proxy is gone."""
    healthy_container(box, "cart71", 18711)
    assert _gets(box, "cart71", f"http://{WEB}/")
    box.sh(_REDIRECT)
    assert not _gets(box, "cart71", f"http://{WEB}/")


@healthy()
def redirect_to_a_proxy(box: Box) -> None:
    """The same rules, and a proxy that listens."""
    healthy_container(box, "cart71", 18711)
    box.sh("mkdir -p /run/proxy; echo hello >/run/proxy/index.html")
    box.spawn(["busybox", "httpd", "-f", "-p", "0.0.0.0:7892", "-h", "/run/proxy"])
    box.sh(_REDIRECT)
    assert _gets(box, "cart71", f"http://{WEB}/")


_CALLER = f"""
while :; do
    wget -qO- http://{WEB}/ 2>/dev/null || echo 'curl: (7) Failed to connect to {WEB} port 80: Connection refused'
    sleep 1
done
"""


def _vpn_client(box: Box, name: str, redirected: str) -> None:
    """A program that calls a web server, and a rule of its VPN client about the web's port."""
    images.load(box, "bb:1.36")
    box.docker(
        *("run", "-d", f"--name={name}", "-m=32m", "--cap-add=NET_ADMIN"),
        *("bb:1.36", "sh", "-c", f"sleep 2; {_CALLER}"),
    )
    rule = f"iptables -t nat -A OUTPUT -p tcp {redirected} -j DNAT --to-destination 127.0.0.111:80"
    assert _inside(box, name, rule)


@fault(
    "firewall.redirected-to-nobody", subject="container:vpnweb81", also=["container.errors-in-log"]
)
def port_forward_of_a_vpn_that_takes_all_calls(box: Box) -> None:
    """A VPN client's rule for a forwarded port leads all that its own container calls there to an
    address of the loopback interface, where nothing listens."""
    _vpn_client(box, "vpnweb81", "--dport 80")
    assert not _gets(box, "vpnweb81", f"http://{WEB}/")
    box.wait_for(lambda: box.docker("logs", "vpnweb81").stdout.count("refused") > 4, what="calls")


@healthy()
def port_forward_of_a_vpn_for_its_own_address(box: Box) -> None:
    """The same rule, for calls to an address of the tunnel alone."""
    _vpn_client(box, "vpnweb82", "-d 10.8.0.6 --dport 80")
    assert _gets(box, "vpnweb82", f"http://{WEB}/")


@healthy()
def proxy_inside_a_container_that_takes_all_calls(box: Box) -> None:
    """The same rule in a container that has a proxy which takes these calls."""
    _vpn_client(box, "vpnweb83", "--dport 80")
    pid = str(box.inspect("vpnweb83")["State"]["Pid"])
    box.sh("mkdir -p /run/inner; echo hello >/run/inner/index.html")
    box.spawn(
        ["nsenter", "-t", pid, "-n", "busybox", "httpd", "-f", "-p", "80", "-h", "/run/inner"]
    )
    box.wait_for(lambda: _gets(box, "vpnweb83", f"http://{WEB}/"), what="the proxy")


@fault("firewall.dnat-missing", subject="container:web")
def port_taken_by_a_leftover_of_cni(box: Box) -> None:
    """k3s was removed, and its rule still leads port 8080 to a pod that is gone."""
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/")
    box.sh("""
        iptables -t nat -N CNI-HOSTPORT-DNAT; iptables -t nat -N CNI-DN-7a3c
        iptables -t nat -I PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
        iptables -t nat -A CNI-HOSTPORT-DNAT -p tcp -m multiport --dports 8080,8443 -j CNI-DN-7a3c
        iptables -t nat -A CNI-DN-7a3c -p tcp --dport 8080 -j DNAT --to-destination 10.42.0.7:80
    """)
    assert not box.provider.curl(f"http://{BOX_ADDRESS}:8080/", timeout=2, check=False)


_TABLE = f"""
    ip route add 192.0.2.0/24 dev eth0 table 200
    ip route add default via 192.0.2.1 table 200
    ip rule add from {BOX_ADDRESS} lookup 200
"""


def _caller_of_the_host(box: Box) -> None:
    box.docker("network", "create", "--subnet=10.247.1.0/24", "callnet")
    box.spawn(["busybox", "httpd", "-f", "-p", "0.0.0.0:9091", "-h", "/tmp"])
    healthy_container(
        box, "caller", 18712, "--network=callnet", f"-e=API_URL=http://{BOX_ADDRESS}:9091/",
    )  # fmt: skip


def _reaches_the_host(box: Box) -> bool:
    """Whether a connection is made; the server's answer is a 404."""
    return _gets(box, "caller", f"http://{BOX_ADDRESS}:9091/")


@fault("network.replies-misrouted", subject="network:callnet")
def table_without_the_networks_of_containers(box: Box) -> None:
    """A rule for the host's own address leads to a table that knows nothing of containers."""
    _caller_of_the_host(box)
    assert _reaches_the_host(box)
    box.sh(_TABLE)
    assert not _reaches_the_host(box)


@healthy()
def table_with_the_networks_of_containers(box: Box) -> None:
    """The same rule and table, with a route to the network."""
    _caller_of_the_host(box)
    bridge = f"br-{box.docker('network', 'inspect', '-f', '{{.Id}}', 'callnet').stdout[:12]}"
    box.sh(f"{_TABLE}\nip route add 10.247.1.0/24 dev {bridge} table 200")
    assert _reaches_the_host(box)


def _two_networks(box: Box, first: str, second: str) -> None:
    option = "--opt=com.docker.network.bridge.enable_ip_masquerade=false"
    box.docker("network", "create", "--subnet=10.247.2.0/24", option, first)
    box.docker("network", "create", "--subnet=10.247.3.0/24", second)
    healthy_container(box, "both", 18713, f"--network={second}")
    box.docker("network", "connect", first, "both")


@fault("firewall.masquerade-missing", subject="network:a-storage", engines=Engines(since=28))
def default_route_by_an_untranslated_network(box: Box) -> None:
    """A container's default route leads by the one of its networks that translates nothing."""
    _two_networks(box, "a-storage", "z-front")
    assert not _gets(box, "both", f"http://{WEB}/")


@healthy(engines=Engines(since=28))
def untranslated_network_beside_the_default_route(box: Box) -> None:
    """The same two networks, and the default route leads by the other one."""
    _two_networks(box, "z-storage", "a-front")
    assert _gets(box, "both", f"http://{WEB}/")


_CHOOSY = f"""
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("{BOX_ADDRESS}", 53))
while True:
    query, client = server.recvfrom(4096)
    if client[0].startswith("192.0.2."):
        upstream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        upstream.settimeout(2)
        upstream.sendto(query, ("{RESOLVER}", 53))
        reply = upstream.recv(4096)
        reply = reply[:3] + bytes([reply[3] & 0xF0]) + reply[4:]
    else:
        reply = query[:2] + bytes([0x81, 5]) + query[4:6] + bytes(6) + query[12:]
    server.sendto(reply, client)
"""


@fault("dns.server-refuses-containers", subject="network:bridge", engine_started=False)
def resolver_that_serves_the_hosts_net_alone(box: Box) -> None:
    """The resolver on the host has an access list with the host's own net."""
    box.write("/opt/choosy.py", _CHOOSY)
    box.spawn(["python3", "/opt/choosy.py"])
    box.write("/etc/resolv.conf", f"nameserver {BOX_ADDRESS}\n")
    box.start_engine(config={"log-opts": {"max-size": "10m", "max-file": "3"}})
    healthy_container(box, "web", 8080)
    lookup = box.docker("exec", "web", "nslookup", "www.lab.test", check=False)
    assert "REFUSED" in lookup.stdout + lookup.stderr


@fault("network.port-not-published", subject="container:hass")
def port_beside_the_hosts_network(box: Box) -> None:
    """A container uses the host's network and names another port to be published."""
    run = ("run", "-d", "--name=hass", "--network=host", "-m=32m", "-p=18723:18724")
    box.docker(*run, "bb:1.36", "httpd", "-f", "-p", "18724")
    assert not box.provider.curl(f"http://{BOX_ADDRESS}:18723/", timeout=2, check=False)


@healthy()
def same_port_beside_the_hosts_network(box: Box) -> None:
    """The port that is to be published is the one that the program listens on."""
    run = ("run", "-d", "--name=hass", "--network=host", "-m=32m", "-p=18725:18725")
    box.docker(*run, "bb:1.36", "httpd", "-f", "-p", "18725")


@fault(
    "network.port-not-published",
    subject="container:six",
    config={"userland-proxy": False},
    engines=Engines(since=28),
)
def port_on_ipv6_without_a_proxy(box: Box) -> None:
    """A port on the host's IPv6 address, a network without IPv6, and no docker-proxy."""
    box.sh("ip -6 addr add 2001:db8:5::10/64 dev eth0 nodad")
    address = "[2001:db8:5::10]:18726:8080"
    box.docker("run", "-d", "--name=six", "-m=32m", f"--publish={address}", "shop:1.4")
    call = ["curl", "-sS", "--noproxy", "*", "--max-time", "2", "http://[2001:db8:5::10]:18726/"]
    assert box.run(call, check=False).returncode != 0


@fault("network.published-on-loopback", subject="daemon:docker", config={"ip": "127.0.0.1"})
def entry_on_the_loopback(box: Box) -> None:
    """daemon.json binds each port to 127.0.0.1, that of a web server too."""
    options = ("-m=32m", "--publish=80:8080", "--restart=unless-stopped")
    box.docker("run", "-d", "--name=entry", *options, "shop:1.4")
    assert not box.provider.curl(f"http://{BOX_ADDRESS}/", timeout=2, check=False)


@healthy(config={"ip": "127.0.0.1"})
def ports_for_a_proxy_of_the_host(box: Box) -> None:
    """The same setting on a host whose own proxy calls the ports."""
    box.docker("run", "-d", "--name=behind", "-m=32m", "--publish=18727:8080", "shop:1.4")


def _macvlan(box: Box, subnet: str, gateway: str) -> None:
    box.docker(
        *("network", "create", "-d", "macvlan", "-o", "parent=eth0"),
        *(f"--subnet={subnet}", f"--gateway={gateway}", "lan"),
    )
    box.docker("run", "-d", "--name=camera", "--network=lan", "-m=32m", "shop:1.4")


@fault(
    "network.parent-subnet-foreign",
    subject="network:lan",
    also=["dns.upstream-unreachable", "network.gateway-unanswered"],
)
def macvlan_of_another_subnet(box: Box) -> None:
    """The subnet of a macvlan network is not that of the wire."""
    _macvlan(box, "10.247.9.0/24", "10.247.9.1")
    assert not _gets(box, "camera", f"http://{WEB}/")


@healthy()
def macvlan_of_a_second_subnet(box: Box) -> None:
    """A second subnet on the same wire, whose router is there and serves names."""
    box.provider.sh(
        "ip addr add 10.247.9.1/24 dev uplink; ip route add 10.247.9.0/24 dev uplink 2>/dev/null || true"
    )
    _macvlan(box, "10.247.9.0/24", "10.247.9.1")
    assert _gets(box, "camera", f"http://{WEB}/")


_RELAY = f"""
    iptables -t nat -A PREROUTING -i eth0 -p tcp --dport 3389 -j DNAT --to-destination {WEB}:80
    iptables -t nat -A POSTROUTING -d {WEB} -p tcp --dport 80 -j MASQUERADE
"""


@fault("firewall.other-bridges-cut-off", subject="interface:eth0")
def port_that_the_host_leads_to_another_machine(box: Box) -> None:
    """The host hands a port on to a machine of its network, and Docker's policy drops that."""
    box.sh(_RELAY)
    assert not box.provider.curl(f"http://{BOX_ADDRESS}:3389/", timeout=2, check=False)


@healthy()
def port_that_a_rule_lets_through(box: Box) -> None:
    """The same with the rules that the page gives."""
    box.sh(_RELAY)
    box.sh(f"""
        iptables -I DOCKER-USER -d {WEB} -p tcp --dport 80 -j ACCEPT
        iptables -I DOCKER-USER -s {WEB} -p tcp --sport 80 -j ACCEPT
    """)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:3389/")


_ONE_ADDRESS = """
table netdev switch {{
 chain out {{
  type filter hook egress device uplink priority 0; policy drop
  ether daddr {mac} accept
  ether daddr & 01:00:00:00:00:00 == 01:00:00:00:00:00 accept
 }}
}}
"""
"""A virtual switch that hands a machine the frames for its own hardware address alone."""


def _neighbour_of_the_wire(box: Box) -> None:
    """A container on the host's wire that calls a machine of its subnet."""
    options = ("--subnet=192.0.2.0/24", "--gateway=192.0.2.1", "--ip-range=192.0.2.160/28")
    box.docker("network", "create", "-d", "macvlan", "-o", "parent=eth0", *options, "wire")
    line = f"can not connect to remote host ({WEB}): Host is unreachable"
    call = f"while :; do nc -w 5 {WEB} 80 </dev/null || echo '{line}' >&2; sleep 1; done"
    run = ("run", "-d", "--name=probe", "--network=wire", "--ip=192.0.2.161", "-m=32m")
    box.docker(*run, "bb:1.36", "sh", "-c", call)


@fault(
    "network.gateway-unanswered",
    subject="network:wire",
    also=["container.errors-in-log", "network.calls-failing", "dns.*"],
)
def switch_for_one_hardware_address(box: Box) -> None:
    """The switch of a virtual machine takes no frames for a second hardware address."""
    mac = box.sh("cat /sys/class/net/eth0/address").strip()
    box.provider.sh(f"nft -f - <<'END'\n{_ONE_ADDRESS.format(mac=mac)}END\n")
    assert box.run(["curl", "-s", "-m", "3", f"http://{WEB}/"]).returncode == 0
    _neighbour_of_the_wire(box)
    box.wait_for(
        lambda: box.docker("logs", "probe").stderr.count("unreachable") >= 4, what="its failures"
    )


@healthy()
def wire_for_every_hardware_address(box: Box) -> None:
    """The same on a wire that takes them, and one machine is off."""
    _neighbour_of_the_wire(box)
    box.docker("exec", "probe", "nc", "-w", "1", "192.0.2.99", "80", check=False)
    pid = box.inspect("probe")["State"]["Pid"]
    box.wait_for(lambda: WEB in box.read(f"/proc/{pid}/net/arp"), what="the call")


@fault(
    "network.parent-in-use",
    subject="network:lan8",
    expect=[("container.start-refused", "container:camera8")],
    shareable=True,
)
def macvlan_on_a_port_of_a_bridge(box: Box) -> None:
    """The parent interface of a macvlan network is a port of a bridge."""
    box.sh(
        "ip link add br-lan8 type bridge; ip link set br-lan8 up; "
        "ip link add nic8 type veth peer name wire8; ip link set nic8 master br-lan8 up; "
        "ip link set wire8 up"
    )
    options = ("-o", "parent=nic8", "--subnet=10.247.18.0/24", "--gateway=10.247.18.1")
    box.docker("network", "create", "-d", "macvlan", *options, "lan8")
    run = ("run", "-d", "--name=camera8", "--network=lan8", "-m=32m", "bb:1.36", "sleep", "1000")
    refused = box.docker(*run, check=False)
    assert "device or resource busy" in refused.stderr


def _searching_project(box: Box, *, is_database_up: bool, options: str = "") -> None:
    """A project whose search domain has a wildcard, and whose database may be stopped."""
    box.provider.dns_stop()
    box.provider.dns_start(f"--address=/corp.test/{WEB}", "--local=/corp.test/")
    box.write("/etc/resolv.conf", f"search corp.test\nnameserver {RESOLVER}\n{options}")
    box.start_engine(config={"log-opts": {"max-size": "10m", "max-file": "3"}})
    box.docker("network", "create", "--subnet=10.247.4.0/24", "stocknet")
    labels = "--label=com.docker.compose.project=stock"
    box.docker(
        *("run", "-d", "--name=stock-db-1", "--network=stocknet", "--network-alias=db", labels),
        *("-m=32m", "bb:1.36", "sleep", "1000"),
    )
    if not is_database_up:
        box.docker("stop", "-t1", "stock-db-1")
    healthy_container(
        box, "stock-api-1", 18714, "--network=stocknet", labels, "-e=DB_HOST=db", "-e=DB_PORT=5432"
    )


@fault("dns.search-wildcard", subject="container:stock-api-1", engine_started=False)
def stopped_service_in_a_wildcard_domain(box: Box) -> None:
    """The database is stopped, and its name leads to a web server of the search domain."""
    _searching_project(box, is_database_up=False)
    lookup = box.docker("exec", "stock-api-1", "nslookup", "db.corp.test", check=False)
    assert WEB in lookup.stdout


@healthy(engine_started=False)
def running_service_in_a_wildcard_domain(box: Box) -> None:
    """The same search domain, and the database runs."""
    _searching_project(box, is_database_up=True)


@fault(
    "dns.search-wildcard",
    subject="container:stock-api-1",
    also=["dns.service-on-other-network"],
    engine_started=False,
)
def service_of_another_network_in_a_wildcard_domain(box: Box) -> None:
    """The database runs on a network of its own; the command connects the program to that."""
    _searching_project(box, is_database_up=True)
    box.docker("network", "create", "--subnet=10.247.5.0/24", "depotnet")
    box.docker("network", "disconnect", "stocknet", "stock-db-1")
    box.docker("network", "connect", "--alias=db", "depotnet", "stock-db-1")
    asks = ("exec", "stock-api-1", "nslookup", "-type=a", "db.")
    assert "10.247.5." not in box.docker(*asks, check=False).stdout
    command = first_command(box, "dns.search-wildcard", "stock-api-1")
    assert command == "docker network connect depotnet stock-api-1", command
    box.sh(command)
    assert "10.247.5." in box.docker(*asks).stdout
    box.docker("network", "disconnect", "depotnet", "stock-api-1")


@fault("dns.search-wildcard", subject="container:stock-api-1", engine_started=False)
def neighbour_whose_name_the_domain_answers_first(box: Box) -> None:
    """The host's resolv.conf has ndots:1, which the engine keeps: the domain comes first."""
    _searching_project(box, is_database_up=True, options="options ndots:1\n")
    conf = box.docker("exec", "stock-api-1", "cat", "/etc/resolv.conf").stdout
    assert "ndots:1" in conf, conf
    assert WEB in box.docker("exec", "stock-api-1", "nslookup", "db.corp.test").stdout
    command = first_command(box, "dns.search-wildcard", "stock-api-1")
    assert "--dns-option=ndots:0" in command, command


def _calls_the_internet(box: Box, *options: str) -> str:
    """A program with a search domain that calls a machine by its full name; the address it gets."""
    _searching_project(box, is_database_up=True)
    called = ("-e=API_URL=https://api.lab.test/v1", "--network=stocknet", "-m=32m")
    own = ("run", "-d", "--name=stock-sync", *options, *called, "bb:1.36", "sleep", "1000")
    box.docker(*own)
    asks = ("exec", "stock-sync", "nslookup", "-type=a", "api.lab.test.corp.test")
    return box.docker(*asks, check=False).stdout


@fault("dns.search-wildcard", subject="container:stock-sync", engine_started=False)
def name_of_the_internet_that_the_domain_answers_first(box: Box) -> None:
    """Somebody gave a container ndots:5: a name with two dots is tried with the domain first."""
    assert WEB in _calls_the_internet(box, "--dns-option=ndots:5")
    command = first_command(box, "dns.search-wildcard", "stock-sync")
    assert "--without dns-option" in command, command
    assert "--dns-option=ndots:1" in command, command


@healthy(engine_started=False)
def name_of_the_internet_that_is_asked_for_first(box: Box) -> None:
    """The same name and domain with the engine's own options."""
    _calls_the_internet(box)


_NO_PROXY = {"userland-proxy": False}


@fault("network.loopback-not-routed", subject="container:local", config=_NO_PROXY)
def loopback_not_routed(box: Box) -> None:
    """Hardening has turned route_localnet off, and there is no docker-proxy."""
    healthy_container(box, "local", 18715)
    assert host_gets(box, 18715)
    box.sh("for file in /proc/sys/net/ipv4/conf/*/route_localnet; do echo 0 >$file; done")
    assert not host_gets(box, 18715)


@healthy(config=_NO_PROXY)
def loopback_routed(box: Box) -> None:
    """The same engine as it sets itself up."""
    healthy_container(box, "local", 18715)
    assert host_gets(box, 18715)


@fault(
    "dns.upstream-unreachable",
    subject="container:tunnel1",
    expect=[("dns.upstream-unreachable", "container:tunnel2")],
)
def tunnels_beside_an_innocent_neighbour(box: Box) -> None:
    """Two VPN clients with kill switches reach no DNS server; `web` beside them does."""
    for name, port in (("tunnel1", 18716), ("tunnel2", 18717)):
        healthy_container(box, name, port, "--cap-add=NET_ADMIN")
        assert _inside(box, name, "iptables -A OUTPUT -p udp --dport 53 -j DROP")
    assert box.docker("exec", "web", "nslookup", "www.lab.test").stdout


@fault(
    "dns.upstream-unreachable",
    subject="container:tunnel3",
    also=["container.errors-in-log", "network.calls-failing"],
    engines=Engines(until=20),
)
def guest_of_a_tunnel_that_misses_names(box: Box) -> None:
    """A VPN client lets no query to the server of the local network leave; the program that shares
    its network says that names do not resolve. Newer engines ask that server from the host."""
    box.docker("network", "create", "tunnel3net")
    healthy_container(box, "tunnel3", 18726, "--cap-add=NET_ADMIN", "--network=tunnel3net")
    assert _inside(box, "tunnel3", "iptables -A OUTPUT -d 192.0.2.53 -j DROP")
    line = "curl: (6) Could not resolve host: www.lab.test"
    script = f"while :; do nslookup www.lab.test >/dev/null 2>&1 || echo '{line}' >&2; done"
    limits = ("--memory=64m", "--pids-limit=64", "--network=container:tunnel3")
    box.docker("run", "-d", "--name=guest3", *limits, "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: box.docker("logs", "guest3").stderr.count(line) > 3, what="its complaints")


_DEFAULT_DENY = """
    iptables -A INPUT -i lo -j ACCEPT
    iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    iptables -A INPUT -p tcp --dport 22 -j ACCEPT
    iptables -P INPUT DROP
"""


_SHUT = 'container "hass" has a port that this host\'s firewall closes'


def _on_the_hosts_network(box: Box) -> None:
    run = ("run", "-d", "--name=hass", "--network=host", "-m=32m", "--expose=8123")
    box.docker(*run, "bb:1.36", "httpd", "-f", "-p", "8123")


@fault("firewall.host-port-closed", subject="container:hass")
def port_of_the_hosts_network_closed(box: Box) -> None:
    """A container on the host's network listens, and the firewall denies by default. Nobody has
    called yet, as far as a log shows: advice."""
    _on_the_hosts_network(box)
    box.sh(_DEFAULT_DENY)
    url = f"http://{BOX_ADDRESS}:8123/"
    assert not box.provider.curl(url, timeout=2, check=False)
    assert _SHUT in box.diagnose("all").joined


@healthy(advice=None)
def closed_port_behind_a_web_server_of_the_host(box: Box) -> None:
    """The same program, and a web server on the host's network takes the requests for it."""
    _on_the_hosts_network(box)
    run = ("run", "-d", "--name=edge", "--network=host", "-m=32m", "--expose=80")
    box.docker(*run, "bb:1.36", "httpd", "-f", "-p", "80")
    box.sh(_DEFAULT_DENY + "\niptables -A INPUT -p tcp --dport 80 -j ACCEPT")
    assert _SHUT not in box.diagnose("all").joined


@fault("firewall.host-port-closed", subject="container:hass")
def answers_of_the_hosts_network_dropped(box: Box) -> None:
    """A rule on the source port drops what a container on the host's network answers."""
    _on_the_hosts_network(box)
    box.sh("iptables -A OUTPUT -p tcp --sport 8123 -j DROP")
    assert not box.provider.curl(f"http://{BOX_ADDRESS}:8123/", timeout=2, check=False)


@healthy()
def port_of_the_hosts_network_open(box: Box) -> None:
    """The same host with a rule for the port."""
    _on_the_hosts_network(box)
    box.sh(_DEFAULT_DENY + "\niptables -A INPUT -p tcp --dport 8123 -j ACCEPT")
