"""Addresses that containers had before, where replica sets, lists of members and nginx keep
them."""

from __future__ import annotations

import time

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.real_servers import nginx, run

_LIMITS = ("--memory=64m", "--pids-limit=64")


def _app(box: Box, name: str, address: str, network: str) -> None:
    """A program whose driver was told the address of the primary: no setting has it."""
    subnet, _, last = address.rpartition(".")
    line = f"MongooseServerSelectionError: connect EHOSTUNREACH {subnet}.$n:27017"
    call = f"nc -w 1 {subnet}.$n 27017 </dev/null"
    script = f'n={last}; while :; do {call} || echo "{line}" >&2; sleep 1; done'
    url = "--env=MONGO_URL=mongodb://mongo:27017/shop?replicaSet=rs0"
    words = ("bb:1.36", "sh", "-c", script)
    box.docker("run", "-d", f"--name={name}", *_LIMITS, f"--network={network}", url, *words)


def _member(box: Box, name: str, network: str, *options: str) -> None:
    """A server that was started as a member of a replica set."""
    script = ("bb:1.36", "sh", "-c", "exec nc -ll -p 27017 -e cat", "--replSet", "rs0")
    box.docker("run", "-d", f"--name={name}", *_LIMITS, f"--network={network}", *options, *script)


@fault("network.peer-address-stale", subject="container:app31", shareable=True)
def replica_set_with_a_former_address(box: Box) -> None:
    """A driver asks the member by its name, and is sent to the address that it had before."""
    box.docker("network", "create", "--subnet=10.237.31.0/24", "set31net")
    _member(box, "set31", "set31net", "--label=com.docker.compose.service=mongo31")
    time.sleep(12)
    _app(box, "app31", "10.237.31.77", "set31net")
    box.wait_for(lambda: box.docker("logs", "app31").stderr.count("EHOSTUNREACH") > 3, what="calls")
    command = first_command(box, "network.peer-address-stale", "app31")
    assert "docker exec set31 sh -c" in command, command
    assert '"mongo31:27017"' in command, command


@healthy(shareable=True)
def replica_set_with_its_present_address(box: Box) -> None:
    """A driver is sent to the address that the member has, and to another that is yet to come."""
    box.docker("network", "create", "--subnet=10.237.32.0/24", "set32net")
    _member(box, "set32", "set32net", "--ip=10.237.32.7")
    _app(box, "app32", "10.237.32.7", "set32net")
    line = "MongooseServerSelectionError: connect ECONNREFUSED 10.237.32.7:27017"
    script = f"echo '{line}'; sleep 900"
    box.docker(
        *("run", "-d", "--name=early32", *_LIMITS, "--network=set32net"),
        *("bb:1.36", "sh", "-c", script),
    )


_NODE = (
    "for a in 10.237.33.98 10.237.33.99 10.237.33.98 10.237.33.99; do nc -w 1 $a 4567 </dev/null;"
    ' echo "WSREP: connection to peer 00000000 with addr tcp://$a:4567 timed out" >&2; done; exit 1'
)


@fault(
    "network.peer-address-stale",
    subject="container:node33-3",
    also=["container.*", "network.peer-address-stale"],
)
def members_listed_by_former_addresses(box: Box) -> None:
    """The third node of a database loops: its command lists the others by former addresses."""
    box.docker("network", "create", "--subnet=10.237.33.0/24", "node33net")
    listed = "--wsrep-cluster-address=gcomm://10.237.33.98,10.237.33.99"
    for number in (1, 2):
        serving = ("bb:1.36", "sh", "-c", "exec nc -ll -p 4567 -e cat", "node", listed)
        name = f"--name=node33-{number}"
        box.docker("run", "-d", name, *_LIMITS, "--network=node33net", *serving)
    time.sleep(12)
    third = (
        "--restart=always",
        "--network=node33net",
        "bb:1.36",
        "sh",
        "-c",
        _NODE,
        "node",
        listed,
    )
    box.docker("run", "-d", "--name=node33-3", *_LIMITS, *third)
    box.wait_for(lambda: box.inspect("node33-3")["RestartCount"] >= 3, what="node33-3 to loop")


def _site(box: Box, name: str, location: str) -> None:
    """nginx in front of a program that then gets another address, and four requests at once."""
    network = f"{name}net"
    box.docker("network", "create", network)
    api = ("run", "-d", f"--network={network}", *_LIMITS, "--network-alias=api")
    serve = ("bb:1.36", "httpd", "-f", "-p", "8080", "-h", "/www")
    box.docker(*api, f"--name={name}api", *serve)
    body = f"server {{ listen 8080; location / {{ {location} }} }}"
    nginx(box, name, body, f"--network={network}", "-p", "8091:8080")
    url = f"http://{BOX_ADDRESS}:8091/"
    box.wait_for(lambda: "hello" in box.provider.curl(url, check=False), what="nginx to answer")
    box.docker("rm", "-f", f"{name}api")
    run(box, f"{name}job", f"--network={network}", "bb:1.36", "sleep", "900")
    box.docker(*api, f"--name={name}api", *serve)
    for _ in range(4):
        box.provider.curl(url, check=False)


@fault("network.peer-address-stale", subject="container:edge34", also=["container.*"])
def nginx_right_after_a_recreate(box: Box) -> None:
    """nginx has looked its backend up at its start, and the backend was recreated a moment ago."""
    _site(box, "edge34", "proxy_pass http://api:8080;")
    assert "111: Connection refused" in box.docker("logs", "edge34").stderr


@healthy()
def nginx_that_looks_up_again(box: Box) -> None:
    """The same with a variable: nginx asks again within seconds."""
    lookup = "resolver 127.0.0.11 valid=3s; set $api api; proxy_pass http://$api:8080;"
    _site(box, "edge35", lookup)


def _behind_ufw(box: Box, name: str, subnet: str, address: str, port: int) -> None:
    """A published port that rules like those of ufw-docker open for one address."""
    box.docker("network", "create", f"--subnet={subnet}", f"{name}net")
    web = ("run", "-d", f"--name={name}", *_LIMITS, f"--network={name}net", f"-p={port}:8080")
    box.docker(*web, f"--ip={subnet.replace('.0/24', '.5')}", "shop:1.4")
    box.sh(f"""
        iptables -N ufw-{name}
        iptables -A ufw-{name} -d {address}/32 -p tcp --dport 8080 -j ACCEPT
        iptables -I DOCKER-USER -i eth0 -d {subnet} -p tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP
        iptables -I DOCKER-USER -j ufw-{name}
    """)


@fault(
    "firewall.opened-for-former-address",
    subject="container:web36",
    also=["firewall.published-port-closed"],
    shareable=True,
    first_command=("heals", "ufw writes the rule for the present address"),
)
def port_opened_for_a_former_address(box: Box) -> None:
    """ufw opens a port for the address that the container had before it was recreated."""
    _behind_ufw(box, "web36", "10.237.36.0/24", "10.237.36.2", 18636)
    assert not box.provider.curl(f"http://{BOX_ADDRESS}:18636/", timeout=2, check=False)
    command = first_command(box, "firewall.opened-for-former-address", "web36")
    assert command.splitlines()[-1].startswith("ufw route allow"), command
    assert "10.237.36.5" in command, command


@healthy(shareable=True)
def port_opened_for_its_address(box: Box) -> None:
    """The same with the present address; and a port that is closed on purpose, beside a rule for a
    neighbour that serves the same one."""
    _behind_ufw(box, "web37", "10.237.37.0/24", "10.237.37.5", 18637)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:18637/")
    inner = ("run", "-d", "--name=inner37", *_LIMITS, "--network=web37net", "-p=18638:8080")
    box.docker(*inner, "--ip=10.237.37.6", "shop:1.4")
    assert not box.provider.curl(f"http://{BOX_ADDRESS}:18638/", timeout=2, check=False)


def _keepalived(box: Box, name: str, source: str) -> None:
    """A program on the host's network that says so where it does not have its source address."""
    box.write(
        f"/srv/{name}/keepalived.conf", f"vrrp_instance a {{\n  unicast_src_ip {source}\n}}\n"
    )
    script = (
        "a=$(grep -o '[0-9.]*$' /etc/keepalived/keepalived.conf | head -n 1); ip -4 addr | grep -q $a"
        ' || echo "Keepalived_vrrp[23]: bind unicast_src $a failed 99 - Address not available";'
        " exec sleep 900"
    )
    mount = f"/srv/{name}/keepalived.conf:/etc/keepalived/keepalived.conf:ro"
    run_it = ("run", "-d", f"--name={name}", *_LIMITS, "--network=host", "-v", mount)
    box.docker(*run_it, "bb:1.36", "sh", "-c", script)


@fault("network.listen-address-missing", subject="container:vrrp39", shareable=True)
def keepalived_with_a_former_source(box: Box) -> None:
    """A host was moved, and keepalived has the address that it had before; the report's first
    command writes the present one."""
    _keepalived(box, "vrrp39", "172.22.1.33")
    box.wait_for(lambda: "failed 99" in box.docker("logs", "vrrp39").stdout, what="its complaint")
    command = first_command(box, "network.listen-address-missing", "vrrp39")
    assert f"/{BOX_ADDRESS}/g" in command, command


@healthy(shareable=True)
def keepalived_with_its_source(box: Box) -> None:
    """The same with an address that the host has."""
    _keepalived(box, "vrrp40", BOX_ADDRESS)
