"""Neighbours of the host whose connections to published ports a ban list stops."""

from __future__ import annotations

from diagnose.evidence.containers.inspect import Binding
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.packet_paths import packet_paths
from diagnose.evidence.network.paths.published.banned_neighbours import (
    BannedNeighbours,
    banned_neighbours,
)
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.firewall.network_stack import NetworkStack
from diagnose.firewall.routing import Routing
from diagnose.firewall.ruleset import assemble
from tests.firewall.test_trace import DEVICES, NAMES, NO_NFTABLES, ROUTES, table
from tests.hosts import Made
from tests.made_paths import BRIDGE, container

WEB = container("web", {"bridge": "172.17.0.2"}, ports={"80/tcp": [Binding("0.0.0.0", "8080")]})
NAT = table(
    "nat", "-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80"
)
BAN = "-A f2b-nginx -s 192.0.2.80/32 -j REJECT --reject-with icmp-port-unreachable"
FILTER = table("filter", "-A FORWARD -j f2b-nginx", BAN).replace(
    ":FORWARD ACCEPT [0:0]\n", ":FORWARD ACCEPT [0:0]\n:f2b-nginx - [0:0]\n"
)
NEIGHBOURS = Neighbours(
    (
        Neighbour("192.0.2.80", "eth0", "02:42:00:00:00:80"),
        Neighbour("192.0.2.81", "eth0", "02:42:00:00:00:81"),
        Neighbour("192.0.2.82", "eth0", ""),
    )
)


def found(filter_: str) -> BannedNeighbours:
    stack = NetworkStack(
        assemble(NO_NFTABLES, {"ip": f"{NAT}{filter_}"}), Routing(ROUTES, None, NAMES), DEVICES
    )
    host, boxes = HostStack(stack), Containers((WEB,))
    uplinks = Uplinks((Uplink("eth0", "192.0.2.10"),), {2: "eth0"})
    paths = packet_paths(
        host, boxes, Networks((BRIDGE,)), WalkedHost(uplinks, ping=None, info=None), Clock(0.0, 0.0)
    )
    return banned_neighbours(Made({}), host, paths, boxes, NEIGHBOURS, uplinks)


def test_the_neighbour_on_the_list_is_banned_and_the_others_are_not() -> None:
    banned = found(FILTER)
    assert [(neighbour.address, neighbour.by.chain) for neighbour in banned] == [
        ("192.0.2.80", "f2b-nginx")
    ]
    assert [port.host_port for neighbour in banned for port in neighbour.ports] == [8080]
    assert banned.walked == 2, "nobody has answered at the third address"


def test_nobody_is_walked_without_a_list() -> None:
    banned = found(table("filter"))
    assert (list(banned), banned.walked) == ([], 0)
