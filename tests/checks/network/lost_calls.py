"""Callers, and the losses of their networks, for tests of several checks."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.unanswered_calls import (
    CallWays,
    SeenCalls,
    UnansweredCalls,
    unanswered_calls,
)
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.sockets.losses import NamespaceLoss, NetworkLosses
from diagnose.questions.sockets import WaitingCall
from tests.checks.network.evidence import container, network
from tests.hosts import Made

APP = container("app", Config={"Env": ["DB_HOST=192.0.2.200", "SEEDS=203.0.113.9:51413"]})
DB = container("db", NetworkSettings={"Networks": {"shop": {"IPAddress": "172.18.0.9"}}})
CLOCK = Clock(wall=1_800_000_000.0, booted=0.0)
NETWORKS = Networks((network(),))


def losses(*calls: WaitingCall, of: Container = APP) -> NetworkLosses:
    return NetworkLosses((NamespaceLoss(of, calls),), counted=1)


def calls_of(found: NetworkLosses, networks: Networks = NETWORKS) -> UnansweredCalls:
    arp = Neighbours((Neighbour("192.0.2.200", "eth0", ""),))
    containers = Containers((APP, DB))
    return unanswered_calls(
        Made({}), containers, SeenCalls(found), CallWays(networks, neighbours=arp), None, CLOCK
    )


PORT = {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": "18080"}]}
SHOP = container("shop", NetworkSettings={"Ports": PORT})
OUTSIDE = WaitingCall("192.0.2.80", 80, 3)
