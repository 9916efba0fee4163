"""Calls that nothing on the way certainly stops: to another container, to itself, outside."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.calls.unanswered_call import UnansweredCall
from diagnose.evidence.network.calls.unanswered_calls import (
    CallWays,
    SeenCalls,
    UnansweredCalls,
    unanswered_calls,
)
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Interface
from diagnose.firewall.flow import Obstacle, Step, Trace
from diagnose.questions.sockets import WaitingCall
from tests.checks.network.evidence import container
from tests.checks.network.lost_calls import APP, CLOCK, NETWORKS, losses
from tests.hosts import Made
from tests.judging import judge

TABLE = "IP address HW type Flags HW address Mask Device\n"
OUTCOMES = {
    "it answers this host": ("accepted", {"cut_off": "app"}),
    "it refuses, which is an answer": ("refused", {"cut_off": "app"}),
    "it does not answer this host either": ("silent", {"peer": "db"}),
}


@pytest.mark.parametrize(("outcome", "given"), OUTCOMES.values(), ids=OUTCOMES)
def test_a_peer_that_answers_this_host_is_not_to_blame(outcome: str, given: dict[str, str]) -> None:
    place = {"IPAddress": "172.18.0.9", "MacAddress": "02:42:ac:12:00:09"}
    peer = container("db", NetworkSettings={"Networks": {"shop": place}})
    host = Made({"file.read": {"text": TABLE}, "net.probe": {"outcome": outcome, "ms": 1.0}})
    lost, both = losses(WaitingCall("172.18.0.9", 8080, 2)), Containers((APP, peer))
    calls = unanswered_calls(host, both, SeenCalls(lost), CallWays(NETWORKS), None, CLOCK)
    (finding,) = judge("network.call-unanswered", unanswered_calls=calls).findings
    assert finding.variables.items() >= given.items()
    assert ("answers this host" in finding.summary) is ("cut_off" in given)


@pytest.mark.parametrize("is_up", [True, False])
def test_a_call_to_itself_is_lost_where_the_loopback_is_down(is_up: bool) -> None:
    own = APP.endpoints["shop"].ip_address
    links = (Interface(1, "lo", up=is_up), Interface(2, "eth0", up=True))
    netns = ContainerNetns(APP, 7, links, addresses=(), routes=(), listeners=())
    ways = msgspec.structs.replace(CallWays(NETWORKS), namespaces=Namespaces({APP.id: netns}))
    host = Made({"file.read": {"text": TABLE}})
    lost = losses(WaitingCall(own, 8080, 2))
    calls = unanswered_calls(host, Containers((APP,)), SeenCalls(lost), ways, None, CLOCK)
    found = judge("network.call-unanswered", unanswered_calls=calls).findings
    assert [finding.variables["without_loopback"] for finding in found] == (
        [] if is_up else ["app"]
    )


def test_a_rule_that_may_stop_the_call_is_named_with_its_counters() -> None:
    rule = Step("ip mangle", "FORWARD", "-m ttl --ttl-lt 64 -j DROP")
    trace = Trace("unknown", obstacle=Obstacle("rule", rule, "request", "forward"), to="eth0")
    call = UnansweredCall(APP, "192.0.2.80", 80, 3, network=NETWORKS.items[0], trace=trace)
    (finding,) = judge(
        "network.call-unanswered", unanswered_calls=UnansweredCalls((call,), 1)
    ).findings
    assert "--ttl-lt 64 -j DROP) of this host may stop the packets" in finding.summary
    assert "may stop them" in str(finding.evidence["this host"])
    assert finding.variables["in_chain"] == "FORWARD"
    assert "beyond" not in finding.variables
