"""The check in checks/network/calls/host_target_on_loopback.py, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.calls.host_targets import host_targets
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.live.disk.parts.chosen import only
from diagnose.questions.images import AddressPool, Ipam, Network
from tests.hosts import Made
from tests.inspected import bind, container, of
from tests.judging import judge, rows

POOL = AddressPool(subnet="172.17.0.0/16", gateway="172.17.0.1")
BRIDGE = Network("a" * 64, "bridge", "bridge", ipam=Ipam(config=[POOL]))
FILE = "scrape_configs:\n  - static_configs:\n      - targets: ['{}']\n"
OWN = Listener("tcp", "127.0.0.1", 9323, pid=9, comm="dockerd")
WIDE = Listener("tcp", "0.0.0.0", 9323, pid=9, comm="dockerd")
TO_HOST = {"HostConfig": {"ExtraHosts": ["host.docker.internal:host-gateway"]}}
OUTER = {"HostConfig": {"ExtraHosts": ["host.docker.internal:192.168.1.9"]}}
NAMED = "host.docker.internal:9323"
CASES: dict[str, tuple[str, dict[str, Any], tuple[Listener, ...], bool]] = {
    "a name of the host": (NAMED, TO_HOST, (OWN,), True),
    "the address of the bridge": ("172.17.0.1:9323", {}, (OWN,), True),
    "the address of the uplink": ("192.0.2.7:9323", {}, (OWN,), True),
    "a program for all": (NAMED, TO_HOST, (OWN, WIDE), False),
    "nothing listens": (NAMED, TO_HOST, (), False),
    "another port": ("172.17.0.1:9100", {}, (OWN,), False),
    "another machine": ("192.0.2.99:9323", {}, (OWN,), False),
    "a name of another machine": (NAMED, OUTER, (OWN,), False),
    "another program": (NAMED, {**TO_HOST, "Config": {"Image": "shop:1"}}, (OWN,), False),
}


@pytest.mark.parametrize(("target", "own", "sockets", "is_found"), CASES.values(), ids=CASES)
def test_a_target_of_the_host(
    target: str, own: dict[str, Any], sockets: tuple[Listener, ...], is_found: bool
) -> None:
    parts = {
        "Config": {"Image": "prom/prometheus:v3"},
        "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
        **bind("/srv/p.yml", Destination="/etc/prometheus/prometheus.yml"),
        **own,
    }
    prometheus = container("prometheus", **parts)
    host = Made({"file.read": lambda question: {"text": only(question.parts, FILE.format(target))}})
    targets = host_targets(
        host,
        of(prometheus),
        Networks((BRIDGE,)),
        Listeners(sockets),
        Uplinks((Uplink("eth0", "192.0.2.7"),)),
        Info(),
        Ping("1.51", "28.5.2", ""),
    )
    result = judge("network.host-target-on-loopback", host_targets=targets)
    assert rows(result) == ([("warning", "prometheus")] if is_found else [])
