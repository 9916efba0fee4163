"""The check in checks/firewall/published/published_port_closed.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.paths.packet_paths import ConnectionVerdict, PacketPaths, Step
from diagnose.evidence.network.paths.published.closed_inbound_paths import (
    ClosedInboundPath,
    ClosedInboundPaths,
)
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.uplinks import Uplink
from diagnose.firewall.rules import Ruleset
from tests.checks.network.evidence import container, network
from tests.judging import judge, rows

OPEN = ConnectionVerdict("accept")


def inbound_path_of(closed: ConnectionVerdict) -> InboundPath:
    """Port 8443 of the host, which clients cannot reach, and which would be open unpublished."""
    return InboundPath(
        container("cloud"),
        network(),
        addresses=frozenset({"172.18.0.2"}),
        port="443/tcp",
        host_address="0.0.0.0",
        host_port=8443,
        everywhere=True,
        uplink=Uplink("eth0", "192.0.2.10"),
        reach=closed,
        sample=closed,
        refused=OPEN,
    )


RULE = "-p tcp -m tcp --dport 8443 -j DROP"
CURES = {
    "DOCKER-USER": (Step("ip filter", "DOCKER-USER", RULE), "request", {"chain", "table"}),
    "before connections": (Step("ip raw", "PREROUTING", RULE), "request", {"raw_chain"}),
    "nft": (Step("inet site", "c", "tcp dport 443 drop"), "request", {"nft_chain"}),
    "the answers": (
        Step("ip filter", "FORWARD", "-p tcp --sport 443 -j DROP"),
        "reply",
        {"answer_chain", "table"},
    ),
    "raw answers": (Step("ip raw", "PREROUTING", "-p tcp --sport 443 -j DROP"), "reply", set()),
    "firewalld": (Step("inet firewalld", "filter_FORWARD", "drop"), "request", set()),
}


@pytest.mark.parametrize(("by", "part", "given"), CURES.values(), ids=CURES)
def test_a_closed_port_and_what_opens_it(by: Step, part: str, given: set[str]) -> None:
    closed = ConnectionVerdict("drop", by=by, hook="forward", part=part)  # type: ignore[arg-type]
    inbound = inbound_path_of(closed)
    result = judge(
        "firewall.published-port-closed",
        closed_inbound_paths=ClosedInboundPaths((ClosedInboundPath(inbound, by, 3),)),
        packet_paths=PacketPaths(inbound_paths=(inbound,)),
    )
    assert rows(result) == [("advice", "cloud")]
    places = {"table", "chain", "raw_chain", "nft_chain", "answer_chain"}
    assert places & set(result.findings[0].variables) == given


def test_answers_dropped_name_the_containers_that_send_them() -> None:
    by = Step("inet site", "forward", "tcp sport 443 drop")
    closed = ConnectionVerdict("drop", by=by, hook="forward", part="reply")
    inbound = inbound_path_of(closed)
    result = judge(
        "firewall.forward-dropped",
        firewall=Firewall(Ruleset()),
        packet_paths=PacketPaths(inbound_paths=(inbound,)),
        config=DaemonConfig("/etc/docker/daemon.json", values={"iptables": False}),
    )
    (finding,) = result.findings
    assert finding.evidence["containers"] == ["cloud"]
