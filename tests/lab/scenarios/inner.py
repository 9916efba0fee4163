"""Rules and routes inside a container's own network namespace, as VPN clients and fail2ban make
them, each with a look-alike that works."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS, RESOLVER
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


_CALLS = """
while :; do
    if nc -w 2 192.0.2.80 80 </dev/null; then echo 'the NAS answers'
    else echo 'ERROR connect to 192.0.2.80:80: connection timed out'; fi
    sleep 1
done
"""


def _guest(box: Box, name: str, net: str, *, owner_options: tuple[str, ...] = ()) -> None:
    """A VPN client without a tunnel yet, and a guest in its network that calls another machine."""
    _network(box, f"{name}-net", f"{net}.0/24")
    own = ("-d", "-m=64m", "--pids-limit=64")
    client = (f"--name={name}", f"--network={name}-net", *owner_options)
    box.docker("run", *own, *client, "bb:1.36", "sleep", "1000")
    guest = (f"--name={name}-guest", f"--network=container:{name}")
    box.docker("run", *own, *guest, "bb:1.36", "sh", "-c", _CALLS)
    box.wait_for(lambda: _printed(box, f"{name}-guest", "answers") > 1, what="an answer")


def _printed(box: Box, name: str, words: str) -> int:
    return box.docker("logs", name).stdout.count(words)


_LOST = ("network.call-unanswered", "network.calls-failing", "dns.upstream-unreachable")
"""Effects on other findings; before engine 26 DNS queries leave from the container's network."""


@fault("network.tunnel-takes-call", subject="container:lane60", also=_LOST)
def tunnel_that_takes_calls_to_the_local_network(box: Box) -> None:
    """All routes lead into the tunnel, the one to a machine beside the host too; the command of the
    report leads that past it."""
    _guest(box, "lane60", "10.231.60")
    _full_tunnel(box, "lane60", "10.232.60")
    refused = "timed out"
    box.wait_for(lambda: _printed(box, "lane60-guest", refused) > 4, what="lost calls")
    answers = _printed(box, "lane60-guest", "answers")
    command = first_command(box, "network.tunnel-takes-call", "lane60")
    assert "ip route add 192.0.2.80 via 10.231.60.1 dev eth0" in command, command
    box.sh(command)
    box.wait_for(lambda: _printed(box, "lane60-guest", "answers") > answers + 1, what="an answer")
    _inside(box, "lane60", "ip route del 192.0.2.80")
    lost = _printed(box, "lane60-guest", refused)
    box.wait_for(lambda: _printed(box, "lane60-guest", refused) > lost + 4, what="lost calls")


@fault("firewall.dropped-inside-container", subject="container:lane61", also=_LOST)
def kill_switch_before_another_machine(box: Box) -> None:
    """The kill switch of a VPN client drops what its guest sends to a machine beside the host."""
    _guest(box, "lane61", "10.231.61", owner_options=(_ADMIN,))
    _kill_switch(box, "lane61")
    refused = "timed out"
    box.wait_for(lambda: _printed(box, "lane61-guest", refused) > 4, what="lost calls")
    answers = _printed(box, "lane61-guest", "answers")
    command = first_command(box, "firewall.dropped-inside-container", "lane61")
    assert "-d 192.0.2.80 -j ACCEPT" in command, command
    box.sh(command)
    box.wait_for(lambda: _printed(box, "lane61-guest", "answers") > answers + 1, what="an answer")
    _inside(box, "lane61", "iptables -D OUTPUT -d 192.0.2.80 -j ACCEPT")
    lost = _printed(box, "lane61-guest", refused)
    box.wait_for(lambda: _printed(box, "lane61-guest", refused) > lost + 4, what="lost calls")


@healthy()
def tunnel_with_a_way_past_it(box: Box) -> None:
    """The same tunnel and kill switch, with a route and a rule for that machine."""
    _guest(box, "lane62", "10.231.62")
    for address in ("192.0.2.80", RESOLVER):
        _inside(box, "lane62", f"ip route add {address} via 10.231.62.1 dev eth0")
    _full_tunnel(box, "lane62", "10.232.62")
    _kill_switch(box, "lane62", "OUTPUT -d 192.0.2.80", f"OUTPUT -d {RESOLVER}")
    answers = _printed(box, "lane62-guest", "answers")
    box.wait_for(lambda: _printed(box, "lane62-guest", "answers") > answers + 2, what="answers")
