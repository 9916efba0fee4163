"""Rules and routes inside a container's own network namespace, as VPN clients and fail2ban make
them, each with a look-alike that works."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.runner import healthy_container
from tests.lab.scenarios.everyday.helpers import first_command, host_gets

_ADMIN = "--cap-add=NET_ADMIN"


def _inside(box: Box, name: str, script: str, *, check: bool = True) -> bool:
    """Run a script in a container's network namespace; whether it succeeded."""
    pid = box.inspect(name)["State"]["Pid"]
    enter = ["nsenter", "-t", str(pid), "-n", "sh", "-ec", script]
    return box.run(enter, check=check).returncode == 0


def _gets(box: Box, name: str, url: str) -> bool:
    """Whether a program in a container's network gets an answer from a URL."""
    return _inside(
        box, name, f"curl -sS -o /dev/null --noproxy '*' --max-time 2 {url}", check=False
    )


def _others_get(box: Box, port: int) -> bool:
    return bool(box.provider.curl(f"http://{BOX_ADDRESS}:{port}/", timeout=2, check=False))


def _network(box: Box, name: str, subnet: str) -> None:
    box.docker("network", "create", f"--subnet={subnet}", name)


def _full_tunnel(box: Box, name: str, net: str) -> None:
    """An interface tun0 that takes all traffic in two halves, as OpenVPN and wg-quick set it up."""
    _inside(
        box,
        name,
        f"""
        ip link add tun0 type veth peer name far0
        ip addr add {net}.2/24 dev tun0
        ip link set tun0 up; ip link set far0 up
        ip neigh add {net}.1 lladdr 02:00:00:00:00:09 dev tun0
        ip route add 0.0.0.0/1 via {net}.1 dev tun0
        ip route add 128.0.0.0/1 via {net}.1 dev tun0
        """,
    )


def _kill_switch(box: Box, name: str, *allowed: str) -> None:
    """The rules of a VPN client: nothing leaves or enters but by the tunnel, and what is named."""
    opened = "\n".join(f"iptables -A {rule} -j ACCEPT" for rule in allowed)
    _inside(
        box,
        name,
        f"""
        iptables -A INPUT -i lo -j ACCEPT; iptables -A OUTPUT -o lo -j ACCEPT
        iptables -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
        iptables -A OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
        iptables -A OUTPUT -o tun0 -j ACCEPT
        {opened}
        iptables -P INPUT DROP; iptables -P OUTPUT DROP
        """,
    )


@fault("network.replies-misrouted", subject="container:vpngate", shareable=True)
def tunnel_that_takes_the_answers(box: Box) -> None:
    """A VPN client in a container takes all traffic, the answers of its published port too: the
    host is answered, other machines are not."""
    healthy_container(box, "vpngate", 18771, _ADMIN)
    assert _others_get(box, 18771)
    _full_tunnel(box, "vpngate", "10.231.1")
    assert not _others_get(box, 18771)
    assert host_gets(box, 18771)


@fault(
    "firewall.dropped-inside-container",
    subject="container:castle",
    also=[("dns.upstream-unreachable", "container:castle")],
    shareable=True,
)
def kill_switch_that_closes_a_published_port(box: Box) -> None:
    """A VPN client's own rules have no exception for the port that its container publishes."""
    box.docker("run", "-d", "--name=castle", "-m=64m", _ADMIN, "-p=18772:8080", "shop:1.4")
    assert _others_get(box, 18772)
    _kill_switch(box, "castle")
    assert not _others_get(box, 18772)
    assert not host_gets(box, 18772)


@fault("firewall.dropped-inside-container", subject="container:keep20", shareable=True)
def kill_switch_of_a_configuration_file(box: Box) -> None:
    """The file of a VPN provider rejects all that does not leave by the tunnel, so that the answers
    of a published port stay inside; the command lets those of another container out."""
    for name, port in (("keep20", 18789), ("tower20", 18790)):
        box.docker("run", "-d", f"--name={name}", "-m=64m", _ADMIN, f"-p={port}:8080", "shop:1.4")
        assert _others_get(box, port)
        rule = "OUTPUT ! -o wg0 -m addrtype ! --dst-type LOCAL -j REJECT"
        _inside(box, name, f"iptables -I {rule}")
        assert not _others_get(box, port)
    cure = first_command(box, "firewall.dropped-inside-container", "tower20")
    box.sh(cure)
    assert _others_get(box, 18790)


@fault(
    "firewall.dropped-inside-container",
    subject="container:sealed",
    also=[("dns.upstream-unreachable", "container:sealed")],
    shareable=True,
)
def kill_switch_before_a_database(box: Box) -> None:
    """A container that shares a VPN client's network cannot call the database on that network."""
    _network(box, "sealnet", "10.231.2.0/24")
    healthy_container(box, "sealdb", 18773, "--network=sealnet")
    healthy_container(box, "sealed", 18774, "--network=sealnet", _ADMIN)
    box.docker(
        "run", "-d", "--name=sealguest", "--network=container:sealed", "-m=32m",
        "-e=BACKEND_URL=http://sealdb:8080/", *("bb:1.36", "sleep", "1000"),
    )  # fmt: skip
    database = box.inspect("sealdb")["NetworkSettings"]["Networks"]["sealnet"]["IPAddress"]
    assert _gets(box, "sealguest", f"http://{database}:8080/")
    _kill_switch(box, "sealed", "INPUT -p tcp --dport 8080")
    assert not _gets(box, "sealguest", f"http://{database}:8080/")
    assert _others_get(box, 18774)


@fault("firewall.dropped-inside-container", subject="container:postbox", shareable=True)
def gateway_banned_inside(box: Box) -> None:
    """fail2ban in a container bans the gateway, which is the address of all clients that come by
    docker-proxy."""
    _network(box, "postnet", "10.231.3.0/24")
    box.docker(
        *("run", "-d", "--name=postbox", "-m=64m", _ADMIN),
        *("--network=postnet", "-p=18775:8080", "shop:1.4"),
    )
    assert host_gets(box, 18775)
    _inside(
        box,
        "postbox",
        """
        iptables -N f2b-mail
        iptables -A f2b-mail -s 10.231.3.1 -j REJECT
        iptables -A f2b-mail -j RETURN
        iptables -I INPUT -p tcp -j f2b-mail
        """,
    )
    assert not host_gets(box, 18775)
    assert _others_get(box, 18775)


@fault("firewall.dropped-inside-container", subject="container:vault19", shareable=True)
def port_that_is_closed_to_neighbours(box: Box) -> None:
    """A container's own rules refuse a neighbour, as if nothing listened; its program does."""
    _network(box, "vaultnet19", "10.231.7.0/24")
    quiet = ("--network=vaultnet19", "-m=64m")
    box.docker("run", "-d", "--name=vault19", *quiet, _ADMIN, "shop:1.4")
    url = "http://vault19:8080/"
    caller = f"while :; do wget -qO- {url} 2>&1; sleep 1; done"
    box.docker(
        "run", "-d", "--name=till19", *quiet, f"-e=VAULT={url}", "bb:1.36", "sh", "-c", caller
    )
    box.wait_for(lambda: "hello" in box.docker("logs", "till19").stdout, what="an answer")
    rule = "INPUT -p tcp --dport 8080 ! -i lo -j REJECT --reject-with tcp-reset"
    _inside(box, "vault19", f"iptables -A {rule}")
    refused = "Connection refused"
    box.wait_for(lambda: box.docker("logs", "till19").stdout.count(refused) > 4, what="refusals")
    assert _inside(box, "vault19", "ss -tlnH sport = :8080 | grep -q .")


@healthy(shareable=True)
def vpn_client_with_its_exceptions(box: Box) -> None:
    """A VPN client in a container with a kill switch, which lets in its published port, lets out
    calls to its own network, and answers by the network that it was called by."""
    _network(box, "goodnet", "10.231.4.0/24")
    healthy_container(box, "gooddb", 18776, "--network=goodnet")
    healthy_container(
        box, "goodvpn", 18777, "--network=goodnet", _ADMIN, "-e=BACKEND_URL=http://gooddb:8080/"
    )
    _full_tunnel(box, "goodvpn", "10.231.5")
    _kill_switch(box, "goodvpn", "INPUT -p tcp --dport 8080", "OUTPUT -d 10.231.4.0/24")
    own = box.inspect("goodvpn")["NetworkSettings"]["Networks"]["goodnet"]["IPAddress"]
    _inside(
        box,
        "goodvpn",
        f"ip route add default via 10.231.4.1 table 200; ip rule add from {own} lookup 200",
    )
    database = box.inspect("gooddb")["NetworkSettings"]["Networks"]["goodnet"]["IPAddress"]
    assert _gets(box, "goodvpn", f"http://{database}:8080/")
    assert _others_get(box, 18777)
    assert host_gets(box, 18777)


@healthy(shareable=True)
def ban_of_one_client_inside(box: Box) -> None:
    """fail2ban in a container bans one address of the internet, and ports that nobody publishes
    are closed."""
    healthy_container(box, "guarded", 18778, _ADMIN)
    _inside(
        box,
        "guarded",
        """
        iptables -N f2b-ssh
        iptables -A f2b-ssh -s 203.0.113.66 -j REJECT
        iptables -I INPUT -p tcp -j f2b-ssh
        iptables -A INPUT -p tcp --dport 9000 -j DROP
        """,
    )
    assert _others_get(box, 18778)
    assert host_gets(box, 18778)


@fault("firewall.tunnel-untranslated", subject="container:exitnode", shareable=True)
def vpn_server_that_hides_its_clients_on_the_other_network(box: Box) -> None:
    """A VPN server's rule names the interface of its first network, and its default route is by
    the second one."""
    _vpn_server(box, "exitnode", "10.231.9", hidden_by="eth0")


@healthy(shareable=True)
def vpn_server_that_hides_its_clients(box: Box) -> None:
    """The rule names the interface of the default route, as it is meant to."""
    _vpn_server(box, "exitfine", "10.231.10", hidden_by="eth1")


@healthy(shareable=True)
def vpn_server_whose_clients_are_routed(box: Box) -> None:
    """No rule translates the clients: the router of the site has a way back to them."""
    _vpn_server(box, "exitrouted", "10.231.11", hidden_by="")


def _vpn_server(box: Box, name: str, net: str, *, hidden_by: str) -> None:
    """A container with a tunnel for clients, in two networks, of which the second leads out."""
    server = ["--cap-add=NET_ADMIN", "--sysctl=net.ipv4.ip_forward=1", "-m=64m"]
    box.docker("run", "-d", f"--name={name}", *server, "bb:1.36", "sleep", "9000")
    box.docker("network", "create", f"--subnet={net}.0/25", f"{name}-out")
    box.docker("network", "connect", f"{name}-out", name)
    gateway = box.inspect(name)["NetworkSettings"]["Networks"][f"{name}-out"]["Gateway"]
    rule = f"iptables -t nat -A POSTROUTING -s {net}.128/25 -o {hidden_by} -j MASQUERADE"
    _inside(
        box,
        name,
        f"""
        ip tuntap add wg0 mode tun; ip addr add {net}.129/25 dev wg0; ip link set wg0 up
        ip route replace default via {gateway} dev eth1
        {rule if hidden_by else ":"}
        """,
    )
    way = ["ip", "route", "get", "192.0.2.80", "from", f"{net}.130", "iif", "wg0"]
    assert "dev eth1" in box.run(box.in_netns(name, *way)).stdout
