"""A caller that has another machine's hardware address for its peer."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.calls.unanswered_calls import CallWays, SeenCalls, unanswered_calls
from diagnose.questions.sockets import WaitingCall
from tests.checks.network.evidence import container
from tests.checks.network.lost_calls import APP, CLOCK, NETWORKS, losses
from tests.hosts import Made
from tests.judging import judge


@pytest.mark.parametrize(
    ("mac", "given"),
    [
        ("02:42:ac:12:00:0a", {"mistaken": "172.18.0.9", "at_interface": "eth0"}),
        ("02:42:ac:12:00:09", {"peer": "db"}),
    ],
    ids=["another's hardware address", "its own"],
)
def test_the_hardware_address_that_a_caller_has_of_its_peer(
    mac: str, given: dict[str, str]
) -> None:
    place = {"IPAddress": "172.18.0.9", "MacAddress": "02:42:ac:12:00:09"}
    peer = container("db", NetworkSettings={"Networks": {"shop": place}})
    head = "IP address       HW type     Flags       HW address            Mask     Device"
    host = Made({"file.read": {"text": f"{head}\n172.18.0.9 0x1 0x6 {mac} * eth0\n"}})
    lost, both = losses(WaitingCall("172.18.0.9", 8080, 2)), Containers((APP, peer))
    calls = unanswered_calls(host, both, SeenCalls(lost), CallWays(NETWORKS), None, CLOCK)
    (finding,) = judge("network.call-unanswered", unanswered_calls=calls).findings
    assert finding.variables.items() >= given.items()
    assert ("hardware address" in finding.summary) is ("mistaken" in given)
