"""Rules that drop packets which somebody misses, as their counters show, with twins."""

from __future__ import annotations

import sys

from tests.lab import Box, Engines, fault, healthy
from tests.lab.provider import BOX_ADDRESS, WEB

_HOLDS = """
import socket, time
held = []
while True:
    client = socket.socket()
    client.settimeout(0.4)
    client.bind(("{source}", 0))
    try:
        client.connect(("{address}", {port}))
        held.append(client)
    except OSError:
        client.close()
    time.sleep({pause})
"""


def _opens(box: Box, port: int, pause: float) -> None:
    """A reverse proxy on another machine opens connections, keeps them, and continues."""
    values = {"source": WEB, "address": BOX_ADDRESS, "port": port, "pause": pause}
    box.provider.spawn([sys.executable, "-c", _HOLDS.format(**values)])


def _dropped(box: Box, chain: str, word: str, table: str = "filter") -> int:
    """The packets that the rule with this word has dropped."""
    rows = box.run(["iptables", "-t", table, "-nvxL", chain]).stdout.splitlines()
    return sum(int(row.split()[0]) for row in rows if word in row)


@fault("firewall.limit-exceeded", subject="host:host")
def proxy_beyond_a_limit_of_connections(box: Box) -> None:
    """A guide's rule allows few connections to an address, and all users come by one proxy."""
    limit = "-p tcp --syn --dport 8080 -m connlimit --connlimit-above 3 -j REJECT"
    box.sh(f"iptables -I DOCKER-USER -i eth0 {limit}")
    _opens(box, 8080, 0.3)
    box.wait_for(lambda: _dropped(box, "DOCKER-USER", "#conn") > 2, what="dropped clients")


@fault("firewall.limit-exceeded", subject="host:host")
def clients_beyond_a_rate(box: Box) -> None:
    """New connections are accepted up to a rate, and dropped beyond it: so are those of users."""
    rate = "-m conntrack --ctstate NEW -m limit --limit 6/min --limit-burst 2 -j RETURN"
    new = "-i eth0 -p tcp -m conntrack --ctstate NEW -j DROP"
    box.sh(f"iptables -I DOCKER-USER {new}; iptables -I DOCKER-USER -i eth0 -p tcp {rate}")
    _opens(box, 8080, 0.3)
    box.wait_for(lambda: _dropped(box, "DOCKER-USER", "DROP") > 2, what="dropped clients")


@healthy()
def limit_that_is_not_reached(box: Box) -> None:
    """The same limit, with a client that stays below it, and one that was over it once."""
    limit = "-p tcp --syn --dport 8080 -m connlimit --connlimit-above 3 -j DROP"
    box.sh(f"iptables -I DOCKER-USER -i eth0 {limit}")
    _opens(box, 8080, 1000)
    assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"


@healthy()
def other_limit_that_is_used_up(box: Box) -> None:
    """A limit for ssh drops somebody who guesses passwords: no published port has to do with it."""
    box.sh(
        "iptables -A INPUT -i eth0 -p tcp --dport 22 -m limit --limit 1/min --limit-burst 1 "
        "-j ACCEPT; iptables -A INPUT -i eth0 -p tcp --dport 22 -j DROP"
    )
    _opens(box, 22, 0.3)
    box.wait_for(lambda: _dropped(box, "INPUT", "DROP") > 2, what="dropped clients")


def _calls_directly(box: Box, times: str) -> None:
    """Another machine has a route to the containers' subnet, and calls one by its own address."""
    address = box.inspect("web")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    box.provider.sh(f"ip route add 172.17.0.0/16 via {BOX_ADDRESS}")
    curl = f"curl -s --noproxy '*' -m 0.5 http://{address}:8080/"
    box.provider.spawn(["sh", "-c", f"for at in {times}; do {curl}; done"])
    least = len(times.split()) if len(times) < 9 else 4
    box.wait_for(lambda: _dropped(box, "PREROUTING", address, "raw") >= least, what="packets")


@fault("firewall.direct-access-dropped", subject="container:web", engines=Engines(since=28))
def container_called_by_its_own_address(box: Box) -> None:
    """A router leads the subnet of a network to this host, as it could before engine 28."""
    _calls_directly(box, "$(seq 400)")


@healthy(engines=Engines(since=28))
def container_that_somebody_tried_to_call(box: Box) -> None:
    """Somebody tried a container's own address twice."""
    _calls_directly(box, "1 2")
