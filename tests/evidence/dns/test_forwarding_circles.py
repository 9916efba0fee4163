"""diagnose/evidence/dns/forwarding_circles.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.forwarding_circles import forwarding_circles
from diagnose.evidence.network.sockets.udp_flows import UdpFlow, UdpFlows
from tests.inspected import container

HOLE = container("hole", NetworkSettings={"Networks": {"dns": {"IPAddress": "172.30.0.2"}}})
ROUTER, HOST, OTHER = "192.0.2.1", "192.0.2.10", "172.30.0.53"


def _flow(src: str, dst: str, reply: str = "", status: str = "") -> UdpFlow:
    return UdpFlow(src, dst, 4444, 53, reply or dst, status=status.split())


LED = _flow(ROUTER, HOST, "172.30.0.2")
CIRCLES = {
    "each asks the other": ([LED, _flow("172.30.0.2", ROUTER)], [(ROUTER, False)]),
    "its clients ask alone": ([LED], []),
    "it asks alone": ([_flow("172.30.0.2", ROUTER)], []),
    "it asks a third": ([LED, _flow("172.30.0.2", "192.0.2.53")], []),
    "it asks the host, which is itself": ([LED, _flow("172.30.0.2", HOST)], [(HOST, True)]),
    "a neighbour asks it by the host": (
        [LED, _flow("172.30.0.2", OTHER), _flow(OTHER, HOST)],
        [(OTHER, False)],
    ),
    "others ask each other": ([_flow(OTHER, ROUTER), _flow(ROUTER, OTHER)], []),
}


@pytest.mark.parametrize(("flows", "expected"), CIRCLES.values(), ids=CIRCLES)
def test_who_asks_whom(flows: list[UdpFlow], expected: list[tuple[str, bool]]) -> None:
    circles = forwarding_circles(Containers((HOLE,)), UdpFlows({53: tuple(flows)}))
    assert [(circle.other, circle.is_itself) for circle in circles] == expected


SILENT, ANSWERED = _flow("172.30.0.2", ROUTER), _flow("172.30.0.2", ROUTER, status="seen_reply")
ANSWERS = {
    "the router is silent": ([SILENT], True),
    "it answers for local names": ([ANSWERED], False),
    "it answers for local names alone": ([ANSWERED, SILENT], True),
}


@pytest.mark.parametrize(("asked", "is_silent"), ANSWERS.values(), ids=ANSWERS)
def test_a_router_that_answers_is_not_to_blame(asked: list[UdpFlow], is_silent: bool) -> None:
    circles = forwarding_circles(Containers((HOLE,)), UdpFlows({53: (LED, *asked)}))
    assert circles.of(HOLE) is not None
    assert (circles.silent_of(HOLE) is not None) == is_silent
