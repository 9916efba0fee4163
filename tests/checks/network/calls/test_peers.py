"""What the checks say of addresses of containers that programs call without an answer."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.addresses.loopback_words import with_name, with_names_for_list
from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.inspect import (
    Binding,
    ContainerConfig,
    EndpointIpamConfig,
    Health,
    HostConfig,
    Mount,
    NetworkEndpoint,
    NetworkSettings,
    State,
)
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.calls.configured_places import configured_places
from diagnose.evidence.network.calls.failing_calls import FailingCall, FailingCalls, where_named
from diagnose.evidence.network.calls.fixed_lookups import FixedLookups, fixed_lookups, looks_up_once
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.networks import Network
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Result
from diagnose.nginx_text import read
from diagnose.questions.sockets import Socket
from tests.hosts import Made
from tests.inspected import container as inspected
from tests.judging import judge, rows

SHOP = Network("a" * 64, "shop", "bridge")
NOW = 1_764_000_000.0
LONG_AGO = "2025-11-24T14:00:00Z"
"""More than an hour before `NOW`."""


def container(name: str, address: str = "", network: str = "shop", extra: str = "") -> Container:
    return Container(
        name[0] * 64,
        f"/{name}",
        state=State(status="running", pid=7, started_at=LONG_AGO),
        host_config=HostConfig(extra_hosts=[extra] if extra else None),
        network_settings=NetworkSettings({network: NetworkEndpoint(ip_address=address)}),
    )


def inside(owner: Container, *ports: int) -> ContainerNetns:
    sockets = tuple(Socket("tcp", "0.0.0.0", port) for port in ports)
    return ContainerNetns(owner, 1, links=(), addresses=(), routes=(), listeners=sockets)


EDGE = container("edge", "10.1.0.2")
API = container("api", "10.1.0.3")
WORKER = container("worker", "10.1.0.4")
BETWEEN_RUNS = replace(container("lost"), state=State(status="restarting"))
FAR = container("far", "10.2.0.9", "back")
CALL = FailingCall(EDGE, SHOP, "10.1.0.4", 80, "refused", NOW, 5, refused=True)
UNSERVED = replace(CALL, port=9)

STALE: dict[str, tuple[FailingCall, list[Container], list[tuple[str, str]]]] = {
    "nobody has the address": (CALL, [EDGE, API], [("critical", "edge")]),
    "another one has it": (CALL, [EDGE, API, WORKER], [("critical", "edge")]),
    "another one has it, and is slow": (replace(CALL, refused=False), [EDGE, API, WORKER], []),
    "its owner is between two runs": (UNSERVED, [EDGE, API, BETWEEN_RUNS], []),
    "another one is, of another network": (
        UNSERVED,
        [EDGE, API, replace(FAR, state=State(status="restarting"))],
        [("critical", "edge")],
    ),
    "it serves another port": (UNSERVED, [EDGE, API, WORKER], []),
    "once": (replace(CALL, times=1), [EDGE, API], []),
    "before the peer came back": (replace(CALL, at=0.0), [EDGE, API], []),
}


@pytest.mark.parametrize("name", STALE)
def test_stale_addresses(name: str) -> None:
    call, running, wanted = STALE[name]
    result = judge(
        "network.peer-address-stale",
        failing_calls=FailingCalls((call,)),
        containers=Containers(tuple(running)),
        namespaces=Namespaces({API.id: inside(API, 80), WORKER.id: inside(WORKER)}),
    )
    assert rows(result) == wanted


@pytest.mark.parametrize("status", ["exited", "running"])
def test_a_stopped_container_with_that_fixed_address_is_named(status: str) -> None:
    fixed = NetworkEndpoint(ipam_config=EndpointIpamConfig(CALL.address))
    stopped = replace(
        container("db"),
        state=State(status=status, pid=0 if status == "exited" else 8),
        network_settings=NetworkSettings({"shop": fixed}),
    )
    result = judge(
        "network.peer-address-stale",
        failing_calls=FailingCalls((CALL,)),
        containers=Containers((EDGE, stopped)),
    )
    (finding,) = result.findings
    is_named = finding.variables.get("stopped") == "db"
    assert is_named is (status == "exited")
    assert ("is not running" in finding.summary) is is_named


CONF = "upstream shop { server 10.1.0.4:80; } # 10.9.9.9:1\n"
GENERATED: dict[str, tuple[str, str, str]] = {
    "its writer is stopped": ("exited", CONF, "writer"),
    "its writer runs": ("running", CONF, "peer"),
    "another address": ("exited", CONF.replace("0.4", "0.40"), "keeper"),
    "in a comment": ("exited", f"# {CONF}", "keeper"),
}


@pytest.mark.parametrize(("status", "text", "cure"), GENERATED.values(), ids=GENERATED)
def test_addresses_in_generated_files(status: str, text: str, cure: str) -> None:
    mounted = Mount(type="volume", source="/v/conf", destination="/etc/nginx/conf.d", rw=True)
    edge = replace(EDGE, raw_mounts=(replace(mounted, rw=False),))
    generator = replace(container("gen"), raw_mounts=(mounted,), state=State(status=status, pid=8))
    running = Containers((edge, API, generator))
    calls = FailingCalls((replace(CALL, container=edge),))
    host = Made(
        {
            "file.list": {"entries": [{"name": "default.conf", "type": "file"}]},
            "file.read": {"text": only("addresses", text), "size": 200},
        }
    )
    result = judge(
        "network.peer-address-stale",
        failing_calls=calls,
        containers=running,
        namespaces=Namespaces({API.id: inside(API, 80)}),
        configured_places=configured_places(host, running, calls),
    )
    assert rows(result) == [("critical", "edge")]
    assert all(cure in (finding.variables or {}) for finding in result.findings)


EARLIER = "2025-11-24T13:00:00Z"
"""Before all others were started."""


def earlier(owner: Container) -> Container:
    return replace(owner, state=replace(owner.state, started_at=EARLIER))


STALE_ALONE = ([("critical", "edge")], [])
NOT_LISTENING_ALONE = ([], [("warning", "edge")])

OWNERS: dict[str, tuple[FailingCall, list[Container], tuple[list[Any], list[Any]]]] = {
    "the address may be older than its owner": (CALL, [EDGE, API, WORKER], STALE_ALONE),
    "its owner had it before": (CALL, [EDGE, API, earlier(WORKER)], NOT_LISTENING_ALONE),
    "its server had its own before": (CALL, [EDGE, earlier(API), WORKER], NOT_LISTENING_ALONE),
    "the address is configured": (
        replace(
            CALL, container=replace(EDGE, config=ContainerConfig(env=["UPSTREAM=10.1.0.4:80"]))
        ),
        [EDGE, API, earlier(WORKER)],
        STALE_ALONE,
    ),
    "the name of its owner is called": (
        replace(CALL, by_name=True),
        [EDGE, API, WORKER],
        NOT_LISTENING_ALONE,
    ),
    "nobody else serves the port": (CALL, [EDGE, WORKER], NOT_LISTENING_ALONE),
}


@pytest.mark.parametrize(("call", "running", "expected"), OWNERS.values(), ids=OWNERS)
def test_a_refused_call_is_stale_or_unserved_and_never_both(
    call: FailingCall, running: list[Container], expected: tuple[list[Any], list[Any]]
) -> None:
    known = {API.id: inside(API, 80), WORKER.id: inside(WORKER)}
    found = tuple(
        rows(
            judge(
                id,
                failing_calls=FailingCalls((call,)),
                containers=Containers(tuple(running)),
                namespaces=Namespaces(
                    {peer.id: known[peer.id] for peer in running if peer.id in known}
                ),
                clock=Clock(wall=NOW, booted=NOW - 9e5),
            )
        )
        for id in ("network.peer-address-stale", "network.peer-not-listening")
    )
    assert found == expected


RAFT = "raft: Failed to make RequestVote RPC to 10.1.0.4:8300: no route to host"
VOTE = replace(CALL, line=RAFT, port=8300, refused=False)
NODE = replace(EDGE, config=replace(EDGE.config, exposed_ports={"8300/tcp": {}}))


@pytest.mark.parametrize(
    ("call", "netns", "variables"),
    [
        (replace(VOTE, container=NODE), inside(NODE), {"itself": "edge"}),
        (VOTE, inside(EDGE, 8300), {"itself": "edge"}),
        (VOTE, inside(EDGE, 80), {"keeper": "edge"}),
        (replace(VOTE, line="no route to host"), inside(EDGE, 8300), {"keeper": "edge"}),
    ],
    ids=["it exposes the port", "it serves the port", "it does not", "no cluster"],
)
def test_a_node_that_waits_for_itself(
    call: FailingCall, netns: ContainerNetns, variables: dict[str, str]
) -> None:
    (finding,) = judge(
        "network.peer-address-stale",
        failing_calls=FailingCalls((call,)),
        containers=Containers((call.container, API)),
        namespaces=Namespaces({netns.container.id: netns}),
    ).findings
    assert finding.variables == {"container": "edge", **variables}


def test_a_container_holds_its_ipv6_address_too() -> None:
    both = NetworkEndpoint(ip_address="10.1.0.3", global_ipv6_address="fd00:1::3")
    server = replace(API, network_settings=NetworkSettings({"shop": both}))
    for address, wanted in (("fd00:1::3", []), ("fd00:1::9", [("critical", "edge")])):
        result = judge(
            "network.peer-address-stale",
            failing_calls=FailingCalls((replace(CALL, address=address),)),
            containers=Containers((EDGE, server)),
            namespaces=Namespaces({server.id: inside(server, 80)}),
        )
        assert rows(result) == wanted


def test_a_configured_address_is_no_matter_of_a_restart() -> None:
    caller = container("edge", "10.1.0.2", extra="api:10.1.0.4")
    result = judge(
        "network.peer-address-stale",
        failing_calls=FailingCalls((replace(CALL, container=caller),)),
        containers=Containers((caller, API)),
        namespaces=Namespaces({API.id: inside(API, 80)}),
    )
    assert set(result.findings[0].variables) == {
        *("container", "peer", "network", "address", "alias")
    }


BY_NAME: dict[str, tuple[ContainerConfig, dict[str, str]]] = {
    "in the command": (
        ContainerConfig(cmd=["proxy", "--upstream=http://10.1.0.4:80/"]),
        {"command": "proxy --upstream=http://api:80/"},
    ),
    "in a variable": (
        ContainerConfig(env=["UPSTREAM=10.1.0.4:80"]),
        {"assignment": "UPSTREAM=api:80"},
    ),
    "in two places": (ContainerConfig(cmd=["proxy", "10.1.0.4"], env=["UPSTREAM=10.1.0.4"]), {}),
    "in a longer address": (ContainerConfig(cmd=["proxy", "110.1.0.4"]), {}),
}


@pytest.mark.parametrize(("config", "expected"), BY_NAME.values(), ids=BY_NAME)
def test_a_name_in_the_place_of_the_address(
    config: ContainerConfig, expected: dict[str, str]
) -> None:
    caller = replace(container("edge", "10.1.0.2"), config=config)
    assert with_name(caller, "10.1.0.4", "api") == expected


APART: dict[str, tuple[FailingCall, list[tuple[str, str]]]] = {
    "on another network": (
        replace(
            CALL, network=Network("b" * 64, "back", "bridge"), address="10.2.0.9", refused=False
        ),
        [("critical", "edge")],
    ),
    "on its own network": (replace(CALL, refused=False), []),
    "answered": (replace(CALL, network=Network("b" * 64, "back", "bridge")), []),
}


@pytest.mark.parametrize("name", APART)
def test_addresses_on_other_networks(name: str) -> None:
    call, wanted = APART[name]
    result = judge(
        "network.peer-on-other-network",
        failing_calls=FailingCalls((call,)),
        containers=Containers((EDGE, API, FAR)),
    )
    assert rows(result) == wanted


def test_a_guest_is_on_the_networks_of_its_host() -> None:
    """A program that uses the network of a VPN client."""
    guest = inspected("guest", HostConfig={"NetworkMode": f"container:{EDGE.id}"})
    away = Network("b" * 64, "back", "bridge")
    call = replace(CALL, container=guest, network=away, address="10.2.0.9", refused=False)

    def judged(network: Network) -> Result:
        return judge(
            "network.peer-on-other-network",
            failing_calls=FailingCalls((replace(call, network=network),)),
            containers=Containers((EDGE, API, FAR, guest)),
        )

    assert not judged(CALL.network).findings
    (finding,) = judged(away).findings
    assert finding.variables["container"] == "edge"


def inward(owner: Container, port: int) -> ContainerNetns:
    return ContainerNetns(
        owner, 1, links=(), addresses=(), routes=(), listeners=(Socket("tcp", "127.0.0.1", port),)
    )


YOUNG = replace(WORKER, state=replace(WORKER.state, started_at="2025-11-24T16:00:00Z"))
"""Started at `NOW`."""

RECENT = replace(WORKER, state=replace(WORKER.state, started_at="2025-11-24T15:59:30Z"))
"""Started half a minute before `NOW`."""
DECLARES = replace(RECENT, config=ContainerConfig(exposed_ports={"80/tcp": {}}))
"""The same, of an image that declares port 80."""
STARTING = replace(RECENT, state=replace(RECENT.state, health=Health(status="starting")))
"""The same, with a health check that has not yet succeeded."""

ON_HOST = replace(
    YOUNG,
    network_settings=replace(
        YOUNG.network_settings, ports={"81/tcp": [Binding(host_ip="", host_port="80")]}
    ),
)
"""Its port 81 is port 80 on the host."""

DUAL = replace(
    WORKER,
    network_settings=replace(
        WORKER.network_settings,
        networks={"shop": replace(WORKER.endpoints["shop"], global_ipv6_address="fd00:1::4")},
    ),
)
CALL6 = replace(CALL, address="fd00:1::4")
V6_ONLY = ContainerNetns(
    WORKER, 1, links=(), addresses=(), routes=(), listeners=(Socket("tcp", "::", 80, v6_only=True),)
)


def at(owner: Container, *addresses: str) -> ContainerNetns:
    sockets = tuple(Socket("tcp", address, 80) for address in addresses)
    return ContainerNetns(owner, 1, links=(), addresses=(), routes=(), listeners=sockets)


ENGINE = replace(YOUNG, config=replace(YOUNG.config, env=["DOCKER_TLS_CERTDIR=/certs"]))
PLAIN_ENGINE = replace(YOUNG, config=replace(YOUNG.config, env=["DOCKER_TLS_CERTDIR="]))
JOB_CALL = replace(CALL, port=2375)

UNSERVED: dict[str, tuple[FailingCall, Container, ContainerNetns, list[tuple[str, str]]]] = {
    "listens for itself": (CALL, WORKER, inward(WORKER, 80), [("critical", "edge")]),
    "listens for itself since a moment": (CALL, YOUNG, inward(YOUNG, 80), [("critical", "edge")]),
    "listens elsewhere": (CALL, WORKER, inside(WORKER, 81), [("warning", "edge")]),
    "the port on the host": (CALL, ON_HOST, inside(ON_HOST, 81, 82), [("critical", "edge")]),
    "the port on the host, unserved": (CALL, ON_HOST, inside(ON_HOST, 82), []),
    "serves another port so soon": (CALL, RECENT, inside(RECENT, 81), [("warning", "edge")]),
    "refused before its last start": (
        replace(CALL, moments=(NOW - 80, NOW - 60)),
        RECENT,
        inside(RECENT, 81),
        [],
    ),
    "refused once since its last start": (
        replace(CALL, moments=(NOW - 80, NOW - 2)),
        RECENT,
        inside(RECENT, 81),
        [],
    ),
    "refused again since its last start": (
        replace(CALL, moments=(NOW - 80, NOW - 3, NOW - 2)),
        RECENT,
        inside(RECENT, 81),
        [("warning", "edge")],
    ),
    "a declared port may yet follow": (CALL, DECLARES, inside(DECLARES, 81), []),
    "its health check waits for it": (CALL, STARTING, inside(STARTING, 81), []),
    "serves nothing so soon": (CALL, RECENT, inside(RECENT), []),
    "is yet to listen": (CALL, YOUNG, inside(YOUNG), []),
    "listens": (CALL, WORKER, inside(WORKER, 80), []),
    "was slow": (replace(CALL, refused=False), WORKER, inside(WORKER), []),
    "once": (replace(CALL, times=1), WORKER, inside(WORKER), []),
    "some minutes ago": (replace(CALL, at=NOW - 200), WORKER, inside(WORKER), []),
    "IPv4 alone, called over IPv6": (CALL6, DUAL, at(DUAL, "0.0.0.0"), [("warning", "edge")]),
    "IPv6 alone, called over IPv4": (CALL, WORKER, V6_ONLY, [("critical", "edge")]),
    "IPv6 alone, called over IPv6": (CALL6, DUAL, V6_ONLY, []),
    "both, called over IPv6": (CALL6, DUAL, at(DUAL, "::"), []),
    "one socket each, called over IPv6": (CALL6, DUAL, at(DUAL, "0.0.0.0", "::"), []),
    "an engine with TLS": (JOB_CALL, ENGINE, inside(ENGINE, 2376), [("critical", "edge")]),
    "an engine with both": (JOB_CALL, ENGINE, inside(ENGINE, 2375, 2376), []),
    "an engine that is yet to listen": (JOB_CALL, ENGINE, inside(ENGINE), []),
    "no certificates": (JOB_CALL, PLAIN_ENGINE, inside(PLAIN_ENGINE, 2376), []),
    "an engine at another port": (CALL, ENGINE, inside(ENGINE, 2376), []),
    "another address": (replace(CALL, address="10.1.0.9"), WORKER, inside(WORKER), []),
}


@pytest.mark.parametrize("name", UNSERVED)
def test_ports_of_peers_that_nobody_serves(name: str) -> None:
    call, peer, netns, wanted = UNSERVED[name]
    result = judge(
        "network.peer-not-listening",
        failing_calls=FailingCalls((call,)),
        containers=Containers((EDGE, peer)),
        namespaces=Namespaces({peer.id: netns}),
        clock=Clock(wall=NOW, booted=NOW - 9e5),
    )
    assert rows(result) == wanted


LOOPS = replace(EDGE, restart_count=4)
"""A caller that the engine starts again each time it ends."""


@pytest.mark.parametrize(
    ("caller", "wanted"),
    [
        (EDGE, ["edge", "worker"]),
        (LOOPS, ["worker"]),
        (replace(EDGE, state=State(status="restarting")), ["worker"]),
    ],
)
def test_the_next_run_of_a_caller_does_not_take_the_finding_back(
    caller: Container, wanted: list[str]
) -> None:
    result = judge(
        "network.peer-not-listening",
        failing_calls=FailingCalls((replace(CALL, container=caller),)),
        containers=Containers((caller, WORKER)),
        namespaces=Namespaces({WORKER.id: inward(WORKER, 80)}),
        clock=Clock(wall=NOW, booted=NOW - 9e5),
    )
    names = {EDGE.id: "edge", WORKER.id: "worker"}
    assert [names[run.id] for run in result.findings[0].recheck] == wanted


@pytest.mark.parametrize(
    ("edge", "worker", "served", "expected"),
    [
        ([], ["VIRTUAL_PORT=80"], (81,), {"mistaken": "worker", "corrected": "VIRTUAL_PORT=81"}),
        (
            ["API=http://worker:80/v1"],
            [],
            (81,),
            {"calling": "edge", "corrected_call": "API=http://worker:81/v1"},
        ),
        (
            ["API=http://worker/v1"],
            [],
            (81,),
            {"calling": "edge", "corrected_call": "API=http://worker:81/v1"},
        ),
        (["API=http://worker-two/v1", "B=https://worker/"], [], (81,), {}),
        (["PORT=80"], ["VIRTUAL_PORT=80"], (81,), {}),
        ([], ["VIRTUAL_PORT=80"], (81, 82), {}),
        ([], ["LIMIT=8080", "RATE=1.80"], (81,), {}),
    ],
    ids=[
        "the peer's",
        "the caller's",
        "a URL without a port",
        "other hosts and schemes",
        "both",
        "two are served",
        "other numbers",
    ],
)
def test_the_variable_that_names_a_port_which_is_not_served(
    edge: list[str], worker: list[str], served: tuple[int, ...], expected: dict[str, str]
):
    caller = replace(EDGE, config=replace(EDGE.config, env=edge))
    peer = replace(WORKER, config=replace(WORKER.config, env=worker))
    result = judge(
        "network.peer-not-listening",
        failing_calls=FailingCalls((replace(CALL, container=caller),)),
        containers=Containers((caller, peer)),
        namespaces=Namespaces({peer.id: inside(peer, *served)}),
        clock=Clock(wall=NOW, booted=NOW - 9e5),
    )
    (finding,) = result.findings
    cure = {name: finding.variables[name] for name in expected}
    assert cure == expected
    steps = {"mistaken", "calling"} & set(finding.variables)
    assert bool(steps) == bool(expected)


PUBLISHED_ENGINE = replace(
    ENGINE,
    network_settings=replace(
        ENGINE.network_settings, ports={"2375/tcp": [Binding(host_ip="", host_port="2375")]}
    ),
)
"""Without TLS, whoever reaches the host would command it."""


@pytest.mark.parametrize(
    ("engine", "cure"),
    [
        (ENGINE, {"inner_engine": ENGINE.name, "without_tls": "DOCKER_TLS_CERTDIR="}),
        (PUBLISHED_ENGINE, {}),
    ],
    ids=["for its networks", "published"],
)
def test_an_engine_with_tls_is_told_to_go_without(engine: Container, cure: dict[str, str]) -> None:
    result = judge(
        "network.peer-not-listening",
        failing_calls=FailingCalls((JOB_CALL,)),
        containers=Containers((EDGE, engine)),
        namespaces=Namespaces({engine.id: inside(engine, 2376)}),
        clock=Clock(wall=NOW, booted=NOW - 9e5),
    )
    (finding,) = result.findings
    steps = ("inner_engine", "without_tls")
    assert {name: finding.variables[name] for name in steps if name in finding.variables} == cure


NAMED = {
    "a variable": ({"Config": {"Env": ["DB=10.0.0.1:5432"]}}, "environment variable DB"),
    "behind a longer one": (
        {"Config": {"Env": ["ALL=10.0.0.12,10.0.0.1"]}},
        "environment variable ALL",
    ),
    "a longer one": ({"Config": {"Env": ["DB=10.0.0.12"]}}, ""),
    "the command": ({"Path": "app", "Args": ["--db=10.0.0.1"]}, "its command"),
    "extra_hosts": ({"HostConfig": {"ExtraHosts": ["db:10.0.0.1"]}}, 'extra_hosts (name "db")'),
}


@pytest.mark.parametrize(("parts", "place"), NAMED.values(), ids=NAMED)
def test_where_an_address_is_named(parts: dict[str, Any], place: str) -> None:
    assert where_named("10.0.0.1", inspected(**parts)) == place


MEMBER = replace(
    API,
    config=ContainerConfig(
        cmd=["mongod", "--replSet", "rs0"], labels={"com.docker.compose.service": "mongo"}
    ),
)
ALONE = replace(API, config=ContainerConfig(cmd=["mongod"]))


@pytest.mark.parametrize(("server", "cure"), [(MEMBER, "member"), (ALONE, "keeper")])
def test_a_replica_set_keeps_the_address_and_not_the_caller(server: Container, cure: str) -> None:
    (finding,) = judge(
        "network.peer-address-stale",
        failing_calls=FailingCalls((replace(CALL, port=27017),)),
        containers=Containers((EDGE, server)),
        namespaces=Namespaces({server.id: inside(server, 27017)}),
    ).findings
    assert cure in finding.variables
    if cure == "member":
        assert 'if (m.host === "10.1.0.4:27017") m.host = "mongo:27017"' in str(
            finding.variables["script"]
        )


PROBED = (
    'prober detected unhealthy status ... "remote-peer-id":"a826" dial tcp 10.1.0.4:2380: no route'
)
KEEPERS = {
    "etcd": (replace(CALL, line=PROBED), "etcd"),
    "sentinel": (
        replace(CALL, container=replace(EDGE, config=ContainerConfig(cmd=["redis-sentinel", "/s.conf"]))),
        "sentinel",
    ),
    "a client of both": (CALL, "keeper"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "cure"), KEEPERS.values(), ids=KEEPERS)
def test_a_node_that_keeps_the_list_of_its_members(call: FailingCall, cure: str) -> None:
    (finding,) = judge(
        "network.peer-address-stale",
        failing_calls=FailingCalls((call,)),
        containers=Containers((call.container, API)),
        namespaces=Namespaces({API.id: inside(API, call.port)}),
    ).findings
    assert cure in finding.variables


LISTS: dict[str, tuple[list[str], list[str], dict[str, str]]] = {
    "as many names": (
        ["--cluster=gcomm://10.1.0.4,10.1.0.9"],
        ["n1", "n2"],
        {"command": "--cluster=gcomm://n1,n2"},
    ),
    "too few names": (["--cluster=gcomm://10.1.0.4,10.1.0.9"], ["n1"], {}),
    "another list": (["--allow=10.1.0.7,10.1.0.9"], ["n1", "n2"], {}),
    "two lists": (["a=10.1.0.4,10.1.0.9", "b=10.1.0.4,10.1.0.9"], ["n1", "n2"], {}),
}


@pytest.mark.parametrize(("words", "names", "expected"), LISTS.values(), ids=LISTS)
def test_names_for_a_list_of_former_addresses(
    words: list[str], names: list[str], expected: dict[str, str]
) -> None:
    caller = replace(container("edge", "10.1.0.2"), config=ContainerConfig(cmd=words))
    assert with_names_for_list(caller, "10.1.0.4", names) == expected


RELOADED = FixedLookups((EDGE,), {EDGE.id: NOW + 2})
BEFORE = FixedLookups((EDGE,), {EDGE.id: NOW - 2})


@pytest.mark.parametrize(
    ("fixed", "expected"),
    [
        (FixedLookups((EDGE,)), [("critical", "edge")]),
        (FixedLookups(()), []),
        (BEFORE, [("critical", "edge")]),
        (RELOADED, []),
        (FixedLookups((), RELOADED.read_at), []),
    ],
)
def test_nginx_does_not_look_a_name_up_again(
    fixed: FixedLookups, expected: list[tuple[str, str]]
) -> None:
    moved = replace(API, state=State(status="running", pid=7, started_at="2025-11-24T15:59:55Z"))
    result = judge(
        "network.peer-address-stale",
        failing_calls=FailingCalls((CALL,)),
        containers=Containers((EDGE, moved)),
        namespaces=Namespaces({moved.id: inside(moved, 80)}),
        fixed_lookups=fixed,
    )
    assert rows(result) == expected


def test_when_nginx_has_read_its_names() -> None:
    text = "server { location / { proxy_pass http://api:80; } }"
    starts = [
        Process(pid=7, comm="nginx", uid=0, container=EDGE.id, start=10.0),
        Process(pid=9, comm="nginx", uid=33, container=EDGE.id, start=50.0),
    ]
    lookups = fixed_lookups(
        Made({"file.read": {"text": text}}),
        FailingCalls((CALL,)),
        Processes(tuple(starts)),
        Clock(NOW, NOW - 60),
    )
    assert lookups.read_at == {EDGE.id: NOW - 10}


LOOKUPS = {
    "a name": ("location / { proxy_pass http://api:80; }", True),
    "a group of names": ("upstream u { server api:80; } server { proxy_pass http://u; }", True),
    "a variable": ("set $b api; proxy_pass http://$b:80;", False),
    "a name that is looked up again": ("upstream u { server api:80 resolve; }", False),
    "no place": ("server { listen 80; root /www; }", False),
}


@pytest.mark.parametrize(("text", "expected"), LOOKUPS.values(), ids=LOOKUPS)
def test_when_nginx_looks_names_up(text: str, expected: bool) -> None:
    assert looks_up_once(read(text)) is expected
