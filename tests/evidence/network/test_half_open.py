"""Clients that wait for an answer, from the kernel's table of connections."""

from __future__ import annotations

from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.published.return_paths import ReturnPath, ReturnPaths
from diagnose.evidence.network.sockets.half_open import HalfOpen, half_open
from diagnose.evidence.network.uplinks import Uplink
from diagnose.firewall.flow import Obstacle, Trace
from diagnose.firewall.verdict import Step
from diagnose.questions import Host
from tests.hosts import Made
from tests.inspected import container

LOST = Trace(
    "drop",
    obstacle=Obstacle(
        "elsewhere", Step("routing", "wg0", "leave through wg0"), "reply", "postrouting"
    ),
)


def flow(src: str, state: str) -> dict[str, object]:
    return {
        "src": src,
        "dst": "192.0.2.10",
        "sport": 40_000,
        "dport": 8080,
        "reply_src": "172.17.0.2",
        "state": state,
    }


def paths(trace: Trace) -> ReturnPaths:
    network = Network("a" * 64, "bridge", "bridge")
    return ReturnPaths(
        (ReturnPath(container(), network, Uplink("eth0", "192.0.2.10"), 8080, "80/tcp", trace),)
    )


def test_only_connections_without_a_confirmed_answer_count() -> None:
    entries = [flow("198.51.100.7", "syn_recv"), flow("192.0.2.1", "established")]
    made = Made({"conntrack": {"loaded": True, "complete": True, "entries": entries}})
    assert half_open(Host(made), paths(LOST)) == HalfOpen({8080: ("198.51.100.7",)})


def test_nothing_is_asked_where_all_answers_get_back() -> None:
    made = Made({})
    assert half_open(Host(made), paths(Trace("accept"))) == HalfOpen({})
    assert made.asked == []
