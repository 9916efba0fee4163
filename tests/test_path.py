"""`diagnose path`: what the ends are, which hop is the first broken one, and how the answer is
written."""

from __future__ import annotations

import io
import json
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path as FilePath
from typing import Any

import pytest
from msgspec.structs import replace

from diagnose import registry, session
from diagnose.evidence.containers.inspect import (
    Binding,
    Container,
    Containers,
    HostConfig,
    NetworkEndpoint,
    NetworkSettings,
    State,
)
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Address, Interface, Interfaces
from diagnose.evidence.network.listeners import Listener, Listeners
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.path import ends
from diagnose.path.answer import FAMILIES, KINDS, PathAnswer, answer
from diagnose.path.hops import Path, PathEvidence, Walker
from diagnose.questions.network import Route, Socket
from diagnose.questions.run import Options
from diagnose.render import path as rendering
from tests.firewall.test_trace import CASES, DNAT, MASQUERADE, stack, table

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
    return Walker(host, first, wanted, last).path()


def decided(path: Path) -> tuple[str, str]:
    return path.state, path.decisive.kind if path.decisive else ""


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
    "out": ("web", "internet", made(), ("ok", "")),
    "out, forwarding off": (
        "web",
        "internet",
        made(host_stack=HostStack(SETTINGS_OFF)),
        ("broken", "forwarding"),
    ),
    "out, dropped": ("api", "internet", made(host_stack=HostStack(DROPPED)), ("broken", "filter")),
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


@pytest.mark.parametrize("name", CASES)
def test_a_walk_through_the_host_says_what_the_trace_says(name: str) -> None:
    """The trace agrees with real packets on generated hosts; its hops have to agree with the
    trace."""
    host, flow, outcome, _ = CASES[name]
    walker = Walker(
        made(host_stack=HostStack(host)),
        ends.End("host", "host"),
        ends.PathTarget("x", 1, "tcp"),
        ends.End("host", "x"),
    )
    from diagnose.firewall.trace import trace
    from diagnose.path import hops

    try:
        walker._traced(trace(host, flow))
    except hops._EndedError:
        state = "broken"
    else:
        state = "unknown" if any(hop.state == "unknown" for hop in walker._hops) else "ok"
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
