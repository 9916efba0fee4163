"""`diagnose path`: what the ends are, which hop is the first broken one, and how the answer is
written."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Interface, Interfaces
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.evidence.run.host_map import _way_out
from diagnose.path import ends
from diagnose.path.model import PathEvidence
from diagnose.path.traced import show
from diagnose.path.walk import EndedError, PathWalk
from diagnose.questions.network import PolicyRule
from tests.firewall.test_trace import CASES, MASQUERADE, stack, table
from tests.made_paths import (
    ALL,
    BRIDGE,
    DROPPED,
    HOST,
    INTERFACES,
    OPEN,
    TRANSLATED,
    changed,
    container,
    decided,
    inside,
    made,
    walked,
)

TARGETS = {
    "db": ("db", None, "tcp"),
    "db:5432": ("db", 5432, "tcp"),
    "dns:53/udp": ("dns", 53, "udp"),
    "dns/udp": ("dns", None, "udp"),
    "192.0.2.9:80": ("192.0.2.9", 80, "tcp"),
    "[fd00::1]:80": ("fd00::1", 80, "tcp"),
    "fd00::1": ("fd00::1", None, "tcp"),
    "fd00::1/dns": ("fd00::1", 53, "udp"),
    "dns/dns/AAAA": ("dns", 53, "udp"),
    "[fd00::1]:5353/dns": ("fd00::1", 5353, "udp"),
}


@pytest.mark.parametrize("text", TARGETS)
def test_a_target_on_the_command_line(text: str) -> None:
    found = ends.target(text)
    assert (found.end, found.port, found.proto) == TARGETS[text]


def test_a_dns_target_asks_for_one_type_of_record() -> None:
    asked = {text: ends.target(text).record for text in ("db:53/udp", "db/dns", "db/dns/AAAA")}
    assert asked == {"db:53/udp": "", "db/dns": "NS", "db/dns/AAAA": "AAAA"}


@pytest.mark.parametrize(
    "text", ["", ":80", "db:", "db:0", "db:99999", "db:80/sctp", "db:http", "a b:80/", "db/dns/SRV"]
)
def test_no_target(text: str) -> None:
    with pytest.raises(ends.UnknownEndError):
        ends.target(text)


def test_what_could_not_be_had_says_why() -> None:
    late = "timed out: no answer in 1.6 s"
    reasons = {HostStack: late, Interfaces: late, Namespaces: "forbidden: not root"}
    host = made(host_stack=None, interfaces=None, namespaces=None, reasons=reasons)
    unknown = [hop.text for hop in walked("api", "internet", host).hops if hop.state == "unknown"]
    assert [text.partition(": ")[2] for text in unknown] == ["forbidden: not root", late, late]


def without(name: str) -> Namespaces:
    return Namespaces({netns.container.id: netns for netns in OPEN if netns.container.name != name})


SIX = container("six", {"shop": ""})


def linked(index: int, **fields: Any) -> Interfaces:
    return Interfaces(
        tuple(replace(link, **fields) if link.index == index else link for link in INTERFACES),
        INTERFACES.addresses,
    )


SETTINGS_OFF = stack(MASQUERADE, forwarding={"docker0": False})

NAT_GONE = stack(table("filter"))
LOST_ADDRESS = stack(
    table("nat", "-A POSTROUTING -s 172.17.0.0/16 -o eth0 -j SNAT --to-source 192.0.2.44")
)
ROUTED_ADDRESS = stack(
    table("nat", "-A POSTROUTING -s 172.17.0.0/16 -o eth0 -j SNAT --to-source 198.51.100.7")
)
TAKEN = "-A PREROUTING -p tcp -m tcp --dport 8080 -j "
REDIRECTED = stack(table("nat", f"{TAKEN}REDIRECT --to-ports 22"))
REDIRECTED_TO_PROXY = stack(table("nat", f"{TAKEN}REDIRECT --to-ports 8080"))
LED_TO_NOBODY = stack(table("nat", f"{TAKEN}DNAT --to-destination 172.17.0.40:80"))
ALONE = replace(
    inside("web"), container=SIX, links=(Interface(1, "lo", up=True),), addresses=(), routes=()
)

FREED = stack(table("filter"))
APART = stack(table("filter", "-A FORWARD -i docker0 -o br-shop -j DROP"))
LED = "-A PREROUTING -p tcp -m tcp -d 192.0.2.10/32 --dport"
BY_HAND = HostStack(
    stack(
        table(
            "nat",
            f"{LED} 9000 -j DNAT --to-destination 172.18.0.3:5432",
            f"{LED} 9001 -j DNAT --to-destination 172.18.0.3:5433",
            f"{LED} 9002 -j REDIRECT --to-ports 22",
            f"{LED} 9003 -j REDIRECT --to-ports 23",
        )
    )
)
PROXIED = stack(
    table("nat", "-A PREROUTING -i docker0 -p tcp --dport 80 -j REDIRECT --to-ports 22")
)

WAYS: dict[str, tuple[str, str, PathEvidence, tuple[str, str]]] = {
    "between neighbours": ("api", "db:5432", made(), ("ok", "")),
    "by udp": ("api", "db:53/udp", made(), ("ok", "")),
    "a port that nothing serves": ("api", "db:80", made(), ("broken", "listener")),
    "a namespace that nobody saw": (
        "api",
        "db:5432",
        made(namespaces=without("db")),
        ("unknown", "namespace"),
    ),
    "no namespace was seen": ("api", "db:5432", made(namespaces=None), ("unknown", "namespace")),
    "a container that ended": ("api", "off:80", made(), ("broken", "process")),
    "from a container that ended": ("off", "db:5432", made(), ("broken", "process")),
    "networks apart": ("web", "db:5432", made(), ("broken", "network")),
    "to an address on another network": (
        "web",
        "172.18.0.3:5432",
        made(host_stack=HostStack(FREED)),
        ("ok", ""),
    ),
    "to an address on another network, kept apart by a rule": (
        "web",
        "172.18.0.3:5432",
        made(host_stack=HostStack(APART)),
        ("broken", "network"),
    ),
    "in, by a rule of the user": (
        "internet",
        "192.0.2.10:9000",
        made(host_stack=BY_HAND),
        ("ok", ""),
    ),
    "in, by a rule of the user to a port that nothing serves": (
        "internet",
        "192.0.2.10:9001",
        made(host_stack=BY_HAND),
        ("broken", "listener"),
    ),
    "in, by a rule of the user to another port": (
        "internet",
        "192.0.2.10:9002",
        made(host_stack=BY_HAND),
        ("ok", ""),
    ),
    "in, by a rule of the user to a closed port": (
        "internet",
        "192.0.2.10:9003",
        made(host_stack=BY_HAND),
        ("broken", "listener"),
    ),
    "out, by a transparent proxy on the host": (
        "web",
        "198.51.100.9:80",
        made(host_stack=HostStack(PROXIED)),
        ("ok", ""),
    ),
    "out": ("web", "internet", made(), ("ok", "")),
    "out, forwarding off": (
        "web",
        "internet",
        made(host_stack=HostStack(SETTINGS_OFF)),
        ("broken", "forwarding"),
    ),
    "out, dropped": ("api", "internet", made(host_stack=HostStack(DROPPED)), ("broken", "filter")),
    "out, no rule translates": (
        "web",
        "internet",
        made(host_stack=HostStack(NAT_GONE)),
        ("broken", "translation"),
    ),
    "out, from an address that the host lost": (
        "web",
        "internet",
        made(host_stack=HostStack(LOST_ADDRESS)),
        ("broken", "translation"),
    ),
    "out, from an address that is routed here": (
        "web",
        "internet",
        made(host_stack=HostStack(ROUTED_ADDRESS)),
        ("ok", ""),
    ),
    "in, redirected to the host": (
        "internet",
        "web:8080",
        made(host_stack=HostStack(REDIRECTED)),
        ("broken", "translation"),
    ),
    "in, redirected to the port of the proxy": (
        "internet",
        "web:8080",
        made(host_stack=HostStack(REDIRECTED_TO_PROXY)),
        ("ok", ""),
    ),
    "in, led to nobody": (
        "internet",
        "web:8080",
        made(host_stack=HostStack(LED_TO_NOBODY)),
        ("broken", "translation"),
    ),
    "from a namespace with nothing but lo": (
        "six",
        "internet",
        made(containers=Containers((*ALL, SIX)), namespaces=changed(ALONE)),
        ("broken", "namespace"),
    ),
    "to a port of the host that is published on loopback": (
        "db",
        "host:8081",
        made(),
        ("broken", "listener"),
    ),
    "out, rules unread": ("web", "internet", made(host_stack=None), ("unknown", "filter")),
    "an end without IPv4": (
        "api",
        "six:80",
        made(containers=Containers((*ALL, SIX))),
        ("unknown", "namespace"),
    ),
    "from an end without IPv4": (
        "six",
        "internet",
        made(containers=Containers((*ALL, SIX))),
        ("unknown", "namespace"),
    ),
    "out of an internal network": ("job", "internet", made(), ("broken", "network")),
    "without a network": ("bare", "internet", made(), ("broken", "network")),
    "without a default route": (
        "web",
        "internet",
        made(namespaces=changed(inside("web", routes=()))),
        ("broken", "namespace"),
    ),
    "without its address": (
        "web",
        "internet",
        made(namespaces=changed(replace(inside("web"), addresses=()))),
        ("broken", "namespace"),
    ),
    "bridge down": ("web", "internet", made(interfaces=linked(4, up=False)), ("broken", "bridge")),
    "off the bridge": (
        "web",
        "internet",
        made(interfaces=linked(7, master=None)),
        ("broken", "bridge"),
    ),
    "in by a published port": ("internet", "web:8080", made(), ("ok", "")),
    "in by the inner port": ("internet", "web:80", made(), ("ok", "")),
    "in, by the host's address": ("internet", "192.0.2.10:8080", made(), ("ok", "")),
    "in, published on loopback": ("internet", "web:81", made(), ("broken", "listener")),
    "in, not published": ("internet", "db:5432", made(), ("broken", "listener")),
    "in, without rule and proxy": (
        "internet",
        "web:8080",
        made(host_stack=HostStack(HOST)),
        ("broken", "translation"),
    ),
    "in, by the proxy": (
        "internet",
        "web:8080",
        made(
            host_stack=HostStack(HOST),
            listeners=Listeners((Listener("tcp", "0.0.0.0", 8080, 3, "docker-proxy"),)),
        ),
        ("ok", ""),
    ),
    "to the host": ("web", "host:22", made(), ("ok", "")),
    "to the host's loopback": ("web", "host:25", made(), ("broken", "listener")),
    "from the host to itself": ("host", "host:25", made(), ("ok", "")),
    "to the host, listeners unread": (
        "web",
        "host:22",
        made(listeners=None),
        ("unknown", "listener"),
    ),
    "from the host": ("host", "db:5432", made(), ("ok", "")),
    "from the host's network": ("hostly", "internet", made(), ("ok", "")),
    "to the host's network": ("web", "hostly:22", made(), ("ok", "")),
    "in one namespace": ("sidecar", "web:9", made(), ("ok", "")),
    "no uplink": ("internet", "web:8080", made(uplinks=Uplinks(())), ("broken", "uplink")),
    "uplinks unread": ("internet", "web:8080", made(uplinks=None), ("unknown", "uplink")),
}


@pytest.mark.parametrize("name", WAYS)
def test_where_a_connection_breaks(name: str) -> None:
    begin, target, host, wanted = WAYS[name]
    path = walked(begin, target, host)
    assert decided(path) == wanted, [f"{hop.place}: {hop.text}" for hop in path.hops]
    assert sum(hop.state == "broken" for hop in path.hops) <= 1
    assert all(hop.text and hop.place for hop in path.hops)


DRAWN = {
    "as usual": (TRANSLATED, "open", None),
    "no rule translates": (NAT_GONE, "closed", "untranslated"),
    "no rule translates, and a policy drops answers": (
        stack(table("filter", "-A FORWARD -i docker0 -j ACCEPT", policy="DROP")),
        "closed",
        "untranslated",
    ),
    "forwarding off": (SETTINGS_OFF, "closed", "forwarding"),
    "a route of a VPN takes the answers, and a policy drops them there": (
        stack(
            table("filter", "-A FORWARD -i docker0 -j ACCEPT", policy="DROP") + MASQUERADE,
            (PolicyRule(90, dst="172.17.0.0/16", table=102, action="lookup"),),
        ),
        "closed",
        "elsewhere",
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_the_drawing_and_the_walk_close_the_same_way(name: str) -> None:
    host, state, reason = DRAWN[name]
    drawn = _way_out(BRIDGE, [ALL[0]], host)
    assert (drawn.state, drawn.reason) == (state, reason)
    path = walked("web", "internet", made(host_stack=HostStack(host)))
    assert (path.state == "broken") == (state == "closed")


@pytest.mark.parametrize("name", CASES)
def test_a_walk_through_the_host_says_what_the_trace_says(name: str) -> None:
    """The trace agrees with real packets on generated hosts; its hops have to agree with the
    trace."""
    host, flow, outcome, _ = CASES[name]
    walk = PathWalk(
        made(host_stack=HostStack(host)),
        ends.End("host", "host"),
        ends.PathTarget("x", 1, "tcp"),
        ends.End("host", "x"),
    )
    from diagnose.firewall.trace import trace

    try:
        show(walk, trace(host, flow))
    except EndedError:
        state = "broken"
    else:
        state = "unknown" if any(hop.state == "unknown" for hop in walk.hops) else "ok"
    assert (
        state
        == {"accept": "ok", "drop": "broken", "reject": "broken", "unknown": "unknown"}[outcome]
    )


@pytest.mark.parametrize("word", ["nobody", "wev", "container web"])
def test_no_end(word: str) -> None:
    with pytest.raises(ends.UnknownEndError) as error:
        ends.end(word, Containers(ALL), INTERFACES)
    assert word != "wev" or "did you mean web" in str(error.value)


def test_an_address_is_whose_it_is() -> None:
    def kind(word: str) -> str:
        return ends.end(word, Containers(ALL), INTERFACES).kind

    assert [
        kind(word)
        for word in ("172.18.0.3", "192.0.2.10", "127.0.0.1", "198.51.100.7", "example.test")
    ] == ["container", "host", "host", "outside", "outside"]
