"""The check in checks/network/ports/published_port_not_listening.py, and the logs that it reads."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose import registry
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.inspect import HostConfig
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.network.sockets.unserved_ports import UnservedPorts, unserved_ports
from diagnose.model import Result, Severity
from tests.checks.network.evidence import (
    ENDED,
    LATER,
    container,
    namespaces_of,
    subjects_and_severities,
)
from tests.hosts import Made
from tests.judging import judge


def judged(
    who: Container,
    namespaces: Namespaces,
    unserved: UnservedPorts,
    clock: Clock = LATER,
    others: tuple[Container, ...] = (),
    events: Events | None = None,
) -> Result:
    return judge(
        "network.published-port-not-listening",
        containers=Containers((who, *others)),
        namespaces=namespaces,
        clock=clock,
        unserved=unserved,
        events=events,
    )


WEB = container("web", NetworkSettings={"Ports": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}})


SPARE = container(
    "web",
    NetworkSettings={
        "Ports": {
            "80/tcp": [{"HostIp": "", "HostPort": "80"}],
            "443/tcp": [{"HostIp": "", "HostPort": "443"}],
        }
    },
)


DNS = container("web", NetworkSettings={"Ports": {"53/udp": [{"HostIp": "", "HostPort": "53"}]}})


SANDBOXED = msgspec.structs.replace(
    WEB, host_config=msgspec.convert({"Runtime": "runsc"}, HostConfig)
)


@pytest.mark.parametrize(
    ("who", "sockets", "clock", "expected"),
    [
        pytest.param(WEB, [], LATER, [("container:web", Severity.warning)], id="nobody listens"),
        pytest.param(
            WEB,
            [Socket("tcp", "::", 80, v6_only=True)],
            LATER,
            [("container:web", Severity.warning)],
            id="IPv6 alone",
        ),
        pytest.param(
            WEB,
            [Socket("tcp", "127.0.0.1", 80)],
            LATER,
            [("container:web", Severity.warning)],
            id="loopback only",
        ),
        pytest.param(
            WEB, [Socket("tcp", "127.0.0.1", 80), Socket("tcp", "::", 80)], LATER, [], id="served"
        ),
        pytest.param(
            SPARE,
            [Socket("tcp", "0.0.0.0", 80)],
            LATER,
            [("container:web", Severity.advice)],
            id="one of two",
        ),
        pytest.param(DNS, [], LATER, [], id="UDP is not judged"),
        pytest.param(SANDBOXED, [], LATER, [], id="sockets in a sandbox"),
        pytest.param(WEB, [], Clock(wall=1767225605.0, booted=0), [], id="still starting"),
    ],
)
def test_published_port_not_listening(
    who: Container, sockets: list[Socket], clock: Clock, expected: list[Any]
) -> None:
    findings = judged(who, namespaces_of(who, *sockets), UnservedPorts(), clock).findings
    assert subjects_and_severities(findings) == expected


NEEDED = "Unhandled exception. InvalidOperationException: environment variable SHOP_URL must be set"
TAKEN = "Error: listen EADDRINUSE: address already in use :::80"
LOGS = {
    "a variable that is missing": ([NEEDED], [], {"typed": "SHOP_URL"}, NEEDED),
    "a line that explains alone": (
        ["FATAL: the licence has ended"],
        [],
        {},
        "FATAL: the licence has ended",
    ),
    "a port that nobody has any more": ([TAKEN], [], {}, TAKEN),
    "a greeting": (["shop 1.4 starts", "ready"], [], {}, None),
    "served at one of its ports": ([NEEDED], [Socket("tcp", "0.0.0.0", 443)], {}, None),
}


@pytest.mark.parametrize(("lines", "sockets", "cure", "shown"), LOGS.values(), ids=LOGS)
def test_the_log_says_why_nothing_listens(
    lines: list[str], sockets: list[Socket], cure: dict[str, str], shown: str | None
) -> None:
    log = {"text": "".join(f"2026-01-01T00:30:00Z {line}\n" for line in lines)}
    namespaces = namespaces_of(SPARE, *sockets)
    host = Made({"api.logs": log})
    unserved = unserved_ports(host, Containers((SPARE,)), namespaces)
    for finding in judged(SPARE, namespaces, unserved).findings:
        assert finding.evidence.get("log") == shown
        assert {name: finding.variables.get(name) for name in cure} == cure
        assert ("nothing has it now" in finding.summary) is (shown == TAKEN)
        assert "taken in the program's own network" not in finding.summary


_NET = {"Networks": {"shop_default": {"IPAddress": "172.18.0.3", "IPPrefixLen": 16}}}
_DB = container(
    "db",
    NetworkSettings={"Networks": {"shop_default": {"IPAddress": "172.18.0.2", "IPPrefixLen": 16}}},
)
_APP = container(
    "web", NetworkSettings={"Ports": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}, **_NET}
)
_REFUSED = "Error: connect ECONNREFUSED 172.18.0.2:5432"
_CRASHED = "[nodemon] app crashed - waiting for file changes before starting..."
_SERVES = [Socket("tcp", "0.0.0.0", 5432)]
TOO_EARLY = {
    "nodemon": (
        [_REFUSED, "  code: 'ECONNREFUSED',", _CRASHED],
        _SERVES,
        "nodemon waits",
        {"again": "web"},
    ),
    "a script": ([_REFUSED], _SERVES, 'container "db" too early', {"again": "web"}),
    "a peer that does not listen": ([_REFUSED, _CRASHED], [], "refuses the connection", {}),
    "the reloader of Django": (
        ["Exception in thread django-main-thread:", "ValueError: SHOP_URL is not set"],
        _SERVES,
        "the reloader of Django waits",
        {},
    ),
    "the reloader of uvicorn": (
        ["Process SpawnProcess-1:", "ModuleNotFoundError: No module named 'shop'"],
        _SERVES,
        "the reloader of uvicorn waits",
        {},
    ),
    "a lock that it waits for": (
        ["INFO liquibase.lockservice: Waiting for changelog lock...."],
        _SERVES,
        "it waits for the lock of its migrations",
        {},
    ),
    "a lock that it has got": (
        [
            "INFO lockservice: Waiting for changelog lock....",
            "INFO Successfully acquired change log lock",
        ],
        _SERVES,
        "no client can reach it",
        {},
    ),
}


@pytest.mark.parametrize(("lines", "sockets", "said", "cure"), TOO_EARLY.values(), ids=TOO_EARLY)
def test_a_program_that_ended_before_its_peer_was_ready(
    lines: list[str], sockets: list[Socket], said: str, cure: dict[str, str]
) -> None:
    both = Containers((_APP, _DB))
    log = {"text": "".join(f"2026-01-01T00:30:00Z {line}\n" for line in lines)}
    seen = [
        ContainerNetns(_APP, 1, links=(), addresses=(), routes=(), listeners=()),
        ContainerNetns(_DB, 2, links=(), addresses=(), routes=(), listeners=(*sockets,)),
    ]
    namespaces = Namespaces({netns.container.id: netns for netns in seen})
    unserved = unserved_ports(Made({"api.logs": log}), both, namespaces)
    (finding,) = judged(_APP, namespaces, unserved, others=(_DB,)).findings
    assert said in finding.summary
    assert {
        name: finding.variables[name] for name in ("again",) if name in finding.variables
    } == cure


def test_a_program_that_waits_for_a_container_which_is_stopped() -> None:
    ended = {"Status": "exited", "Running": False, "ExitCode": 137}
    stopped = container("db", State=ended, NetworkSettings={"Networks": {"shop_default": {}}})
    waits = "waiting for db:5432: connection refused"
    log = {"text": f"2026-01-01T00:30:00Z {waits}\n"}
    netns = ContainerNetns(_APP, 1, links=(), addresses=(), routes=(), listeners=())
    namespaces = Namespaces({_APP.id: netns})
    unserved = unserved_ports(Made({"api.logs": log}), Containers((_APP, stopped)), namespaces)
    (finding,) = judged(_APP, namespaces, unserved, others=(stopped,)).findings
    assert 'it waits for container "db", which is not running' in finding.summary
    assert finding.calls == (stopped.subject,)
    assert finding.variables["awaited"] == "db"


@pytest.mark.parametrize(
    ("lines", "watcher"),
    [
        (["[nodemon] starting `node app.js`", _REFUSED, _CRASHED], "nodemon"),
        ([_REFUSED, _CRASHED, "[nodemon] starting `node app.js`"], ""),
        (["Process SpawnProcess-1:", "WARNING:  StatReload detected changes in 'main.py'."], ""),
    ],
)
def test_a_program_that_was_started_again_has_not_ended(lines: list[str], watcher: str) -> None:
    unserved = UnservedPorts({_APP.id: LogTail((*lines,))})
    assert unserved.watcher_of(_APP) == watcher


def test_a_program_that_listens_elsewhere_has_got_its_answer():
    """It called once more, and listens on another port than the one that is published."""
    both = Containers((_APP, _DB))
    log = {"text": f"2026-01-01T00:30:00Z {_REFUSED}\n2026-01-01T00:30:09Z listening on 3000\n"}
    seen = [
        ContainerNetns(
            _APP, 1, links=(), addresses=(), routes=(), listeners=(Socket("tcp", "0.0.0.0", 3000),)
        ),
        ContainerNetns(_DB, 2, links=(), addresses=(), routes=(), listeners=(*_SERVES,)),
    ]
    namespaces = Namespaces({netns.container.id: netns for netns in seen})
    unserved = unserved_ports(Made({"api.logs": log}), both, namespaces)
    (finding,) = judged(_APP, namespaces, unserved, others=(_DB,)).findings
    assert "again" not in finding.variables
    assert "too early" not in finding.summary


def test_a_routed_network_takes_no_port_of_the_host():
    routed = container(
        "web", NetworkSettings={"Ports": {"53/udp": [{"HostIp": "", "HostPort": ""}]}}
    )
    namespaces = namespaces_of(routed, Socket("tcp", "0.0.0.0", 53))
    (finding,) = judged(routed, namespaces, UnservedPorts()).findings
    assert finding.discriminator == "53/udp"


def test_a_port_that_is_served_for_udp_is_published_for_udp():
    namespaces = namespaces_of(WEB, Socket("udp", "0.0.0.0", 80))
    (finding,) = judged(WEB, namespaces, UnservedPorts()).findings
    assert finding.variables["publish"] == "8080:80/udp"
    assert finding.evidence["UDP socket inside"] == "port 80"
    inner = namespaces_of(WEB, Socket("udp", "127.0.0.1", 80))
    (finding,) = judged(WEB, inner, UnservedPorts()).findings
    assert "publish" not in finding.variables


def test_a_port_of_the_host_that_leads_past_the_only_server():
    """80:8000, where the program listens at 80: the other published port is advice."""
    places = {"8000/tcp": "80", "443/tcp": "443"}
    ports = {port: [{"HostIp": "", "HostPort": number}] for port, number in places.items()}
    edge = container("web", NetworkSettings={"Ports": ports})
    namespaces = namespaces_of(edge, Socket("tcp", "0.0.0.0", 80))
    found = {
        finding.discriminator: finding
        for finding in judged(edge, namespaces, UnservedPorts()).findings
    }
    assert found["8000"].variables["corrected"] == "80:80"
    assert found["8000"].variables["kept"] == "443:443/tcp"
    assert (found["8000"].severity, found["443"].severity) == (Severity.warning, Severity.advice)
    assert "corrected" not in found["443"].variables


RANGE = {f"{port}/tcp": [{"HostIp": "", "HostPort": str(port)}] for port in range(21100, 21105)}
FTP = container(
    "web", NetworkSettings={"Ports": {"21/tcp": [{"HostIp": "", "HostPort": "21"}], **RANGE}}
)


def test_a_range_of_ports_is_for_what_comes():
    assert judged(FTP, namespaces_of(FTP, Socket("tcp", "::", 21)), UnservedPorts()).findings == ()
    assert len(judged(FTP, namespaces_of(FTP), UnservedPorts()).findings) == 6


def sharer(state: dict[str, Any], **fields: Any) -> Container:
    """A container that shares the network of `web`."""
    mode = {"HostConfig": {"NetworkMode": f"container:{WEB.id}"}}
    return container("exporter", State=state, **mode, **fields)


SHARERS: dict[str, tuple[Container, bool]] = {
    "restarts over and over": (sharer({"Status": "restarting", "Pid": 0}), True),
    "runs for a moment, as so often": (
        sharer({"StartedAt": "2026-01-01T00:59:55Z"}, RestartCount=7), True,
    ),
    "has ended": (sharer(ENDED), True),
    "runs": (sharer({}), False),
    "has a network of its own": (container("exporter", State=ENDED), False),
}  # fmt: skip


@pytest.mark.parametrize(("other", "is_named"), SHARERS.values(), ids=SHARERS)
def test_the_port_may_be_that_of_a_container_that_shares_the_network(
    other: Container, is_named: bool
) -> None:
    namespaces = namespaces_of(WEB, Socket("tcp", "0.0.0.0", 6379))
    (finding,) = judged(WEB, namespaces, UnservedPorts(), others=(other,)).findings
    assert finding.variables.get("sharer") == ("exporter" if is_named else None)
    assert ("publish" in finding.variables) != is_named
    assert finding.calls == ((other.subject,) if is_named else ())


def test_a_port_of_a_container_that_asks_for_the_former_one_is_left_as_it_is() -> None:
    """The VPN client was recreated, and the client beside it cannot start: its port is right."""
    former = "f" * 64
    mode = {"NetworkMode": f"container:{former}"}
    torrent = container("torrent", State=ENDED, HostConfig=mode)
    removal = Event(1.0, "container", "destroy", "", former, {"name": "web"})
    (finding,) = judged(
        WEB,
        namespaces_of(WEB, Socket("tcp", "0.0.0.0", 8000)),
        UnservedPorts(),
        others=(torrent,),
        events=Events((removal,)),
    ).findings
    assert not {"publish", "sharer"} & finding.variables.keys()
    assert finding.calls == (torrent.subject,)
    assert 'container "torrent" shared its network until it was recreated' in finding.summary


def test_a_program_that_prints_no_error_may_wait_for_its_share_of_cpu() -> None:
    (finding,) = judged(WEB, namespaces_of(WEB), UnservedPorts()).findings
    assert finding.signs is None
    assert (
        "resources.cpu-throttled"
        in registry.load()["network.published-port-not-listening"].caused_by
    )
