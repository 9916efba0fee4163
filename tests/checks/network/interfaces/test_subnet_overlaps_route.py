"""The checks in checks/network/interfaces/subnet_overlaps_route.py."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import msgspec
import pytest

from diagnose import runbooks
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.network.calls.failing_calls import FailingCall, FailingCalls
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.forwarding import Forwarding
from diagnose.evidence.network.route_lookups import RouteLookup, RouteLookups
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.wiring.docker_interfaces import docker_interfaces
from diagnose.model import Severity, Unavailable
from tests.checks.network.evidence import (
    BRIDGE,
    UPLINK,
    VETH,
    VPN,
    container,
    links,
    network,
    subjects_and_severities,
    with_fields,
)
from tests.judging import judge


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        pytest.param(VPN, [("network:shop", Severity.warning)], id="a part of the subnet"),
        pytest.param(
            Route(dst="172.16.0.0", prefix=12, oif=2),
            [("network:shop", Severity.advice)],
            id="around it",
        ),
        pytest.param(
            Route(dst="172.18.0.0", prefix=16, oif=2),
            [("network:shop", Severity.warning)],
            id="the same net",
        ),
        pytest.param(Route(dst="172.18.0.0", prefix=16, oif=5), [], id="its own bridge"),
        pytest.param(Route(dst="0.0.0.0", prefix=0, oif=2), [], id="default"),
        pytest.param(Route(dst="128.0.0.0", prefix=1, oif=2), [], id="half of a default"),
        pytest.param(
            Route(dst="172.18.5.0", prefix=24, oif=2, type="blackhole"), [], id="leads nowhere"
        ),
        pytest.param(
            Route(dst="172.18.5.0", prefix=24, oif=2, table=52),
            [("network:shop", Severity.warning)],
            id="another table",
        ),
        pytest.param(Route(dst="10.0.0.0", prefix=8, oif=2), [], id="elsewhere"),
    ],
)
def test_subnet_overlaps_route(route: Route, expected: list[Any]) -> None:
    answer = judge(
        "network.subnet-overlaps-route",
        networks=Networks((network(),)),
        routes=Routes((route,)),
        links=links(),
    )
    assert subjects_and_severities(answer.findings) == expected


def test_podmans_bridge_is_the_networks_own_under_another_name() -> None:
    route = Route(dst="172.18.0.0", prefix=16, oif=5)
    seen = links(UPLINK, with_fields(BRIDGE, name="podman1"))
    answer = judge(
        "network.subnet-overlaps-route",
        networks=Networks((network(),)),
        routes=Routes((route,)),
        links=seen,
    )
    assert subjects_and_severities(answer.findings) == []


def test_the_words_against_a_route_to_nowhere_stand_apart() -> None:
    route = Route(dst="172.18.0.2", prefix=32, type="blackhole")
    (finding,) = judge(
        "network.subnet-overlaps-route",
        networks=Networks((network(),)),
        routes=Routes((route,)),
        links=links(),
        containers=Containers((container("a"),)),
    ).findings
    page = runbooks.page("network.subnet-overlaps-route")
    first = next(block for block in page.of("fix") if block.suits(finding.variables, frozenset()))
    wanted = "ip route del blackhole 172.18.0.2/32"
    assert runbooks.fill(first.text, finding.variables) == wanted


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        pytest.param(
            Route(dst="172.18.0.2", prefix=32, type="blackhole"),
            [("network:shop", Severity.critical)],
            id="its address",
        ),
        pytest.param(
            Route(dst="172.18.0.0", prefix=24, type="unreachable"),
            [("network:shop", Severity.critical)],
            id="its net",
        ),
        pytest.param(Route(dst="172.18.9.0", prefix=24, type="blackhole"), [], id="of nobody"),
        pytest.param(
            Route(dst="172.16.0.0", prefix=12, type="unreachable"),
            [],
            id="larger than the network's own",
        ),
        pytest.param(
            Route(dst="172.18.0.2", prefix=32, type="blackhole", table=7), [], id="another table"
        ),
        pytest.param(Route(dst="172.18.0.2", prefix=32, type="local"), [], id="the host's own"),
        pytest.param(
            Route(dst="172.18.0.0", prefix=24, oif=2),
            [("network:shop", Severity.critical)],
            id="its net, by the uplink",
        ),
        pytest.param(
            Route(dst="172.18.9.0", prefix=24, oif=2),
            [("network:shop", Severity.warning)],
            id="of nobody yet",
        ),
        pytest.param(Route(dst="172.18.0.2", prefix=32, oif=5), [], id="by its own bridge"),
    ],
)
def test_a_route_that_takes_a_container_s_address(route: Route, expected: list[Any]) -> None:
    listed = Containers((container("a"),))
    nets = Networks((network(),))
    answer = judge(
        "network.subnet-overlaps-route",
        networks=nets,
        routes=Routes((route,)),
        links=links(),
        containers=listed,
    )
    assert subjects_and_severities(answer.findings) == expected


BY_UPLINK, BY_BRIDGE = (
    RouteLookup(oif=2, gateway="192.0.2.1", table=254),
    RouteLookup(oif=5, table=254),
)


FORWARDS = Forwarding("1", {"br-0123456789ab": "1"}, "1")


@pytest.mark.parametrize(
    ("own", "out", "back", "forwarding", "words"),
    [
        pytest.param(BY_UPLINK, BY_UPLINK, BY_BRIDGE, FORWARDS, [], id="as it should be"),
        pytest.param(
            BY_UPLINK, RouteLookup(oif=7, table=51820), BY_BRIDGE, FORWARDS, [], id="out by a VPN"
        ),
        pytest.param(
            BY_UPLINK,
            RouteLookup(error="EACCES"),
            BY_BRIDGE,
            FORWARDS,
            ["sends out (prohibit"],
            id="stopped",
        ),
        pytest.param(
            RouteLookup(error="ENETUNREACH"),
            RouteLookup(error="ENETUNREACH"),
            BY_BRIDGE,
            FORWARDS,
            [],
            id="an island",
        ),
        pytest.param(
            BY_UPLINK,
            RouteLookup(error="EHOSTUNREACH"),
            BY_BRIDGE,
            Forwarding("0", {}, "1"),
            [],
            id="forwarding is off",
        ),
        pytest.param(
            BY_UPLINK,
            BY_UPLINK,
            RouteLookup(oif=2, table=100),
            FORWARDS,
            ["to eth0 (table 100"],
            id="led elsewhere",
        ),
        pytest.param(
            BY_UPLINK,
            BY_UPLINK,
            RouteLookup(error="EINVAL"),
            FORWARDS,
            ["drops traffic"],
            id="swallowed",
        ),
        pytest.param(
            BY_UPLINK,
            RouteLookup(error="EXDEV"),
            BY_UPLINK,
            FORWARDS,
            [],
            id="the bridge has lost its route",
        ),
    ],
)
def test_routing_policy(
    own: RouteLookup, out: RouteLookup, back: RouteLookup, forwarding: Forwarding, words: list[str]
) -> None:
    asked = RouteLookups(own, {"shop": out}, {"shop": back})
    listed = Containers((container("a"),))
    nets = Networks((network(),))
    answer = judge(
        "network.subnet-overlaps-route",
        networks=nets,
        routes=Routes(()),
        links=links(),
        containers=listed,
        ways=asked,
        forwarding=forwarding,
    )
    said = [finding.summary for finding in answer.findings]
    assert len(said) == len(words)
    assert all(word in summary for word, summary in zip(words, said, strict=True))


TAILSCALE = 52


def test_a_rule_and_the_route_to_which_it_leads_are_one_finding() -> None:
    """tailscaled with --accept-routes has a route to the network's own subnet in its table 52."""
    asked = RouteLookups(
        BY_UPLINK, {"shop": BY_UPLINK}, {"shop": RouteLookup(oif=2, table=TAILSCALE)}
    )
    hiding = Route(dst="172.18.0.0", prefix=16, oif=2, table=TAILSCALE)
    judged = {
        "networks": Networks((network(),)),
        "routes": Routes((hiding,)),
        "links": links(),
        "containers": Containers((container("a"),)),
    }
    (by_rule,) = judge(
        "network.subnet-overlaps-route", **judged, ways=asked, forwarding=FORWARDS
    ).findings
    assert "table 52" in by_rule.summary
    (by_route,) = judge("network.subnet-overlaps-route", **judged).findings
    assert "overlaps host route" in by_route.summary


_ON_OLD = container("b", NetworkSettings={"Networks": {"old": {}}})


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({}, [("network:old", Severity.critical)]),
        ({"refused": True}, []),
        ({"times": 1}, []),
        ({"address": "10.9.0.2"}, []),
        ({"container": _ON_OLD}, []),
        ({"container": _ON_OLD, "is_outside": True}, [("network:old", Severity.critical)]),
    ],
    ids=[
        "nobody has it",
        "somebody answers",
        "once",
        "a container has it",
        "on that network",
        "on that network, and nobody ever had it",
    ],
)
def test_a_server_whose_address_lies_in_a_subnet(call: dict[str, Any], expected: list[Any]) -> None:
    old = network("old", "10.9.0.0/16", "10.9.0.1", Id="f" * 64)
    app = container("app")
    settings = {"Networks": {"old": {"IPAddress": "10.9.0.2"}}}
    peer = container("peer", NetworkSettings=settings)
    failing = FailingCall(app, old, "10.9.0.5", 5432, "no route to host", 0.0, 4, refused=False)
    failing = msgspec.structs.replace(failing, **call)
    listed = Containers((app, peer)) if "address" in call else Containers((app,))
    answer = judge(
        "network.subnet-overlaps-route",
        networks=Networks((network(), old)),
        routes=Routes(()),
        links=links(),
        containers=listed,
        failing_calls=FailingCalls((failing,)),
    )
    assert subjects_and_severities(answer.findings) == expected


def test_a_dns_server_inside_a_subnet_is_critical() -> None:
    resolvers = Resolvers(
        ResolvConf(("172.18.0.53",)), Unavailable("missing"), configured=(), inside={}
    )
    nets = Networks((network(),))
    answer = judge(
        "network.subnet-overlaps-route",
        networks=nets,
        routes=Routes(()),
        links=links(),
        resolvers=resolvers,
        docker=Unavailable("missing"),
    )
    assert subjects_and_severities(answer.findings) == [("network:shop", Severity.critical)]


def test_a_dns_server_beyond_an_uplink_bridge_is_reached() -> None:
    resolvers = Resolvers(
        ResolvConf(("172.18.0.53",)), Unavailable("missing"), configured=(), inside={}
    )
    nets, uplink = Networks((network(),)), with_fields(UPLINK, master=5)
    seen = links(uplink, BRIDGE, VETH)
    ours = docker_interfaces(seen, Routes(()), nets)
    known = {
        "networks": nets,
        "routes": Routes(()),
        "links": seen,
        "resolvers": resolvers,
        "docker": ours,
    }
    assert subjects_and_severities(judge("network.subnet-overlaps-route", **known).findings) == []


def test_a_network_moves_to_a_subnet_that_nobody_has() -> None:
    taken = Route(dst="10.201.0.0", prefix=24, oif=2, scope="link")
    nets = Networks((network(),))
    routes = Routes((VPN, taken))
    (finding,) = judge(
        "network.subnet-overlaps-route", networks=nets, routes=routes, links=links()
    ).findings
    assert finding.variables == {
        "network": "shop",
        "free": "10.201.1.0/24",
        "subnet": "172.18.0.0/16",
    }
    default = Networks(
        (network("bridge", Options={"com.docker.network.bridge.name": "br-0123456789ab"}),)
    )
    (finding,) = judge(
        "network.subnet-overlaps-route", networks=default, routes=routes, links=links()
    ).findings
    assert finding.variables == {"bip": "10.201.1.1/24", "subnet": "172.18.0.0/16"}


def test_an_ipv6_prefix_of_the_host_is_replaced_by_a_private_one() -> None:
    subnets = {"Config": [{"Subnet": "172.18.0.0/16"}, {"Subnet": "2001:db8:5::/64"}]}
    own = Route(dst="2001:db8:5::", prefix=64, oif=2, scope="link", family="inet6")
    for name, wanted in (("shop", "free"), ("bridge", "prefix")):
        bridge = {"com.docker.network.bridge.name": "br-0123456789ab"}
        nets = Networks((network(name, IPAM=subnets, Options=bridge),))
        (finding,) = judge(
            "network.subnet-overlaps-route", networks=nets, routes=Routes((own,)), links=links()
        ).findings
        prefix = ip_network(finding.variables[wanted])
        assert prefix.version == 6
        assert prefix.is_private
        assert "bip" not in finding.variables
