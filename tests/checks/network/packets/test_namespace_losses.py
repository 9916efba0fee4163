"""What a namespace loses: connections left open, datagrams, and which namespaces are watched."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.sockets.losses import NamespaceLoss, NetworkLosses, network_losses
from diagnose.questions.sockets import FullUdpSocket
from tests.checks.network.evidence import container
from tests.checks.network.lost_calls import APP, CLOCK
from tests.hosts import Made
from tests.judging import judge, rows


@pytest.mark.parametrize(("left", "wanted"), [(300, [("warning", "app")]), (299, [])])
def test_connections_left_open(left: int, wanted: list[tuple[str, str]]) -> None:
    losses = NetworkLosses((NamespaceLoss(APP, calls=(), datagrams=(), left_open=left),), counted=1)
    assert rows(judge("network.connections-left-open", network_losses=losses)) == wanted


def test_no_namespace_is_no_pass() -> None:
    result = judge("network.call-unanswered", unanswered_calls=UnansweredCalls())
    assert result.verdict.value == "skipped"


UDP = {
    "full": (FullUdpSocket("0.0.0.0", 514, 90, 20), [("warning", "app")]),
    "full for a moment": (FullUdpSocket("0.0.0.0", 514, 90, 1), []),
}


@pytest.mark.parametrize(("socket", "wanted"), UDP.values(), ids=UDP)
def test_a_full_udp_socket_loses_datagrams(
    socket: FullUdpSocket, wanted: list[tuple[str, str]]
) -> None:
    losses = NetworkLosses((NamespaceLoss(APP, (), (socket,)),), counted=1)
    assert rows(judge("network.datagrams-dropped", network_losses=losses)) == wanted


def _netns(name: str, pid: int, inode: int) -> ContainerNetns:
    member = container(name, State={"Pid": pid})
    return ContainerNetns(member, inode, links=(), addresses=(), routes=(), listeners=())


def test_only_namespaces_that_lose_something_are_watched() -> None:
    """Two containers share a namespace; a process that is gone is not counted."""
    members = [
        _netns("app", 7, 1),
        _netns("side", 8, 1),
        _netns("calm", 9, 2),
        _netns("gone", 5, 3),
        _netns("busy", 4, 4),
    ]
    seen = {"calls": [{"address": "192.0.2.200", "port": 5432, "repeats": 2}], "datagrams": []}
    host = Made(
        {
            "netns.losses": {"7": {"repeated_requests": 3}, "9": {}, "4": {"connections": 900}},
            "netns.watched": {"7": seen, "4": {"left_open": 500}},
        }
    )
    losses = network_losses(
        host, Namespaces({netns.container.id: netns for netns in members}), CLOCK
    )
    assert isinstance(losses, NetworkLosses)
    lost = {loss.container.name: (len(loss.calls), loss.left_open) for loss in losses.items}
    assert lost == {"app": (1, 0), "busy": (0, 500)}
    assert losses.counted == 3
    assert [list(question.pids) for question in host.asked] == [[4, 5, 7, 9], [4, 7]]
