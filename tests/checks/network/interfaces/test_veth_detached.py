"""The checks in checks/network/interfaces/veth_detached.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.interfaces import Address, Interface, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Route
from diagnose.evidence.network.wiring.later_interfaces import LaterInterfaces
from diagnose.model import CheckItem, Unexamined
from tests.checks.network.evidence import (
    BRIDGE,
    INNER,
    LATER,
    NET_ID,
    VETH,
    container,
    links,
    namespaces_of,
    network,
    with_fields,
)
from tests.judging import judge

STARTED = 1767225600.0
"""Unix time at which `container` was started."""


@pytest.mark.parametrize(
    ("inner", "addresses", "seen", "words"),
    [
        pytest.param(INNER, (Address(8, "172.18.0.2", 16),), links(), None, id="plugged in"),
        pytest.param(
            INNER,
            (Address(8, "172.18.0.2", 16),),
            links(BRIDGE, with_fields(VETH, master=None)),
            "not attached",
            id="no bridge",
        ),
        pytest.param(
            INNER, (Address(8, "172.18.0.2", 16),), links(BRIDGE), "is gone", id="no peer"
        ),
        pytest.param(
            INNER,
            (Address(8, "172.18.0.2", 16),),
            links(BRIDGE, with_fields(VETH, up=False)),
            "is down",
            id="peer off",
        ),
        pytest.param(
            with_fields(INNER, up=False),
            (Address(8, "172.18.0.2", 16),),
            links(),
            "inside is down",
            id="off",
        ),
        pytest.param(
            with_fields(INNER, mac="02:42:ac:12:00:02"),
            (),
            links(),
            "lost its address",
            id="no address",
        ),
        pytest.param(None, (), links(), "no interface inside", id="no interface"),
        pytest.param(
            with_fields(INNER, kind="macvlan"),
            (Address(8, "172.18.0.2", 16),),
            links(BRIDGE),
            None,
            id="macvlan",
        ),
    ],
)
def test_veth_detached(
    inner: Interface | None, addresses: tuple[Address, ...], seen: Interfaces, words: str | None
) -> None:
    who = container("a")
    result = judge(
        "network.veth-detached",
        containers=Containers((who,)),
        networks=Networks((network(),)),
        namespaces=namespaces_of(who, link=inner, addresses=addresses),
        links=seen,
        clock=LATER,
    )
    assert [words in finding.summary for finding in result.findings] == ([True] if words else [])
    # what is gone inside or outside only a new attachment brings back
    is_gone = words in ("is gone", "lost its address", "no interface inside")
    assert all(("interface" in found.variables) is not is_gone for found in result.findings)


def test_a_cable_that_was_plugged_in_after_the_list_was_taken():
    who = container("a")
    seen = namespaces_of(who, link=INNER, addresses=(Address(8, "172.18.0.2", 16),))
    began_before = Clock(STARTED - 0.1, 0.0)
    known = {
        "containers": Containers((who,)),
        "networks": Networks((network(),)),
        "links": links(BRIDGE),
    }
    result = judge("network.veth-detached", **known, namespaces=seen, clock=began_before)
    assert [unexamined.subject for unexamined in result.unexamined] == [who.subject]
    assert result.findings == ()


def test_a_host_end_that_only_the_later_list_has():
    who = container("a")
    known = {
        "containers": Containers((who,)),
        "networks": Networks((network(),)),
        "namespaces": namespaces_of(who, link=INNER, addresses=(Address(8, "172.18.0.2", 16),)),
        "links": links(BRIDGE),
        "clock": LATER,
    }
    lost = judge("network.veth-detached", **known)
    assert ["is gone" in finding.summary for finding in lost.findings] == [True]
    later = LaterInterfaces(links().items)
    assert judge("network.veth-detached", **known, later_interfaces=later).findings == ()


DEFAULT = Route(gateway="172.18.0.1", oif=8, dst="0.0.0.0")


GIVEN = {"IPAddress": "172.18.0.2", "Gateway": "172.18.0.1"}


@pytest.mark.parametrize(
    ("net", "endpoint", "routes", "lost"),
    [
        pytest.param(network(), GIVEN, (DEFAULT,), False, id="there"),
        pytest.param(network(), GIVEN, (), True, id="gone"),
        pytest.param(network(), GIVEN | {"Gateway": ""}, (), False, id="none was given"),
        pytest.param(network(Internal=True), GIVEN, (), False, id="internal"),
        pytest.param(
            network(),
            GIVEN,
            (Route(gateway="172.18.0.9", oif=8, dst="0.0.0.0"),),
            True,
            id="to nobody",
        ),
        pytest.param(
            network(),
            GIVEN,
            (Route(gateway="172.18.0.3", oif=8, dst="0.0.0.0"),),
            False,
            id="to a neighbour",
        ),
        pytest.param(
            network(),
            GIVEN,
            (Route(gateway="10.8.0.1", oif=9, dst="0.0.0.0"),),
            False,
            id="by a VPN",
        ),
    ],
)
def test_default_route_inside(
    net: Network, endpoint: dict[str, str], routes: tuple[Route, ...], lost: bool
) -> None:
    who = container("a", NetworkSettings={"Networks": {"shop": endpoint}})
    seen = namespaces_of(who, link=INNER, addresses=(Address(8, "172.18.0.2", 16),), routes=routes)
    neighbour = container("b", NetworkSettings={"Networks": {"shop": {"IPAddress": "172.18.0.3"}}})
    known = {
        "containers": Containers((who, neighbour)),
        "networks": Networks((net,)),
        "links": links(),
    }
    result = judge("network.veth-detached", **known, namespaces=seen, clock=LATER)
    assert ["default route" in finding.summary for finding in result.findings] == [True] * lost


LO = Interface(index=1, name="lo", up=True, operstate="unknown")


FALLBACK = Interface(index=2, name="sit0", up=False, operstate="down", kind="sit")


TUNNEL = container("vpn", NetworkSettings={"Networks": {"shop": {}}})


NOWHERE: dict[str, Any] = {"NetworkSettings": {"Networks": {}}}


def joining(name: str = "side", mode: str = f"container:{TUNNEL.id}", **fields: Any) -> Container:
    return container(name, HostConfig={"NetworkMode": mode}, **(NOWHERE | fields))


def visits(*seen: tuple[Container, int, tuple[Interface, ...]]) -> Namespaces:
    return Namespaces(
        {
            who.id: ContainerNetns(who, inode, links, addresses=(), routes=(), listeners=())
            for who, inode, links in seen
        }
    )


def alone(
    *listed: Container, seen: Namespaces, clock: Clock = LATER, nets: tuple[Network, ...] = ()
) -> list[CheckItem]:
    known = {
        "containers": Containers(listed),
        "networks": Networks((network(), *nets)),
        "links": links(),
    }
    result = judge("network.veth-detached", **known, namespaces=seen, clock=clock)
    return [*result.findings, *result.unexamined]


STOPPED = container("vpn", State={"Status": "exited", "Pid": 0, "ExitCode": 0})


OF_NONE = container("vpn", State={"Status": "exited", "Pid": 0}, HostConfig={"NetworkMode": "none"})


SANDBOX: dict[str, Any] = {
    "HostConfig": {"NetworkMode": f"container:{TUNNEL.id}", "Runtime": "kata"}
}


@pytest.mark.parametrize(
    ("who", "other", "seen", "words"),
    [
        pytest.param(
            joining(),
            TUNNEL,
            {"side": 1, "vpn": 2},
            'an earlier run of container "vpn"',
            id="of an earlier run",
        ),
        pytest.param(
            joining(mode="container:vpn"),
            TUNNEL,
            {"side": 1, "vpn": 2},
            'earlier run of container "vpn"',
            id="by its name",
        ),
        pytest.param(joining(), TUNNEL, {"side": 2, "vpn": 2}, "", id="of this run"),
        pytest.param(joining(), TUNNEL, {"side": 1}, "", id="the other was not visited"),
        pytest.param(joining(), TUNNEL, {"vpn": 2}, "", id="it was not visited itself"),
        pytest.param(
            container("side", **NOWHERE, **SANDBOX),
            TUNNEL,
            {"side": 1, "vpn": 2},
            "",
            id="a sandbox",
        ),
        pytest.param(
            joining(),
            STOPPED,
            {"side": 1},
            '"vpn", whose network it shares, is not running (exited)',
            id="stopped",
        ),
        pytest.param(joining(), OF_NONE, {"side": 1}, "", id="stopped, and never had a network"),
        pytest.param(
            joining(),
            None,
            {"side": 1},
            '"vpn000000000", whose network it shares, no longer exists',
            id="removed",
        ),
    ],
)
def test_one_that_shares_a_network(
    who: Container, other: Container | None, seen: dict[str, int], words: str
) -> None:
    listed = (who, other) if other else (who,)
    visited = visits(
        *(
            (container, seen[container.name], (LO, FALLBACK))
            for container in listed
            if container.name in seen
        )
    )
    said = alone(*listed, seen=visited)
    assert [words in finding.summary for finding in said] == [True] * bool(words)
    for finding in said:
        assert finding.subject == who.subject
        assert who.run in finding.recheck_later


def test_a_namespace_that_still_leads_out_needs_nobody_else() -> None:
    who = joining()
    assert alone(who, STOPPED, seen=visits((who, 1, (LO, INNER)))) == []


def test_one_that_may_share_the_network_of_a_container_that_was_not_read() -> None:
    who = joining()
    unread = Containers((who,), (Unexamined(TUNNEL.subject, "inspect: timed out"),))
    known = {"containers": unread, "networks": Networks(()), "links": links(), "clock": LATER}
    result = judge("network.veth-detached", **known, namespaces=visits((who, 1, (LO,))))
    assert who.subject in [unexamined.subject for unexamined in result.unexamined]


def test_one_that_joined_while_it_was_looked_at() -> None:
    who = joining()
    (said,) = alone(
        who,
        TUNNEL,
        seen=visits((who, 1, (LO,)), (TUNNEL, 2, (LO, INNER))),
        clock=Clock(STARTED - 0.1, 0.0),
    )
    assert isinstance(said, Unexamined)


TASK = {"Labels": {"com.docker.swarm.task.id": "x"}}


OF_COMPOSE = {"Labels": {"com.docker.compose.project": "p", "com.docker.compose.service": "db"}}


@pytest.mark.parametrize(
    ("mode", "fields", "inner", "words", "variables"),
    [
        pytest.param(
            "shop",
            {},
            (LO,),
            'it was created for network "shop"',
            {"rejoin": "shop"},
            id="of its own network",
        ),
        pytest.param(
            NET_ID,
            {},
            (LO,),
            'it was created for network "shop"',
            {"rejoin": "shop"},
            id="by the network's id",
        ),
        pytest.param(
            "default",
            {},
            (LO, FALLBACK),
            'for network "bridge"',
            {"rejoin": "bridge"},
            id="of the default one",
        ),
        pytest.param(
            "gone",
            {},
            (LO,),
            'network "gone", for which it was created, no longer exists',
            {"gone_network": "gone", "unattached": "pg"},
            id="removed since",
        ),
        pytest.param(
            "shop",
            {"Config": OF_COMPOSE},
            (LO,),
            "shop",
            {"home": "shop", "alias": "db"},
            id="of compose",
        ),
        pytest.param(
            "shop", {}, (LO, INNER), "", {}, id="with an interface that the engine does not know"
        ),
        pytest.param("none", {}, (LO,), "", {}, id="on purpose"),
        pytest.param(
            "slirp4netns:port_handler=slirp4netns", {}, (LO,), "", {}, id="of Podman's own kind"
        ),
        pytest.param("default", {"Config": TASK}, (LO,), "", {}, id="a task of swarm"),
    ],
)
def test_one_on_no_network(
    mode: str,
    fields: dict[str, Any],
    inner: tuple[Interface, ...],
    words: str,
    variables: dict[str, str],
) -> None:
    who = joining("pg", mode, **fields)
    said = alone(
        who, seen=visits((who, 1, inner)), nets=(network("bridge", "172.17.0.0/16", "172.17.0.1"),)
    )
    assert [words in finding.summary for finding in said] == [True] * bool(words)
    for finding in said:
        assert finding.variables == {"container": "pg", **variables}
        assert finding.recheck_later == (who.run,)


def test_an_engine_without_its_default_network() -> None:
    """Inspect names the network all the same, without an id and an address."""
    unreal = {"NetworkSettings": {"Networks": {"bridge": {"NetworkID": "", "EndpointID": ""}}}}
    who = joining("pg", "bridge", **unreal)
    seen = visits((who, 1, (LO,)))
    (said,) = alone(who, seen=seen, nets=(network("other", "172.18.0.0/16", "172.18.0.1"),))
    assert said.variables == {"container": "pg", "new_network": "pg-net"}
    assert alone(who, seen=visits((who, 1, (LO, INNER)))) == []
