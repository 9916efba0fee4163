"""The checks in checks/firewall/published/limits.py, and the counters that they read."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.inspect import Binding
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.unanswered_call import UnansweredCall
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.paths.packet_paths import PacketPaths, packet_paths
from diagnose.evidence.network.paths.published.direct_calls import direct_calls
from diagnose.evidence.network.paths.published.limited_paths import (
    BusyClient,
    LimitedPath,
    LimitedPaths,
    limited_paths,
)
from diagnose.evidence.network.paths.walked_host import WalkedHost
from diagnose.evidence.network.rules.dropping_rules import (
    GUARD,
    DroppingRule,
    DroppingRules,
    dropping_rules,
)
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.firewall import iptables
from diagnose.firewall.routing import Routing
from diagnose.firewall.rules import Ruleset
from diagnose.firewall.ruleset import assemble
from diagnose.model import Json, Unavailable
from diagnose.questions import AnyQuestion, Host
from tests.checks.firewall.published.test_closed_over_ipv6 import OWN, ROUTES6
from tests.checks.network.evidence import container, links, network
from tests.firewall.test_trace import DNAT, NAMES, NO_NFTABLES, ROUTES, stack, table
from tests.hosts import Made
from tests.judging import judge, rows
from tests.made_paths import BRIDGE
from tests.made_paths import container as made_container

ENDS = {"dst": "192.0.2.10", "sport": 4444, "dport": 8080, "reply_src": "172.17.0.2"}
TEXT = """*filter
:DOCKER-USER - [0:0]
-A DOCKER-USER -s 10.0.0.0/8 -j ACCEPT
-A DOCKER-USER -p tcp -m connlimit --connlimit-above 3 -j DROP
-A DOCKER-USER -p tcp -m limit --limit 6/min -j RETURN
-A DOCKER-USER -p tcp -j DROP
COMMIT
*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 172.18.0.2/32 ! -i br-0123456789ab -j DROP
COMMIT
"""
FIREWALL = Firewall(Ruleset(iptables.chains(TEXT, "nft", "ip")))
USER, RAW = ("ip", "filter", "DOCKER-USER"), ("ip", "raw", "PREROUTING")


def rule(chain: tuple[str, str, str], packets: int | None, *behind: str) -> dict[str, Any]:
    """A rule as netlink shows it, with a counter and what follows it."""
    family, table, name = chain
    counter = [] if packets is None else [{"name": "counter", "bytes": 60, "packets": packets}]
    expressions = [{"name": "match"}, *counter, *({"name": word} for word in behind)]
    return {"family": family, "table": table, "chain": name, "expressions": expressions}


def counted(
    before: list[int], after: list[int], raw: int = 0, raw_after: int = 0, behind: str = "immediate"
) -> DroppingRules | Unavailable:
    """What is made of two looks at the counters of the rules."""
    listed = [rule(USER, packets, behind) for packets in before] + [rule(RAW, raw, "immediate")]
    later = [
        {"family": "ip", "table": "filter", "chain": "DOCKER-USER", "packets": after},
        {"family": "ip", "table": "raw", "chain": "PREROUTING", "packets": [raw_after]},
    ]
    made = Made({"nftables": {"rules": listed, "consistent": True}, "nftables.counters": later})
    return dropping_rules(Host(made), FIREWALL)


def seen(*looks: Any, **more: Any) -> list[tuple[str, int, int, bool]]:
    """Chain, total and rise of each rule that drops, and whether it is a limit."""
    found = counted(*looks, **more)
    assert isinstance(found, DroppingRules)
    return [(path.chain.name, path.total, path.within, path.is_limit) for path in found]


def test_counters_of_limits_are_read_twice() -> None:
    assert seen([9, 5, 7, 2], [19, 8, 9, 2]) == [
        ("DOCKER-USER", 5, 3, True),
        ("DOCKER-USER", 2, 0, True),
    ]


def test_a_limit_that_dropped_nothing_is_not_asked_again() -> None:
    assert seen([9, 0, 7, 0], []) == []


def test_a_guard_of_an_address_is_no_limit() -> None:
    assert seen([0, 0, 0, 0], [0, 0, 0, 0], raw=4, raw_after=6) == [("PREROUTING", 4, 2, False)]


def test_rules_that_changed_meanwhile_are_left_out() -> None:
    assert seen([9, 5, 7], [9, 6, 7]) == []


def test_a_counter_ahead_of_a_condition_counts_something_else() -> None:
    assert seen([9, 5, 7, 2], [19, 8, 9, 2], behind="connlimit") == []


LEGACY: dict[str, tuple[str, bool]] = {
    "a limit": ("-A DOCKER-USER -p tcp -m connlimit --connlimit-above 3 -j DROP", True),
    "the engine's guard": ("-A DOCKER-USER -d 172.18.0.2/32 ! -i br-0123456789ab -j DROP", True),
    "another rule": ("-A DOCKER-USER -s 10.0.0.0/8 -j DROP", False),
}


GUARDED = "-d 172.18.0.2/32 ! -i br-0123456789ab -j DROP"
SAVES: dict[str, tuple[tuple[int, int, int], list[tuple[int, int]], bool]] = {
    "more come now": ((7, 7, 9), [(7, 2)], False),
    "none come now": ((7, 7, 7), [(7, 0)], False),
    "none came": ((7, 0, 0), [], False),
}


def saved(other: int, guard: int) -> str:
    lines = [
        f"[{other}:60] -A PREROUTING -s 10.0.0.9/32 -j ACCEPT",
        f"[{guard}:60] -A PREROUTING {GUARDED}",
    ]
    return "\n".join(["# Generated", "*raw", ":PREROUTING ACCEPT [812:99]", *lines, "COMMIT", ""])


@pytest.mark.parametrize(("counts", "expected", "uncounted"), SAVES.values(), ids=SAVES)
def test_counters_of_iptables_legacy(
    counts: tuple[int, int, int], expected: list[tuple[int, int]], uncounted: bool
) -> None:
    other, before, after = counts
    text = f"*raw\n:PREROUTING - [0:0]\n-A PREROUTING -s 10.0.0.9/32 -j ACCEPT\n-A PREROUTING {GUARDED}\nCOMMIT\n"
    firewall = Firewall(Ruleset(iptables.chains(text, "legacy", "ip")))
    texts = [saved(other, before), saved(other, after)]
    made = Made({"nftables": {"rules": [], "consistent": True}, "iptables.counters": texts})
    found = dropping_rules(made, firewall)
    assert isinstance(found, DroppingRules)
    assert [(path.total, path.within) for path in found] == expected
    assert found.uncounted == uncounted


def test_legacy_rules_that_changed_meanwhile_are_not_counted() -> None:
    text = f"*raw\n:PREROUTING - [0:0]\n-A PREROUTING {GUARDED}\nCOMMIT\n"
    firewall = Firewall(Ruleset(iptables.chains(text, "legacy", "ip")))
    texts = [saved(7, 7), saved(7, 9)]
    made = Made({"nftables": {"rules": [], "consistent": True}, "iptables.counters": texts})
    assert dropping_rules(made, firewall) == DroppingRules((), uncounted=True)


@pytest.mark.parametrize(("rule", "is_unknown"), LEGACY.values(), ids=LEGACY)
def test_counters_that_are_not_read_are_no_pass(rule: str, is_unknown: bool) -> None:
    text = f"*filter\n:DOCKER-USER - [0:0]\n{rule}\nCOMMIT\n"
    firewall = Firewall(Ruleset(iptables.chains(text, "legacy", "ip")))
    made = Made({"nftables": {"rules": [], "consistent": True}})
    found = dropping_rules(made, firewall)
    assert isinstance(found, DroppingRules)
    result = judge("firewall.limit-exceeded", limited_paths=LimitedPaths((), found.uncounted))
    assert (result.verdict.value == "unknown") == is_unknown


def limited(*busy: BusyClient) -> LimitedPaths:
    found = counted([9, 5, 7, 2], [19, 8, 9, 2])
    assert isinstance(found, DroppingRules)
    return LimitedPaths((LimitedPath(found.items[0], (), 3, busy, goes_on=True),))


NEAR, FAR = BusyClient("192.0.2.80", 4), BusyClient("198.41.200.21", 9)
LIMITS: dict[str, tuple[tuple[BusyClient, ...], str, set[str]]] = {
    "nobody is known": ((), "advice", {"limited_chain"}),
    "a stranger": ((FAR,), "advice", {"limited_chain"}),
    "a machine of the own network": (
        (FAR, NEAR), "warning", {"program", "table", "chain", "rule_number", "client"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("busy", "severity", "variables"), LIMITS.values(), ids=LIMITS)
def test_limit_exceeded(busy: tuple[BusyClient, ...], severity: str, variables: set[str]) -> None:
    result = judge("firewall.limit-exceeded", limited_paths=limited(*busy))
    assert rows(result) == [(severity, "host")]
    assert set(result.findings[0].variables) == variables
    if "client" in variables:
        assert result.findings[0].variables["client"] == NEAR.address
        assert result.findings[0].variables["rule_number"] == "2"


MANY = "-p tcp -m connlimit --connlimit-above 3 -j REJECT"
PUBLISHED = table("nat", DNAT)
BUILT_IN = table("filter", f"-A FORWARD {MANY}", "-A FORWARD -o docker0 -j ACCEPT", policy="DROP")
OF_USERS = table(
    "filter", "-A FORWARD -j DOCKER-USER", "-A FORWARD -o docker0 -j ACCEPT",
    "-A FORWARD -i docker0 -j ACCEPT", f"-A DOCKER-USER {MANY}", policy="DROP",
).replace(":INPUT DROP", ":DOCKER-USER - [0:0]\n:INPUT ACCEPT")  # fmt: skip
PLACES = {
    "a chain of users": (OF_USERS, "DOCKER-USER", True),
    "a built-in chain whose policy drops": (BUILT_IN, "FORWARD", False),
}


def published(host: HostStack) -> PacketPaths:
    """The walk to port 8080 of this host, which container web publishes."""
    web = made_container("web", {"bridge": "172.17.0.2"}, ports={"80/tcp": [Binding("", "8080")]})
    uplinks = Uplinks((Uplink("eth0", "192.0.2.10"),))
    return packet_paths(
        host,
        Containers((web,)),
        Networks((BRIDGE,)),
        WalkedHost(uplinks, ping=None, info=None),
        Clock(0.0, 0.0),
    )


@pytest.mark.parametrize(("rules", "name", "goes_on"), PLACES.values(), ids=PLACES)
def test_no_client_is_locked_out_by_the_cure(rules: str, name: str, goes_on: bool) -> None:
    host = HostStack(stack(PUBLISHED + rules))
    (chain,) = (chain for chain in host.stack.ruleset.chains if chain.name == name)
    paths = published(host)
    many = [{**ENDS, "src": "192.0.2.80", "state": "established"} for _ in range(4)]
    made = Made({"conntrack": {"loaded": True, "complete": True, "entries": many}})
    dropping = DroppingRules((DroppingRule(chain, 0, 5, 3),))
    found = limited_paths(made, dropping, paths, host, links())
    assert [(path.ports, path.busy) for path in found] == [([8080], (BusyClient("192.0.2.80", 4),))]
    (finding,) = judge("firewall.limit-exceeded", limited_paths=found).findings
    assert ("client" in finding.variables) == goes_on


def test_connections_are_counted_in_the_family_of_the_limit() -> None:
    plain = stack(PUBLISHED)
    (inbound,) = published(HostStack(plain)).inbound_paths
    limit = table("filter", f"-A INPUT {MANY}")
    devices = tuple(
        replace(device, addresses=(*device.addresses, f"{OWN}/64"))
        if device.name == "eth0"
        else device
        for device in plain.devices
    )
    stack6 = replace(
        plain,
        ruleset=assemble(NO_NFTABLES, {"ip6": limit}),
        routing=Routing((*ROUTES, *ROUTES6), None, NAMES),
        devices=devices,
    )
    (chain,) = (chain for chain in stack6.ruleset.chains if chain.name == "INPUT")
    paths = PacketPaths(
        outbound_paths=(),
        inbound_paths=(),
        unwalked=(),
        inbound_paths6=(replace(inbound, host_address=OWN, family="ip6"),),
    )
    entries = [{**ENDS, "src": "192.0.2.80", "state": "established"} for _ in range(4)]

    def tracked(question: AnyQuestion) -> Json:
        own = entries if question.args["family"] == "inet" else []
        return {"loaded": True, "complete": True, "entries": list(own)}

    dropping = DroppingRules((DroppingRule(chain, 0, 5, 3),))
    (path,) = limited_paths(
        Made({"conntrack": tracked}), dropping, paths, HostStack(stack6), links()
    )
    assert (path.ports, path.busy) == ([8080], ())


GUARDS = {
    "iptables": "-d 172.18.0.2/32 ! -i br-0123456789ab -j DROP",
    "ip6tables": "-d fd00:5::2/128 ! -i br-0123456789ab -j DROP",
    "nftables": 'ip daddr 172.18.0.2 iifname != "br-0123456789ab" drop comment "DROP DIRECT ACCESS"',
}


@pytest.mark.parametrize("text", GUARDS.values(), ids=GUARDS)
def test_guards_of_each_backend_are_known(text: str) -> None:
    guard = GUARD.search(text)
    assert guard is not None
    assert (guard["address"] or guard["native"]) in ("172.18.0.2", "fd00:5::2")


SHOP = container("shop")
OTHER = container("other", NetworkSettings={"Networks": {"shop": {"IPAddress": "172.18.0.9"}}})
CALL = UnansweredCall(OTHER, "172.18.0.2", 80, 3)
DIRECT: dict[str, tuple[int, int, list[UnansweredCall], list[tuple[str, str]]]] = {
    "it goes on": (4, 6, [], [("warning", "shop")]),
    "it is over": (4, 4, [], [("advice", "shop")]),
    "two packets": (2, 2, [], []),
    "a container of this host calls": (4, 6, [CALL], []),
}


@pytest.mark.parametrize(("before", "after", "calls", "expected"), DIRECT.values(), ids=DIRECT)
def test_direct_access_dropped(
    before: int, after: int, calls: list[UnansweredCall], expected: list[tuple[str, str]]
) -> None:
    found = counted([0, 0, 0, 0], [0, 0, 0, 0], before, after)
    assert isinstance(found, DroppingRules)
    made = direct_calls(
        found,
        Containers((SHOP,)),
        Networks((network(),)),
        UnansweredCalls(tuple(calls)),
        Ping("1.48", "28.5.2", ""),
    )
    result = judge("firewall.direct-access-dropped", direct_calls=made)
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.variables["direct_json"] == '{"allow-direct-routing": true}'


PLACES_OF_CART = {"shop": {"IPAddress": "172.18.0.2"}, "edge": {"IPAddress": "172.19.0.2"}}
ROUTED = {"traefik.http.routers.cart.rule": "Host(`cart.example.com`)"}
ON_EDGE = {"Networks": {"edge": {"IPAddress": "172.19.0.3"}}}
ON_BOTH = {"Networks": {**ON_EDGE["Networks"], "shop": {"IPAddress": "172.18.0.3"}}}
GUESSED: dict[str, tuple[dict[str, str], list[str], Any, bool]] = {
    "no label": (ROUTED, [], ON_EDGE, True),
    "a label": ({**ROUTED, "traefik.docker.network": "edge"}, [], ON_EDGE, False),
    "an option": (ROUTED, ["--providers.docker.network=edge"], ON_EDGE, False),
    "on both networks": (ROUTED, [], ON_BOTH, False),
    "not served": ({**ROUTED, "traefik.enable": "false"}, [], ON_EDGE, False),
    "no route": ({}, [], ON_EDGE, False),
}


@pytest.mark.parametrize(("labels", "words", "places", "guesses"), GUESSED.values(), ids=GUESSED)
def test_traefik_that_takes_any_network(
    labels: dict[str, str], words: list[str], places: Any, guesses: bool
) -> None:
    cart = container(
        "cart", NetworkSettings={"Networks": PLACES_OF_CART}, Config={"Labels": labels}
    )
    options = ["--providers.docker=true", *words]
    proxy = container(
        "proxy", NetworkSettings=places, Config={"Image": "traefik:v3.1", "Cmd": options}
    )
    found = counted([0, 0, 0, 0], [0, 0, 0, 0], 4, 4)
    assert isinstance(found, DroppingRules)
    ping = Ping("1.48", "28.5.2", "")
    made = direct_calls(found, Containers((cart, proxy)), Networks((network(),)), None, ping)
    result = judge("firewall.direct-access-dropped", direct_calls=made)
    assert rows(result) == [("warning" if guesses else "advice", "cart")]
    (finding,) = result.findings
    chosen = "traefik.docker.network=edge" if guesses else None
    assert finding.variables.get("chosen") == chosen
