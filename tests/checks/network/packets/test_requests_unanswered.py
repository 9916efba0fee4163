"""The check in checks/network/packets/requests_unanswered.py, and which connections it looks at."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.network.sockets.full_queues import FullQueue, FullQueues
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.sockets.waiting_clients import (
    MOST_CONNECTIONS,
    WaitingAtPort,
    WaitingClients,
    waiting_clients,
)
from diagnose.questions.sockets import LossCounters, WaitingClient
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

NOW = 1_800_000_000.0
LISTENER = Socket("tcp", "0.0.0.0", 8080, 0, 128)
WEB = container("web", State={"Status": "running", "Pid": 7, "StartedAt": "2027-01-15T07:00:00Z"})
YOUNG = container("web", State={"Status": "running", "StartedAt": "2027-01-15T07:59:30Z"})


def client(seconds: float, *, unread: int = 0, accepted: bool = True, left: bool = False) -> Any:
    return WaitingClient(8080, "10.0.0.9", unread, accepted, left, seconds)


def queued(seconds: float) -> Any:
    return client(seconds, unread=80, accepted=False)


WAITING: dict[str, tuple[list[Any], int]] = {
    "nobody": ([], 0),
    "two in the queue": ([queued(15), queued(12)], 1),
    "one in the queue for a moment": ([queued(15)], 0),
    "one in the queue for long": ([queued(40)], 1),
    "clients that a busy program serves soon": ([queued(3), queued(2), queued(2)], 0),
    "accepted and not read": ([client(20, unread=80)] * 3, 1),
    "read, and given up by clients": ([client(20, left=True)] * 3, 1),
    "three, while others are served": (
        [msgspec.structs.replace(client(20, unread=80), port_sent=0.4)] * 3,
        0,
    ),
    "three, and nobody was served for long": (
        [msgspec.structs.replace(client(20, unread=80), port_sent=19.0)] * 3,
        1,
    ),
    "two that have given up": ([client(20, left=True)] * 2, 0),
    "long work": ([client(500)] * 9, 0),
    "connected in advance": ([client(500, accepted=False)] * 9, 0),
}


def netns_of(owner: Any) -> Namespaces:
    return Namespaces(
        {
            owner.id: ContainerNetns(
                owner, 1, links=(), addresses=(), routes=(), listeners=(LISTENER,)
            )
        }
    )


def judged(owner: Any, clients: list[Any], full: FullQueues | None = None) -> list[Any]:
    ports = (WaitingAtPort(owner, 8080, tuple(clients)),) if clients else ()
    result = judge(
        "network.requests-unanswered",
        namespaces=netns_of(owner),
        waiting_clients=WaitingClients(ports),
        full_queues=full or FullQueues(),
        clock=Clock(NOW, NOW - 9000),
    )
    return rows(result)


@pytest.mark.parametrize(("clients", "findings"), WAITING.values(), ids=WAITING)
def test_clients_that_wait(clients: list[Any], findings: int) -> None:
    assert judged(WEB, clients) == [("warning", "web")] * findings


def test_a_program_may_load_before_it_accepts() -> None:
    assert judged(YOUNG, [queued(20)] * 5) == []
    assert judged(YOUNG, [queued(20)] * 5 + [client(25)]) == [("warning", "web")]


def test_a_full_queue_is_the_finding_of_another_check() -> None:
    full = FullQueues((FullQueue(WEB, LISTENER),))
    assert judged(WEB, [queued(20)] * 5, full) == []


CONNECTIONS = {
    "nobody is connected": (1, 0, 0),
    "somebody is": (2, 1, 0),
    "too many are": (MOST_CONNECTIONS + 1, 0, 1),
}


@pytest.mark.parametrize(
    ("open_sockets", "ports", "left_out"), CONNECTIONS.values(), ids=CONNECTIONS
)
def test_which_namespaces_are_looked_at(open_sockets: int, ports: int, left_out: int) -> None:
    counters = {"7": LossCounters(connections=open_sockets)}
    host = Made(
        {
            "netns.losses": msgspec.to_builtins(counters),
            "netns.waiting-clients": msgspec.to_builtins([queued(20)]),
        }
    )
    seen = waiting_clients(host, netns_of(WEB), Containers([WEB]), None)
    assert (len(seen), len(seen.unexamined)) == (ports, left_out)


def test_who_has_no_connection_is_not_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a host with more busy networks than are looked at, the idle ones are known to be well."""
    monkeypatch.setattr("diagnose.evidence.network.sockets.waiting_clients.MOST", 1)
    owners = [
        container(name, State={"Status": "running", "Pid": pid})
        for pid, name in enumerate(("busy", "late", "quiet"), 1)
    ]
    open_sockets = {"1": 2, "2": 2, "3": 1}
    counters = {pid: LossCounters(connections=count) for pid, count in open_sockets.items()}
    by_id = {
        owner.id: ContainerNetns(
            owner, owner.state.pid, links=(), addresses=(), routes=(), listeners=(LISTENER,)
        )
        for owner in owners
    }
    host = Made({"netns.losses": msgspec.to_builtins(counters), "netns.waiting-clients": []})
    seen = waiting_clients(host, Namespaces(by_id), Containers(owners), None)
    assert [row.subject.name for row in seen.unexamined] == ["late"]


def host_with(*ports: int) -> Made:
    rows = [msgspec.structs.replace(queued(20), port=port) for port in ports]
    return Made(
        {
            "netns.losses": {"7": msgspec.to_builtins(LossCounters(connections=9))},
            "netns.waiting-clients": msgspec.to_builtins(rows),
        }
    )


def test_a_container_on_the_hosts_network_is_known_by_its_ports() -> None:
    home = container(
        "home", State={"Status": "running", "Pid": 7}, HostConfig={"NetworkMode": "host"}
    )
    listeners = Listeners(
        (Listener("tcp", "0.0.0.0", 8123, container=home.id), Listener("tcp", "0.0.0.0", 22))
    )
    seen = waiting_clients(host_with(22, 8123), Namespaces({}), Containers([home]), listeners)
    assert [(row.container.name, row.port) for row in seen] == [("home", 8123)]


def test_who_shares_a_network_may_be_the_one() -> None:
    client_of_vpn = container("torrent", State={"Status": "running", "Pid": 8})
    vpn = container(
        "vpn",
        State={"Status": "running", "Pid": 7},
        NetworkSettings={"Networks": {"home": {"IPAddress": "10.0.0.2"}}},
    )
    namespaces = Namespaces(
        {
            owner.id: ContainerNetns(
                owner, 1, links=(), addresses=(), routes=(), listeners=(LISTENER,)
            )
            for owner in (client_of_vpn, vpn)
        }
    )
    seen = waiting_clients(host_with(8080), namespaces, Containers([vpn, client_of_vpn]), None)
    ((container_, sharers),) = [(row.container.name, row.sharers) for row in seen]
    assert (container_, sharers) == ("vpn", ("torrent",))
