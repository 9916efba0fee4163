"""`diagnose path`: what the ends are, which hop is the first broken one, and how the answer is
written."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path as FilePath
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from diagnose import registry, session
from diagnose.evidence.containers.container import Container, Containers
from diagnose.evidence.containers.inspect import (
    Binding,
    HostConfig,
    NetworkEndpoint,
    NetworkSettings,
    State,
)
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Address, Interface, Interfaces
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.evidence.run.host_map import _way_out
from diagnose.model import Failed, Unavailable
from diagnose.path import ends, hops, probe
from diagnose.path.answer import FAMILIES, KINDS, PathAnswer, answer
from diagnose.path.model import Path, PathEvidence, SentPacket
from diagnose.path.traced import show
from diagnose.path.walk import EndedError, PathWalk
from diagnose.questions import AnyQuestion, Host
from diagnose.questions.network import PolicyRule, ProbeReply, Route
from diagnose.questions.run import Options
from diagnose.questions.sockets import Socket
from diagnose.render import path as rendering
from tests.firewall.test_trace import CASES, DNAT, MASQUERADE, stack, table
from tests.live.netns import PROJECT, root

DEMO = FilePath(__file__).parents[1] / "fixtures" / "demo"

# -- what the user typed ----------------------------------------

TARGETS = {
    "db": ("db", None, "tcp"),
    "db:5432": ("db", 5432, "tcp"),
    "dns:53/udp": ("dns", 53, "udp"),
    "dns/udp": ("dns", None, "udp"),
    "192.0.2.9:80": ("192.0.2.9", 80, "tcp"),
    "[fd00::1]:80": ("fd00::1", 80, "tcp"),
    "fd00::1": ("fd00::1", None, "tcp"),
}


@pytest.mark.parametrize("text", TARGETS)
def test_target(text: str) -> None:
    found = ends.target(text)
    assert (found.end, found.port, found.proto) == TARGETS[text]


@pytest.mark.parametrize(
    "text", ["", ":80", "db:", "db:0", "db:99999", "db:80/sctp", "db:http", "a b:80/"]
)
def test_no_target(text: str) -> None:
    with pytest.raises(ends.UnknownEndError):
        ends.target(text)


# -- a made host ----------------------------------------

SHOP = Network("a" * 64, "shop", "bridge", options={"com.docker.network.bridge.name": "br-shop"})
BRIDGE = Network(
    "b" * 64, "bridge", "bridge", options={"com.docker.network.bridge.name": "docker0"}
)
INNER = Network(
    "c" * 64, "inner", "bridge", internal=True, options={"com.docker.network.bridge.name": "br-in"}
)
PIDS = {
    "web": 10,
    "api": 11,
    "db": 12,
    "job": 13,
    "off": 0,
    "bare": 14,
    "hostly": 15,
    "sidecar": 16,
    "six": 17,
}


def container(
    name: str, networks: dict[str, str], *, mode: str = "", status: str = "running", **ports: Any
) -> Container:
    settings = NetworkSettings(
        {network: NetworkEndpoint(ip_address=address) for network, address in networks.items()},
        **ports,
    )
    state = State(status=status, pid=PIDS[name], exit_code=0 if PIDS[name] else 3)
    return Container(
        name * 8,
        f"/{name}",
        state=state,
        network_settings=settings,
        host_config=HostConfig(network_mode=mode),
    )


PUBLISHED = {"80/tcp": [Binding("0.0.0.0", "8080")], "81/tcp": [Binding("127.0.0.1", "8081")]}
ALL = (
    container("web", {"bridge": "172.17.0.2"}, ports=PUBLISHED),
    container("api", {"shop": "172.18.0.2"}),
    container("db", {"shop": "172.18.0.3"}),
    container("job", {"inner": "172.19.0.2"}),
    container("off", {"shop": ""}, status="exited"),
    container("bare", {}, mode="none"),
    container("hostly", {}, mode="host"),
    container("sidecar", {}, mode="container:" + "web" * 8),
)
VETHS = {"web": 7, "api": 8, "db": 9}
INTERFACES = Interfaces(
    (
        Interface(2, "eth0", up=True),
        Interface(4, "docker0", up=True, kind="bridge"),
        Interface(5, "br-shop", up=True, kind="bridge"),
        Interface(6, "br-in", up=True, kind="bridge"),
        Interface(7, "veth7", up=True, master=4),
        Interface(8, "veth8", up=True, master=5),
        Interface(9, "veth9", up=True, master=5),
    ),
    (Address(2, "192.0.2.10", 24), Address(4, "172.17.0.1", 16), Address(5, "172.18.0.1", 16)),
)


def inside(
    name: str,
    *sockets: Socket,
    routes: tuple[Route, ...] = (Route("0.0.0.0", 0, gateway="172.17.0.1", oif=2),),
) -> ContainerNetns:
    found = next(each for each in ALL if each.name == name)
    addresses = [endpoint.ip_address for endpoint in found.endpoints.values()]
    link = Interface(2, "eth0", up=True, link=VETHS.get(name))
    return ContainerNetns(
        found, 1, (link,), tuple(Address(2, address, 16) for address in addresses), routes, sockets
    )


OPEN = (
    inside("web", Socket("tcp", "0.0.0.0", 80), Socket("tcp", "127.0.0.1", 9)),
    inside("api"),
    inside("db", Socket("tcp", "::", 5432), Socket("udp", "172.18.0.3", 53)),
    inside("job"),
)
HOST = stack(
    MASQUERADE.replace("172.17.0.0/16 ! -o docker0", "172.16.0.0/12 -o eth0") + table("filter")
)
TRANSLATED = stack(table("nat", DNAT, "-A POSTROUTING -s 172.16.0.0/12 -o eth0 -j MASQUERADE"))


def made(**changes: Any) -> PathEvidence:
    host = PathEvidence(
        Containers(ALL),
        Networks((BRIDGE, INNER, SHOP)),
        HostStack(TRANSLATED),
        INTERFACES,
        Uplinks((Uplink("eth0", "192.0.2.10"),), {2: "eth0"}, {2: "192.0.2.10"}),
        Namespaces({netns.container.id: netns for netns in OPEN}),
        Listeners(
            (Listener("tcp", "0.0.0.0", 22, 1, "sshd"), Listener("tcp", "127.0.0.1", 25, 2, "exim"))
        ),
    )
    return replace(host, **changes)


def walked(begin: str, target: str, host: PathEvidence) -> Path:
    first = ends.end(begin, host.containers, host.interfaces)
    wanted = ends.target(target)
    last = ends.end(wanted.end, host.containers, host.interfaces, first.container)
    return hops.path(host, first, wanted, last)


def decided(path: Path) -> tuple[str, str]:
    return path.state, path.decisive.kind if path.decisive else ""


def test_what_could_not_be_had_says_why() -> None:
    late = "timed out: no answer in 1.6 s"
    reasons = {HostStack: late, Interfaces: late, Namespaces: "forbidden: not root"}
    host = made(host_stack=None, interfaces=None, namespaces=None, reasons=reasons)
    unknown = [hop.text for hop in walked("api", "internet", host).hops if hop.state == "unknown"]
    assert [text.partition(": ")[2] for text in unknown] == ["forbidden: not root", late, late]


def without(name: str) -> Namespaces:
    return Namespaces({netns.container.id: netns for netns in OPEN if netns.container.name != name})


def changed(netns: ContainerNetns) -> Namespaces:
    return Namespaces({**{each.container.id: each for each in OPEN}, netns.container.id: netns})


SIX = container("six", {"shop": ""})


def linked(index: int, **fields: Any) -> Interfaces:
    return Interfaces(
        tuple(replace(link, **fields) if link.index == index else link for link in INTERFACES),
        INTERFACES.addresses,
    )


DROPPED = stack(table("filter", "-A FORWARD -i br-shop -j DROP") + MASQUERADE)
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
    "a port that nobody serves": ("api", "db:80", made(), ("broken", "listener")),
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
    "in, by a rule of the user to a port that nobody serves": (
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
    "no uplink": ("internet", "web:8080", made(uplinks=None), ("broken", "uplink")),
}


@pytest.mark.parametrize("name", WAYS)
def test_way(name: str) -> None:
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
    ] == [
        "container",
        "host",
        "host",
        "outside",
        "outside",
    ]


# -- the answer on a recorded host ----------------------------------------


@pytest.fixture(scope="module")
def demo() -> Any:
    known = registry.load()
    selected = [id for id, check in known.items() if check.family in FAMILIES]
    options = Options(source=DEMO, budget_s=120)
    return session.diagnose(lambda: known, selected, options, began=time.monotonic(), shown=KINDS)


def answered(report: Any, begin: str, target: str) -> PathAnswer:
    found = answer(report, begin, target)
    assert isinstance(found, PathAnswer)
    return found


DEMO_WAYS = {
    ("web", "internet"): (2, "firewall.chains-missing", "fix"),
    ("internet", "web:8080"): (0, None, None),
    ("stray", "web:80"): (2, None, "confirm"),
    ("batch", "internet"): (2, "container.entrypoint-forbidden", "fix"),
}


@pytest.mark.parametrize("ways", DEMO_WAYS, ids=" ".join)
def test_demo(demo: Any, ways: tuple[str, str]) -> None:
    found = answered(demo, *ways)
    code, id, purpose = DEMO_WAYS[ways]
    assert found.exit_code == code
    assert (found.finding.id if found.finding else None) == id
    assert (found.cure.purpose if found.cure else None) == purpose


def test_a_port_of_the_host_has_to_be_named(demo: Any) -> None:
    with pytest.raises(ends.UnknownEndError, match="which port"):
        answer(demo, "web", "host")


def test_the_answer_is_written_three_ways(demo: Any) -> None:
    found = answered(demo, "web", "internet")
    texts = {}
    for format_ in ("text", "json", "svg"):
        stream = io.StringIO()
        rendering.render(found, format_, stream, color=False)
        texts[format_] = stream.getvalue()
    assert texts["text"].startswith('BROKEN container "web" to internet: FORWARD: ')
    assert "diagnose repair firewall.chains-missing" in texts["text"]
    document = json.loads(texts["json"])
    assert document["state"] == "broken"
    assert [hop["state"] for hop in document["hops"]][-1] == "broken"
    picture = ElementTree.fromstring(texts["svg"])
    assert picture.tag.endswith("svg")
    assert "policy drop" in texts["svg"]


def test_hostile_names_are_text_in_the_drawing(demo: Any) -> None:
    found = answered(demo, "web", "internet")
    hops = tuple(replace(hop, place="<script>", text="</svg>&\x1b[31m") for hop in found.path.hops)
    stream = io.StringIO()
    rendering.render(replace(found, path=replace(found.path, hops=hops)), "svg", stream)
    assert "<script>" not in stream.getvalue()
    assert ElementTree.fromstring(stream.getvalue()) is not None


# -- the packet of --probe ----------------------------------------


class _Net:
    """A host that answers probes and names as it is set to, and keeps what it was asked."""

    def __init__(self, outcome: str | Failed, names: dict[str, list[str]] | None = None) -> None:
        self.outcome = outcome
        self.names = names or {}
        self.asked: list[AnyQuestion] = []

    def ask(self, question: AnyQuestion) -> Any:
        self.asked.append(question)
        if question.kind == "dns.query":
            found = self.names.get(question.args["name"])
            if found is None:
                return {"answered": False}
            rcode = "NOERROR" if found else "NXDOMAIN"
            return {"answered": True, "ms": 1.0, "rcode": rcode, "answers": found}
        if isinstance(self.outcome, Failed):
            return self.outcome
        return {"outcome": self.outcome, "ms": 2.0}

    def ask_many(self, questions: Any) -> Any:
        return ((question, self.ask(question)) for question in questions)


RESOLVERS = Resolvers(
    ResolvConf(("192.0.2.53",)),
    Unavailable("missing", ""),
    (),
    {found.id: ResolvConf(("127.0.0.11",)) for found in ALL},
)
NAMES = {"db": ["172.18.0.3"], "example.test": ["cdn.example.test.", "198.51.100.7"], "no.test": []}
FILTERED = made(host_stack=HostStack(DROPPED))
PROXIED = made(
    host_stack=HostStack(HOST),
    listeners=Listeners((Listener("tcp", "0.0.0.0", 8080, 3, "docker-proxy"),)),
    namespaces=changed(inside("web")),
)

PACKETS: dict[str, tuple[str, str, PathEvidence, str | Failed, str, bool | None, str]] = {
    # name: ends, host, outcome -> state, whether walk and packet agree, where it was sent
    "by name": ("api", "db:5432", made(), "accepted", "ok", True, "172.18.0.3:5432"),
    "by address": ("api", "172.18.0.3:5432", made(), "accepted", "ok", True, "172.18.0.3:5432"),
    "refused": ("api", "db:80", made(), "refused", "broken", True, "172.18.0.3:80"),
    "lost": ("api", "db:5432", made(), "silent", "broken", False, "172.18.0.3:5432"),
    "a walk that errs": ("api", "192.0.2.99:80", FILTERED, "accepted", "ok", False, "192.0.2.99:80"),
    "a walk that knows nothing": (
        "web", "192.0.2.99:80", made(host_stack=None), "accepted", "ok", None, "192.0.2.99:80",
    ),
    "closed by the service": ("api", "db:5432", made(), "closed", "ok", True, "172.18.0.3:5432"),
    "UDP is silent": ("api", "db:53/udp", made(), "silent", "ok->unknown", None, "172.18.0.3:53"),
    "UDP answers": ("api", "db:53/udp", made(), "answered", "ok", True, "172.18.0.3:53"),
    "the proxy accepts": ("host", "host:8080", PROXIED, "accepted", "broken", None, "127.0.0.1:8080"),
    "the proxy closes": ("host", "host:8080", PROXIED, "closed", "broken", True, "127.0.0.1:8080"),
    "a name outside": ("web", "example.test", made(), "accepted", "ok", True, "198.51.100.7:443"),
    "a name that is none": ("web", "no.test", made(), "accepted", "broken", False, ":0"),
    "a silent resolver": ("web", "mute.test", made(), "accepted", "broken", False, ":0"),
    "the host": ("api", "host:22", made(), "accepted", "ok", True, "172.18.0.1:22"),
    "one namespace": ("sidecar", "web:9", made(), "accepted", "ok", True, "127.0.0.1:9"),
    "not allowed to": (
        "api", "db:5432", made(), Failed("forbidden", "run as root"), "ok->unknown", None,
        "172.18.0.3:5432",
    ),
    "from what does not run": ("off", "db:5432", made(), "accepted", "broken", None, ":0"),
    "to what does not run": ("api", "off:80", made(), "accepted", "broken", None, ":0"),
}  # fmt: skip


@pytest.mark.parametrize("name", PACKETS)
def test_packet(name: str) -> None:
    begin, target, host, outcome, state, agrees, where = PACKETS[name]
    net = _Net(outcome, NAMES)
    path = walked(begin, target, host)
    packet = probe.send(Host(net), host, RESOLVERS, path)
    path = replace(path, packet=packet)
    assert path.state == state.rpartition(">")[2], packet.text
    assert path.agrees is agrees, packet.text
    assert f"{packet.address}:{packet.port}" == where
    assert packet.text
    assert path.decisive is None or path.decisive.state == path.state


def test_a_packet_leaves_the_namespace_of_its_sender() -> None:
    net = _Net("accepted", NAMES)
    path = walked("api", "db:5432", made())
    probe.send(Host(net), made(), RESOLVERS, path)
    assert [(asked.kind, asked.args["pid"]) for asked in net.asked] == [
        ("dns.query", PIDS["api"]),
        ("net.probe", PIDS["api"]),
    ]
    hostly = _Net("accepted")
    probe.send(Host(hostly), made(), RESOLVERS, walked("hostly", "db:5432", made()))
    assert [asked.args["pid"] for asked in hostly.asked] == [None]


@pytest.mark.parametrize("ways", [("internet", "web:80"), ("web", "internet")], ids=" ".join)
def test_no_packet_can_be_sent_from_or_to_anywhere(ways: tuple[str, str]) -> None:
    with pytest.raises(ends.UnknownEndError, match="--probe sends"):
        probe.require_sendable(*ways)


def test_the_packet_is_written_beside_the_walk(demo: Any) -> None:
    found = answered(demo, "web", "internet")
    packet = SentPacket(
        "to 192.0.2.9:443/tcp: accepted", "ok", "192.0.2.9", 443, ProbeReply("accepted")
    )
    found = replace(found, path=replace(found.path, packet=packet))
    stream = io.StringIO()
    rendering.render(found, "text", stream, color=False)
    text = stream.getvalue()
    assert text.startswith('OPEN container "web" to internet: a packet came through')
    assert "walk and packet disagree" in text
    stream = io.StringIO()
    rendering.render(found, "json", stream)
    document = json.loads(stream.getvalue())
    assert (document["state"], document["walk"]) == ("open", "broken")
    assert document["packet"]["agrees"] is False


def test_a_recording_sends_nothing() -> None:
    from diagnose.cli.main import group

    ways = ["path", "web", "internet", "--probe", "--from", str(DEMO)]
    done = CliRunner().invoke(group, ways, standalone_mode=True)
    assert done.exit_code == 2  # main makes it 3
    assert "--probe does not go with --from" in done.output


# -- the packet itself ----------------------------------------


@root
def test_what_becomes_of_a_packet() -> None:
    """In a namespace of its own: listeners, none, rules, and no route."""
    setup = """
ip link set lo up; ip addr add 10.9.9.1/32 dev lo
iptables -A INPUT -p tcp --dport 81 -j DROP
iptables -A INPUT -p tcp --dport 82 -j REJECT --reject-with icmp-host-prohibited
"$PYTHON" - <<'END' &
import socket, time
served = socket.create_server(("10.9.9.1", 80), backlog=8)
closing = socket.create_server(("10.9.9.1", 83), backlog=8)
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); echo.bind(("10.9.9.1", 53))
import threading
def close():
    while True:
        closing.accept()[0].close()
threading.Thread(target=close, daemon=True).start()
while True:
    data, peer = echo.recvfrom(99); echo.sendto(data, peer)
END
while ! ss -ltn | grep -q :83; do sleep 0.05; done
"""
    cases = {
        "accepted": ("10.9.9.1", 80, "tcp"),
        "refused": ("10.9.9.1", 84, "tcp"),
        "silent": ("10.9.9.1", 81, "tcp"),
        "unreachable": ("10.9.9.1", 82, "tcp"),
        "closed": ("10.9.9.1", 83, "tcp"),
        "answered": ("10.9.9.1", 53, "udp"),
    }
    script = """
import json, sys
from diagnose.live import Live
from diagnose.live.network.probe import probe
from diagnose.questions.network import ProbeServer
from diagnose.questions.run import Options
live = Live(Options(send=True))
cases = json.loads(sys.argv[1])
outcomes = {name: probe(live, ProbeServer(*case))["outcome"] for name, case in cases.items()}
outcomes["no route"] = probe(live, ProbeServer("10.8.8.8", 80))["outcome"]
outcomes["without the option"] = Live().ask(ProbeServer("10.9.9.1", 80)).reason
print(json.dumps(outcomes))
"""
    run = f'{setup}\n"$PYTHON" -c "$1" "$2"; kill %1'
    done = subprocess.run(
        ["unshare", "--net", "bash", "-ec", run, "bash", script, json.dumps(cases)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    seen = json.loads(done.stdout)
    assert seen.pop("no route") == "unreachable"
    assert seen.pop("without the option") == "not allowed"
    assert seen == {name: name for name in cases}
