"""The network family on evidence made by hand: what fires, what stays silent, what does not
apply."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.error_signatures import signs
from diagnose.evidence.containers.inspect import HostConfig
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.log_tails import LogTail, LogTails
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, Record
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.conntrack import Conntrack
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.evidence.network.docker_interfaces import docker_interfaces
from diagnose.evidence.network.interfaces import Address, Interface, Interfaces
from diagnose.evidence.network.listeners import Listener, Listeners, overlap
from diagnose.evidence.network.mtu_harm import Harm, MtuHarm
from diagnose.evidence.network.neighbours import Neighbour, NeighbourLimits, Neighbours
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.nonlocal_bind import NonlocalBind
from diagnose.evidence.network.packet_filter import Firewall
from diagnose.evidence.network.packet_paths import Forwarding
from diagnose.evidence.network.packet_sizes import PacketSizes, packet_sizes
from diagnose.evidence.network.path_mtu import PathMtu
from diagnose.evidence.network.route_lookups import RouteLookup, RouteLookups
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.tunnels import Tunnels
from diagnose.evidence.network.udp_flows import UdpFlow, UdpFlows
from diagnose.firewall import iptables
from diagnose.firewall.rules import Ruleset
from diagnose.model import CheckItem, Finding, Severity, Skipped, Unavailable, Unexamined, Verdict
from tests.judging import judge, rows

UNKNOWN = Unavailable("forbidden", "not root")
STARTED = 1767225600.0
"""Unix time at which `container` was started."""
NET_ID = "0123456789ab" + 52 * "0"


def container(name: str, **fields: Any) -> Container:
    """A container as inspect shows it: running, with an address on network shop, unless `fields`
    say otherwise."""
    state = {"Status": "running", "Pid": 7, "StartedAt": "2026-01-01T00:00:00Z"} | fields.pop(
        "State", {}
    )
    settings = {
        "Networks": {"shop": {"IPAddress": "172.18.0.2", "MacAddress": "02:42:ac:12:00:02"}}
    } | fields.pop("NetworkSettings", {})
    return msgspec.convert(
        {"Id": name.ljust(64, "0"), "Name": f"/{name}", "State": state, "NetworkSettings": settings}
        | fields,
        Container,
    )


def failed(name: str, error: str, **fields: Any) -> Container:
    return container(
        name,
        State={"Status": "created", "Pid": 0, "ExitCode": 128, "Error": error},
        NetworkSettings={"Networks": {}},
        **fields,
    )


def network(
    name: str = "shop", subnet: str = "172.18.0.0/16", gateway: str = "172.18.0.1", **fields: Any
) -> Network:
    pools = [{"Subnet": subnet, "Gateway": gateway} | fields.pop("pool", {})]
    made = {"Id": NET_ID, "Name": name, "Driver": "bridge", "IPAM": {"Config": pools}} | fields
    return msgspec.convert(made, Network)


BRIDGE = Interface(
    index=5, name="br-0123456789ab", up=True, operstate="up", kind="bridge", mtu=1500
)
UPLINK = Interface(index=2, name="eth0", up=True, operstate="up", mtu=1500)
VETH = Interface(
    index=9, name="veth1", up=True, operstate="up", kind="veth", link=8, link_netnsid=0, master=5
)
ADDRESSES = (Address(5, "172.18.0.1", 16), Address(2, "192.0.2.10", 24))


def links(*items: Interface, addresses: tuple[Address, ...] = ADDRESSES) -> Interfaces:
    return Interfaces(items or (UPLINK, BRIDGE, VETH), addresses)


def altered(link: Interface, **fields: Any) -> Interface:
    return msgspec.structs.replace(link, **fields)


def found(answer: Any) -> list[tuple[str, Severity | None]]:
    """Subject and severity of each finding."""
    assert not isinstance(answer, Skipped), answer
    return [(str(each.subject), each.severity) for each in answer if isinstance(each, Finding)]


TAKEN = "driver failed programming external connectivity on endpoint b (1): Bind for 0.0.0.0:8080 failed: port is already allocated"
PUBLISHED = {"Networks": {}, "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}}
PUBLISHED_UDP = {"Networks": {}, "Ports": {"80/udp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}}
WANTS = {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}}


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        pytest.param(
            [failed("b", TAKEN, HostConfig=WANTS), container("a", NetworkSettings=PUBLISHED)],
            [("container:b", Severity.critical)],
            id="another has it",
        ),
        pytest.param(
            [failed("b", TAKEN, HostConfig=WANTS)],
            [("container:b", Severity.warning)],
            id="free by now",
        ),
        pytest.param(
            [failed("b", TAKEN, HostConfig=WANTS), container("a", NetworkSettings=PUBLISHED_UDP)],
            [("container:b", Severity.warning)],
            id="udp does not clash with tcp",
        ),
        pytest.param(
            [container("b"), container("a", NetworkSettings=PUBLISHED)], [], id="no error"
        ),
    ],
)
def test_port_allocated(listed: list[Container], expected: list[Any]) -> None:
    assert (
        found(judge("network.port-allocated", containers=Containers(tuple(listed))).findings)
        == expected
    )


def test_the_holder_of_a_port_is_named_and_touched() -> None:
    listed = Containers(
        (failed("b", TAKEN, HostConfig=WANTS), container("a", NetworkSettings=PUBLISHED))
    )
    (finding,) = judge("network.port-allocated", containers=listed).findings
    assert 'container "a" publishes it' in finding.summary
    assert [str(each) for each in finding.touches] == ["container:a"]
    assert finding.signs == {"port-taken"}


OLD_BIND = "Error starting userland proxy: listen tcp4 0.0.0.0:8080: bind: address already in use"
NEW_BIND = "failed to bind host port for 0.0.0.0:8080:172.17.0.3:80/tcp: address already in use"
SIX_BIND = "Error starting userland proxy: listen tcp6 [::]:8080: bind: address already in use"
NGINX = Listener("tcp", "0.0.0.0", 8080, 12, "nginx", None)


@pytest.mark.parametrize("error", [OLD_BIND, NEW_BIND, SIX_BIND], ids=["up to 27", "28", "IPv6"])
@pytest.mark.parametrize(
    ("held", "severity", "words"),
    [
        pytest.param(Listeners((NGINX,)), Severity.critical, "held by nginx (pid 12)", id="held"),
        pytest.param(Listeners(()), Severity.warning, "is free now", id="free by now"),
        pytest.param(UNKNOWN, Severity.critical, "was in use", id="cannot look"),
    ],
)
def test_port_held_by_process(error: str, held: Any, severity: Severity, words: str) -> None:
    if error is SIX_BIND and isinstance(held, Listeners) and len(held):
        held = Listeners((Listener("tcp6", "::", 8080, 12, "nginx", None),))
    known = {} if held is UNKNOWN else {"listeners": held}
    (finding,) = judge(
        "network.port-held-by-process", containers=Containers((failed("b", error),)), **known
    ).findings
    assert (finding.severity, finding.discriminator) == (severity, "8080/tcp")
    assert words in finding.summary


def test_a_missing_address_is_not_a_held_port() -> None:
    error = "listen tcp4 10.9.9.9:80: bind: cannot assign requested address"
    listed = Containers((failed("b", error),))
    assert (
        rows(judge("network.port-held-by-process", containers=listed, listeners=Listeners(())))
        == []
    )
    assert rows(judge("network.bind-address-missing", containers=listed, links=links())) == [
        ("critical", "b")
    ]
    there = links(addresses=(Address(2, "10.9.9.9", 24),))
    assert rows(judge("network.bind-address-missing", containers=listed, links=there)) == [
        ("warning", "b")
    ]


@pytest.mark.parametrize(
    ("address", "setting", "expected"),
    [
        pytest.param("192.0.2.10", NonlocalBind(False), [], id="there"),
        pytest.param(
            "192.0.2.77", NonlocalBind(False), [("container:a", Severity.warning)], id="gone"
        ),
        pytest.param("192.0.2.77", NonlocalBind(True), [], id="a stand-by"),
        pytest.param("192.0.2.77", UNKNOWN, [], id="not known whether a stand-by"),
        pytest.param("0.0.0.0", NonlocalBind(False), [], id="all addresses"),
        pytest.param("127.0.0.1", NonlocalBind(False), [], id="loopback"),
        pytest.param("::", NonlocalBind(False), [], id="IPv6"),
    ],
)
def test_an_address_that_left_the_host(address: str, setting: Any, expected: list[Any]) -> None:
    published = {"Networks": {}, "Ports": {"80/tcp": [{"HostIp": address, "HostPort": "8080"}]}}
    listed = Containers((container("a", NetworkSettings=published),))
    known = {} if setting is UNKNOWN else {"nonlocal_bind": setting}
    result = judge("network.bind-address-missing", containers=listed, links=links(), **known)
    assert found(result.findings) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("0.0.0.0", "192.0.2.1", True),
        ("::", "192.0.2.1", True),
        ("", "192.0.2.1", True),
        ("[::]", "0.0.0.0", True),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("127.0.0.1", "::1", False),
        ("0.0.0.0", "::1", False),
    ],
)
def test_overlap(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is overlap(other, one) is expected


INNER = Interface(
    index=8, name="eth0", up=True, operstate="up", kind="veth", link=9, link_netnsid=0, mtu=1500
)


def inside(
    who: Container,
    *sockets: Socket,
    link: Interface | None = INNER,
    addresses: tuple[Address, ...] = (Address(8, "172.18.0.2", 16),),
    routes: tuple[Route, ...] = (),
) -> Namespaces:
    return Namespaces(
        {who.id: ContainerNetns(who, 1, (link,) if link else (), addresses, routes, sockets)}
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
LATER = Clock(wall=1767225600.0 + 3600, booted=0)


@pytest.mark.parametrize(
    ("who", "sockets", "clock", "expected"),
    [
        pytest.param(WEB, [], LATER, [("container:web", Severity.warning)], id="nobody listens"),
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
    known = {"containers": Containers((who,)), "namespaces": inside(who, *sockets), "clock": clock}
    assert found(judge("network.published-port-not-listening", **known).findings) == expected


HOSTED = {"NetworkMode": "host"}
ENDED = {"Status": "exited", "Pid": 0, "ExitCode": 1}
IN_USE = "listen tcp :8080: bind: address already in use"


@pytest.mark.parametrize(
    ("who", "log", "expected"),
    [
        pytest.param(
            container("a", HostConfig=HOSTED, State=ENDED),
            IN_USE,
            ["container:a"],
            id="ended by it",
        ),
        pytest.param(container("a", HostConfig=HOSTED), IN_USE, [], id="runs by now"),
        pytest.param(
            container("a", HostConfig={"NetworkMode": "shop"}, State=ENDED),
            IN_USE,
            [],
            id="own network",
        ),
        pytest.param(
            container("a", HostConfig=HOSTED, State=ENDED), "no license", [], id="ended otherwise"
        ),
    ],
)
def test_host_port_conflict(who: Container, log: str, expected: list[str]) -> None:
    words = LogTails({who.id: LogTail((log,))}, {})
    known = {"containers": Containers((who,)), "words": words, "listeners": Listeners((NGINX,))}
    assert [
        str(finding.subject) for finding in judge("network.host-port-conflict", **known).findings
    ] == expected


RESOLVED = Listener("udp", "127.0.0.53", 53, 7, "systemd-resolve", None)


@pytest.mark.parametrize(
    ("log", "holder", "variables"),
    [
        pytest.param(IN_USE, NGINX, {"container": "a", "port": "8080"}, id="a server"),
        pytest.param(
            "dnsmasq: failed to create listening socket for port 53: Address in use",
            RESOLVED,
            {"container": "a", "stub_unit": "systemd-resolved"},
            id="the host's DNS stub, as musl says it",
        ),
    ],
)
def test_what_holds_the_port_of_the_host(
    log: str, holder: Listener, variables: dict[str, str]
) -> None:
    who = container("a", HostConfig=HOSTED, State=ENDED)
    known = {"containers": Containers((who,)), "words": LogTails({who.id: LogTail((log,))}, {})}
    (finding,) = judge(
        "network.host-port-conflict", **known, listeners=Listeners((holder,))
    ).findings
    assert finding.variables == variables
    assert signs(log) == {"port-taken"}


def on(name: str, networks: dict[str, dict[str, str]], **fields: Any) -> Container:
    return container(
        name, NetworkSettings={"Networks": networks, **fields.pop("Settings", {})}, **fields
    )


VAULT = network("vault", Internal=True)
PUBLISHES = {"HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}}}
AT = {"IPAddress": "172.18.0.2", "MacAddress": "02:42:ac:12:00:02"}


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        pytest.param(on("a", {"vault": AT}, **PUBLISHES), [("warning", "a")], id="internal alone"),
        pytest.param(on("a", {"vault": AT, "shop": AT}, **PUBLISHES), [], id="another network too"),
        pytest.param(on("a", {"vault": AT}), [], id="publishes nothing"),
        pytest.param(on("a", {"shop": AT}, **PUBLISHES), [], id="an ordinary network"),
    ],
)
def test_published_on_internal(who: Container, expected: list[tuple[str, str]]) -> None:
    nets = Networks((network(), VAULT))
    assert (
        rows(judge("network.published-on-internal", containers=Containers((who,)), networks=nets))
        == expected
    )


OTHER_MAC = {"IPAddress": "172.18.0.3", "MacAddress": "02:42:ac:12:00:03"}
SAME_MAC = {"IPAddress": "172.18.0.3", "MacAddress": "02:42:AC:12:00:02"}


@pytest.mark.parametrize(
    ("second", "driver", "expected"),
    [
        pytest.param(on("b", {"shop": SAME_MAC}), "bridge", [("critical", "shop")], id="equal"),
        pytest.param(on("b", {"shop": OTHER_MAC}), "bridge", [], id="different"),
        pytest.param(on("b", {"vault": SAME_MAC}), "bridge", [], id="on another network"),
        pytest.param(on("b", {"shop": SAME_MAC}), "ipvlan", [], id="ipvlan: by design"),
        pytest.param(on("b", {"shop": SAME_MAC}, State=ENDED), "bridge", [], id="it does not run"),
    ],
)
def test_mac_duplicate(second: Container, driver: str, expected: list[tuple[str, str]]) -> None:
    listed = Containers((on("a", {"shop": AT}), second))
    nets = Networks((network(Driver=driver), VAULT))
    assert rows(judge("network.mac-duplicate", containers=listed, networks=nets)) == expected


@pytest.mark.parametrize(
    ("entry", "driver", "expected"),
    [
        pytest.param(
            Neighbour("172.18.0.2", "eth0", ""), "macvlan", [("warning", "a")], id="no answer"
        ),
        pytest.param(
            Neighbour("172.18.0.2", "eth0", ""), "ipvlan", [("warning", "a")], id="ipvlan"
        ),
        pytest.param(
            Neighbour("172.18.0.2", "eth0", "02:42:ac:12:00:02"), "macvlan", [], id="by a shim"
        ),
        pytest.param(Neighbour("172.18.0.9", "eth0", ""), "macvlan", [], id="somebody else"),
        pytest.param(Neighbour("172.18.0.2", "eth0", ""), "bridge", [], id="a bridge network"),
    ],
)
def test_macvlan_host_unreachable(
    entry: Neighbour, driver: str, expected: list[tuple[str, str]]
) -> None:
    nets = Networks((network(Driver=driver, Options={"parent": "eth0"}),))
    known = {"containers": Containers((on("a", {"shop": AT}),)), "networks": nets, "links": links()}
    assert (
        rows(judge("network.macvlan-host-unreachable", **known, neighbours=Neighbours((entry,))))
        == expected
    )


PROXY = [
    "docker-proxy",
    "-proto",
    "tcp",
    "-host-port",
    "8080",
    "-container-ip",
    "172.17.0.9",
    "-container-port",
    "80",
]
INIT, ENGINE = Process(1, comm="systemd"), Process(20, comm="dockerd")


@pytest.mark.parametrize(
    ("parent", "listed", "expected"),
    [
        pytest.param(1, [container("a")], [("warning", "host")], id="of nobody"),
        pytest.param(
            1, [failed("b", OLD_BIND)], [("critical", "host")], id="a container wants the port"
        ),
        pytest.param(20, [container("a")], [], id="of an engine"),
        pytest.param(
            1, [container("a", NetworkSettings=PUBLISHED)], [], id="its port is published"
        ),
    ],
)
def test_proxy_orphaned(
    parent: int, listed: list[Container], expected: list[tuple[str, str]]
) -> None:
    processes = Processes(
        (INIT, ENGINE, Process(30, ppid=parent, comm="docker-proxy", cmdline=PROXY))
    )
    result = judge(
        "network.proxy-orphaned", containers=Containers(tuple(listed)), processes=processes
    )
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.variables["pid"] == "30"


@pytest.mark.parametrize(
    ("net", "seen", "listed", "expected"),
    [
        pytest.param(network(), links(), [container("a")], [], id="as it should be"),
        pytest.param(
            network(),
            links(altered(BRIDGE, operstate="down")),
            [],
            [],
            id="without a carrier: nobody is attached",
        ),
        pytest.param(
            network(),
            links(altered(BRIDGE, up=False)),
            [container("a")],
            [("network:shop", Severity.critical)],
            id="switched off",
        ),
        pytest.param(
            network(),
            links(altered(BRIDGE, up=False)),
            [],
            [("network:shop", Severity.warning)],
            id="off, unused",
        ),
        pytest.param(
            network(),
            links(UPLINK),
            [container("a")],
            [("network:shop", Severity.critical)],
            id="gone",
        ),
        pytest.param(
            network(),
            links(BRIDGE, addresses=()),
            [container("a")],
            [("network:shop", Severity.critical)],
            id="no address",
        ),
        pytest.param(
            network(gateway=""),
            links(BRIDGE, addresses=()),
            [
                container(
                    "a",
                    NetworkSettings={
                        "Networks": {"shop": {"IPAddress": "172.18.0.2", "Gateway": "172.18.0.1"}}
                    },
                )
            ],
            [("network:shop", Severity.critical)],
            id="no address, and only containers know the gateway",
        ),
        pytest.param(
            network(Options={"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}),
            links(BRIDGE, addresses=()),
            [container("a")],
            [],
            id="isolated: no address by design",
        ),
        pytest.param(network(Driver="overlay"), links(UPLINK), [], [], id="no bridge network"),
    ],
)
def test_bridge_down(
    net: Network, seen: Interfaces, listed: list[Container], expected: list[Any]
) -> None:
    answer = judge(
        "network.bridge-down",
        networks=Networks((net,)),
        links=seen,
        containers=Containers(tuple(listed)),
    )
    assert found(answer.findings) == expected


OWN = Route(dst="172.18.0.0", prefix=16, oif=5, scope="link")


@pytest.mark.parametrize(
    ("net", "routes", "expected"),
    [
        pytest.param(network(), (OWN,), [], id="its own"),
        pytest.param(network(), (Route(dst="172.18.0.0", prefix=16, oif=2),), ["has no route to 172.18.0.2"], id="by another interface"),
        pytest.param(network(), (), ["has no route to 172.18.0.2"], id="none"),
        pytest.param(network(), (Route(dst="172.18.0.0", prefix=16, oif=5, table=7),), [], id="of a VRF"),
        pytest.param(network(Options={"com.docker.network.bridge.inhibit_ipv4": "true"}), (), [], id="by design"),
    ],
)  # fmt: skip
def test_bridge_without_a_route(
    net: Network, routes: tuple[Route, ...], expected: list[str]
) -> None:
    listed = Containers((container("a"),))
    known = {
        "networks": Networks((net,)),
        "links": links(),
        "containers": listed,
        "routes": Routes(routes),
    }
    said = [finding.summary for finding in judge("network.bridge-down", **known).findings]
    assert [words in each for each, words in zip(said, expected, strict=True)] == [True] * len(
        expected
    )


def test_bridges_of_podman_and_of_a_rootless_engine_are_not_judged() -> None:
    bare = {
        "networks": Networks((network(),)),
        "links": links(UPLINK),
        "containers": Containers(()),
    }
    assert (
        judge("network.bridge-down", **bare, ping=Ping("1.41", "", "4.3.1")).verdict
        is Verdict.SKIPPED
    )
    rootless = msgspec.convert({"SecurityOptions": ["name=rootless"]}, Info)
    assert judge("network.bridge-down", **bare, info=rootless).verdict is Verdict.SKIPPED


@pytest.mark.parametrize(
    ("inner", "addresses", "seen", "words"),
    [
        pytest.param(INNER, (Address(8, "172.18.0.2", 16),), links(), None, id="plugged in"),
        pytest.param(
            INNER,
            (Address(8, "172.18.0.2", 16),),
            links(BRIDGE, altered(VETH, master=None)),
            "not attached",
            id="no bridge",
        ),
        pytest.param(
            INNER, (Address(8, "172.18.0.2", 16),), links(BRIDGE), "is gone", id="no peer"
        ),
        pytest.param(
            INNER,
            (Address(8, "172.18.0.2", 16),),
            links(BRIDGE, altered(VETH, up=False)),
            "is down",
            id="peer off",
        ),
        pytest.param(
            altered(INNER, up=False),
            (Address(8, "172.18.0.2", 16),),
            links(),
            "inside is down",
            id="off",
        ),
        pytest.param(
            altered(INNER, mac="02:42:ac:12:00:02"),
            (),
            links(),
            "lost its address",
            id="no address",
        ),
        pytest.param(None, (), links(), "no interface inside", id="no interface"),
        pytest.param(
            altered(INNER, kind="macvlan"),
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
        namespaces=inside(who, link=inner, addresses=addresses),
        links=seen,
        clock=LATER,
    )
    assert [words in finding.summary for finding in result.findings] == ([True] if words else [])


def test_a_cable_that_was_plugged_in_after_the_list_was_taken():
    who = container("a")
    seen = inside(who, link=INNER, addresses=(Address(8, "172.18.0.2", 16),))
    began_before = Clock(STARTED - 0.1, 0.0)
    known = {
        "containers": Containers((who,)),
        "networks": Networks((network(),)),
        "links": links(BRIDGE),
    }
    result = judge("network.veth-detached", **known, namespaces=seen, clock=began_before)
    assert [item.subject for item in result.unexamined] == [who.subject]
    assert result.findings == ()


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
    seen = inside(who, link=INNER, addresses=(Address(8, "172.18.0.2", 16),), routes=routes)
    neighbour = container("b", NetworkSettings={"Networks": {"shop": {"IPAddress": "172.18.0.3"}}})
    known = {
        "containers": Containers((who, neighbour)),
        "networks": Networks((net,)),
        "links": links(),
    }
    result = judge("network.veth-detached", **known, namespaces=seen, clock=LATER)
    assert ["default route" in finding.summary for finding in result.findings] == [True] * lost


DOCKERD = Processes((Process(1, comm="dockerd"),))


@pytest.mark.parametrize(
    ("nets", "seen", "expected"),
    [
        pytest.param([], links(BRIDGE), ["interface:br-0123456789ab"], id="of no network"),
        pytest.param([network()], links(BRIDGE), [], id="of a network"),
        pytest.param([], links(BRIDGE, VETH), [], id="somebody is attached"),
        pytest.param([], links(altered(BRIDGE, name="br-lan")), [], id="another kind of name"),
        pytest.param([], links(altered(BRIDGE, kind="vlan")), [], id="no bridge"),
    ],
)
def test_bridge_leaked(nets: list[Network], seen: Interfaces, expected: list[str]) -> None:
    result = judge(
        "network.bridge-leaked", networks=Networks(tuple(nets)), links=seen, processes=DOCKERD
    )
    assert [subject for subject, _ in found(result.findings)] == expected


def test_bridges_of_a_second_engine_are_not_leftovers() -> None:
    two = Processes((Process(1, comm="dockerd"), Process(2, comm="dockerd")))
    result = judge(
        "network.bridge-leaked", networks=Networks(()), links=links(BRIDGE), processes=two
    )
    assert result.verdict is Verdict.SKIPPED


VPN = Route(dst="172.18.5.0", prefix=24, oif=2, scope="link")


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
    assert found(answer.findings) == expected


def test_podmans_bridge_is_the_networks_own_under_another_name() -> None:
    route = Route(dst="172.18.0.0", prefix=16, oif=5)
    seen = links(UPLINK, altered(BRIDGE, name="podman1"))
    answer = judge(
        "network.subnet-overlaps-route",
        networks=Networks((network(),)),
        routes=Routes((route,)),
        links=seen,
    )
    assert found(answer.findings) == []


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
    assert found(answer.findings) == expected


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
            ["nowhere (blackhole"],
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


def test_a_dns_server_inside_a_subnet_is_critical() -> None:
    resolvers = Resolvers(ResolvConf(("172.18.0.53",)), Unavailable("missing"), (), {})
    nets = Networks((network(),))
    known = {"networks": nets, "routes": Routes(()), "links": links(), "resolvers": resolvers}
    assert found(judge("network.subnet-overlaps-route", **known).findings) == [
        ("network:shop", Severity.critical)
    ]


def test_a_dns_server_beyond_an_uplink_bridge_is_reached() -> None:
    resolvers = Resolvers(ResolvConf(("172.18.0.53",)), Unavailable("missing"), (), {})
    nets, uplink = Networks((network(),)), altered(UPLINK, master=5)
    seen = links(uplink, BRIDGE, VETH)
    ours = docker_interfaces(seen, Routes(()), nets)
    known = {
        "networks": nets,
        "routes": Routes(()),
        "links": seen,
        "resolvers": resolvers,
        "docker": ours,
    }
    assert found(judge("network.subnet-overlaps-route", **known).findings) == []


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


POOLS = msgspec.convert({"DefaultAddressPools": [{"Base": "172.18.0.0/14", "Size": 16}]}, Info)
THREE = [
    network(f"n{n}", f"172.{n}.0.0/16", f"172.{n}.0.1", Id=f"{n}".ljust(64, "0"))
    for n in (17, 18, 19)
]


@pytest.mark.parametrize(
    ("info", "nets", "route", "warn_free", "expected"),
    [
        pytest.param(Info(), THREE, None, 3, [], id="plenty of the 31"),
        pytest.param(
            POOLS, THREE[1:], None, 3, [("daemon:docker", Severity.advice)], id="two of four left"
        ),
        pytest.param(
            POOLS,
            [network("big", "172.16.0.0/14", "172.16.0.1")],
            VPN,
            3,
            [("daemon:docker", Severity.warning)],
            id="none is left",
        ),
        pytest.param(
            POOLS,
            THREE[1:],
            Route(dst="172.16.0.0", prefix=12, oif=2, gateway="192.0.2.1"),
            1,
            [],
            id="by a gateway",
        ),
        pytest.param(
            POOLS,
            THREE[1:],
            Route(dst="172.16.0.0", prefix=12, oif=2, scope="link"),
            1,
            [("daemon:docker", Severity.warning)],
            id="all on a link of the host",
        ),
    ],
)
def test_address_pools_exhausted(
    info: Info, nets: list[Network], route: Route | None, warn_free: int, expected: Any
) -> None:
    # 172.18.0.0/14 is 172.16 to 172.19; a network of 172.16.0.0/14 and nothing else covers it
    routes = Routes((route,) if route else ())
    answer = judge(
        "network.address-pools-exhausted",
        thresholds={"warn_free": warn_free},
        networks=Networks(tuple(nets)),
        routes=routes,
        links=links(),
        info=info,
    )
    assert found(answer.findings) == expected


def test_the_route_that_takes_most_subnets_is_named_with_its_owner() -> None:
    small = Route(dst="172.17.0.0", prefix=24, oif=2, scope="link")
    large = Route(dst="172.16.0.0", prefix=12, oif=7, scope="link")
    seen = links(UPLINK, BRIDGE, Interface(index=7, name="tun0", up=True, kind="tun"))
    answer = judge(
        "network.address-pools-exhausted",
        networks=Networks(()),
        routes=Routes((small, large)),
        links=seen,
        info=POOLS,
        tunnels=Tunnels({"tun0": "openvpn (pid 812, openvpn@office.service)"}),
    )
    (finding,) = answer.findings
    assert (
        "172.16.0.0/12 (tun0 of openvpn (pid 812, openvpn@office.service)) and 1 more route cover 4 of 4"
        in finding.summary
    )
    assert finding.variables == {"pool": "10.201.0.0/16"}


NO_ADDRESS = "no available IPv4 addresses on this network's address pools: shop (81b9530e0b2f)"


@pytest.mark.parametrize(
    ("net", "listed", "expected"),
    [
        pytest.param(
            network(subnet="172.18.0.0/30"),
            [failed("b", NO_ADDRESS)],
            [("network:shop", Severity.critical)],
            id="refused",
        ),
        pytest.param(network(subnet="172.18.0.0/30"), [container("a")], [], id="made for one"),
        pytest.param(network(), [container("a")], [], id="room"),
        pytest.param(
            network(subnet="172.18.0.0/28"),
            [
                container(
                    f"c{n}", NetworkSettings={"Networks": {"shop": {"IPAddress": f"172.18.0.{n}"}}}
                )
                for n in range(2, 15)
            ],
            [("network:shop", Severity.warning)],
            id="full",
        ),
    ],
)
def test_subnet_exhausted(net: Network, listed: list[Container], expected: list[Any]) -> None:
    answer = judge(
        "network.subnet-exhausted", containers=Containers(tuple(listed)), networks=Networks((net,))
    )
    assert found(answer.findings) == expected


DEFAULT = Route(dst="0.0.0.0", prefix=0, oif=2, gateway="192.0.2.1")
NARROW = links(altered(UPLINK, mtu=1400), BRIDGE, VETH)


def sizes(
    seen: Interfaces,
    route: Route | None,
    *nets: Network,
    who: Container | None = None,
    mtu: int = 1500,
) -> PacketSizes:
    member = who or container("a")
    routes = Routes((route,) if route else ())
    netns = inside(member, link=altered(INNER, mtu=mtu))
    return packet_sizes(Networks(nets or (network(),)), Containers((member,)), routes, seen, netns)


@pytest.mark.parametrize(
    ("seen", "route", "blocked", "expected"),
    [
        pytest.param(links(), DEFAULT, {}, [], id="equal"),
        pytest.param(links(altered(UPLINK, mtu=9001), BRIDGE), DEFAULT, {}, [], id="jumbo uplink"),
        pytest.param(NARROW, DEFAULT, {}, [("advice", "shop")], id="path discovery works"),
        pytest.param(
            NARROW,
            DEFAULT,
            {BRIDGE.name: "ip filter OUTPUT: -p icmp -j DROP"},
            [("warning", "shop")],
            id="lost",
        ),
        pytest.param(
            links(), Route(dst="0.0.0.0", oif=2, mtu=1300), {}, [("advice", "shop")], id="route"
        ),
    ],
)
def test_mtu_mismatch(
    seen: Interfaces, route: Route, blocked: dict[str, str], expected: list[Any]
) -> None:
    answer = judge("network.mtu-mismatch", sizes=sizes(seen, route), path_mtu=PathMtu(blocked))
    assert rows(answer) == expected


def test_signs_of_loss_make_it_a_warning() -> None:
    who = container("a")
    harm = MtuHarm({"shop": (Harm(who, "log: net/http: TLS handshake timeout"),)})
    answer = judge("network.mtu-mismatch", sizes=sizes(NARROW, DEFAULT, who=who), mtu_harm=harm)
    assert rows(answer) == [("warning", "shop")]
    assert answer.findings[0].evidence["container a"] == "log: net/http: TLS handshake timeout"


@pytest.mark.parametrize(
    ("uplink_mtu", "expected"),
    [
        pytest.param(1500, [], id="fits"),
        pytest.param(1450, [("advice", "shop")], id="50 bytes too many"),
    ],
)
def test_an_overlay_adds_to_each_packet(uplink_mtu: int, expected: list[Any]) -> None:
    seen = links(altered(UPLINK, mtu=uplink_mtu), BRIDGE)
    overlay = network(Driver="overlay")
    answer = judge("network.mtu-mismatch", sizes=sizes(seen, DEFAULT, overlay, mtu=1450))
    assert rows(answer) == expected
    for finding in answer.findings:
        assert finding.variables["overlay"] == "shop"
        assert finding.variables["mtu"] == "1400"


def test_the_default_network_is_never_removed() -> None:
    default = network("bridge")
    who = container("a", NetworkSettings={"Networks": {"bridge": {"IPAddress": "172.18.0.2"}}})
    answer = judge("network.mtu-mismatch", sizes=sizes(NARROW, DEFAULT, default, who=who))
    variables = answer.findings[0].variables
    assert variables["daemon_mtu"] == "1400"
    assert "network" not in variables


def test_connections_that_are_made_to_fit_are_no_mismatch() -> None:
    clamped = PathMtu({}, "-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu")
    answer = judge("network.mtu-mismatch", sizes=sizes(NARROW, DEFAULT), path_mtu=clamped)
    assert answer.verdict is Verdict.SKIPPED


def test_mtu_without_an_uplink_does_not_apply() -> None:
    assert judge("network.mtu-mismatch", sizes=sizes(links(), None)).verdict is Verdict.SKIPPED


FULL = "nf_conntrack: nf_conntrack: table full, dropping packet"


@pytest.mark.parametrize(
    ("table", "log", "expected"),
    [
        pytest.param(Conntrack(10, 100), [], [], id="room"),
        pytest.param(Conntrack(85, 100), [], [("host:host", Severity.warning)], id="nearly full"),
        pytest.param(Conntrack(99, 100), [], [("host:host", Severity.critical)], id="full"),
        pytest.param(
            Conntrack(10, 100),
            [Record(LATER.wall - 60, FULL)],
            [("host:host", Severity.critical)],
            id="was full",
        ),
        pytest.param(
            Conntrack(10, 100), [Record(LATER.wall - 86400, FULL)], [], id="was full yesterday"
        ),
    ],
)
def test_conntrack_full(table: Conntrack, log: list[Record], expected: list[Any]) -> None:
    answer = judge(
        "network.conntrack-full", conntrack=table, kernel_log=KernelLog(tuple(log)), clock=LATER
    )
    assert found(answer.findings) == expected


def test_conntrack_that_is_not_loaded_does_not_apply() -> None:
    answer = judge("network.conntrack-full", conntrack=Conntrack(None, None), clock=LATER)
    assert answer.verdict is Verdict.SKIPPED


OVERFLOW = "neighbour: arp_cache: neighbor table overflow!"


@pytest.mark.parametrize(
    ("line", "age", "expected"),
    [
        pytest.param(OVERFLOW, 60, [("critical", "host")], id="a minute ago"),
        pytest.param(
            "neighbour: ndisc_cache: neighbor table overflow!",
            60,
            [("critical", "host")],
            id="IPv6",
        ),
        pytest.param(OVERFLOW, 86400, [], id="yesterday"),
        pytest.param("eth0: link becomes ready", 60, [], id="another line"),
    ],
)
def test_neighbour_table_full(line: str, age: float, expected: list[Any]) -> None:
    log = KernelLog((Record(LATER.wall - age, line),))
    limits = NeighbourLimits({"ipv4": 1024, "ipv6": None})
    answer = judge("network.neighbour-table-full", kernel_log=log, limits=limits, clock=LATER)
    assert rows(answer) == expected
    for finding in answer.findings:
        assert finding.variables["family"] == ("ipv6" if "ndisc" in line else "ipv4")


# -- no network at all ---------------------------------

LO = Interface(index=1, name="lo", up=True, operstate="unknown")
FALLBACK = Interface(index=2, name="sit0", up=False, operstate="down", kind="sit")
TUNNEL = container("vpn", NetworkSettings={"Networks": {"shop": {}}})
NOWHERE: dict[str, Any] = {"NetworkSettings": {"Networks": {}}}


def joining(name: str = "side", mode: str = f"container:{TUNNEL.id}", **fields: Any) -> Container:
    return container(name, HostConfig={"NetworkMode": mode}, **(NOWHERE | fields))


def visits(*seen: tuple[Container, int, tuple[Interface, ...]]) -> Namespaces:
    return Namespaces(
        {who.id: ContainerNetns(who, inode, links, (), (), ()) for who, inode, links in seen}
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
            '"vpn", whose network it shares, does not run (exited)',
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
        *((each, seen[each.name], (LO, FALLBACK)) for each in listed if each.name in seen)
    )
    said = alone(*listed, seen=visited)
    assert [words in each.summary for each in said] == [True] * bool(words)
    for each in said:
        assert each.subject == who.subject
        assert who.life in each.settled


def test_a_namespace_that_still_leads_out_needs_nobody_else() -> None:
    who = joining()
    assert alone(who, STOPPED, seen=visits((who, 1, (LO, INNER)))) == []


def test_one_that_may_share_the_network_of_a_container_that_was_not_read() -> None:
    who = joining()
    unread = Containers((who,), (Unexamined(TUNNEL.subject, "inspect: timed out"),))
    known = {"containers": unread, "networks": Networks(()), "links": links(), "clock": LATER}
    result = judge("network.veth-detached", **known, namespaces=visits((who, 1, (LO,))))
    assert who.subject in [item.subject for item in result.unexamined]


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
            "network gone, for which it was created, no longer exists",
            {},
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
    assert [words in each.summary for each in said] == [True] * bool(words)
    for each in said:
        assert each.variables == {"container": "pg", **variables}
        assert each.settled == (who.life,)


NAT = """*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER -p udp -m udp --dport 514 -j DNAT --to-destination 172.18.0.2:514
COMMIT
"""
TRANSLATES = Firewall(Ruleset(iptables.chains(NAT, "nft", "ip")))

UDP_SERVER = container(
    "syslog",
    NetworkSettings={
        "Networks": {"shop": {"IPAddress": "172.18.0.2"}},
        "Ports": {"514/udp": [{"HostIp": "", "HostPort": "514"}]},
    },
)


def flow(answered_by: str, *, src: str = "192.0.2.99", dst: str = "192.0.2.10") -> UdpFlow:
    return UdpFlow(src, dst, 4444, 514, answered_by)


@pytest.mark.parametrize(
    ("seen", "holder", "expected"),
    [
        pytest.param(flow("172.18.0.2"), None, [], id="translated rightly"),
        pytest.param(flow("172.18.0.9"), None, [("warning", "syslog")], id="to an earlier address"),
        pytest.param(flow("192.0.2.10"), None, [("warning", "syslog")], id="to nobody"),
        pytest.param(
            flow("192.0.2.10"),
            "dockerd",
            [("warning", "syslog")],
            id="the engine only holds the port",
        ),
        pytest.param(flow("192.0.2.10"), "docker-proxy", [], id="to docker-proxy"),
        pytest.param(flow("192.0.2.44", dst="192.0.2.44"), None, [], id="to another machine"),
        pytest.param(flow("192.0.2.10", src="192.0.2.10"), None, [], id="of the host itself"),
    ],
)
def test_udp_flow_stale(seen: UdpFlow, holder: str | None, expected: list[tuple[str, str]]) -> None:
    held = (Listener("udp", "0.0.0.0", 514, 7, holder, None),) if holder else ()
    result = judge(
        "network.udp-flow-stale",
        containers=Containers((UDP_SERVER,)),
        flows=UdpFlows({514: (seen,)}),
        interfaces=links(),
        listeners=Listeners(held),
        firewall=TRANSLATES,
    )
    assert rows(result) == expected
