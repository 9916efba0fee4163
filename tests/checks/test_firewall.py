"""What the checks say about recorded packet filters of real engines, around two containers made
after those of the recording."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Containers, containers
from diagnose.evidence.dns.lookups import DnsReply, Lookups, QueryPath
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.host_stack import HostStack, host_stack
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.interfaces import links as interfaces
from diagnose.evidence.network.networks import Networks, networks
from diagnose.evidence.network.packet_filter import Firewall, firewall
from diagnose.evidence.network.packet_paths import Forwarding, forwarding, packet_paths
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.uplinks import Uplinks, uplinks
from diagnose.model import Failed, Json, Result, Severity, Unavailable, Verdict
from tests.hosts import Made
from tests.judging import judge, rows
from tests.questions import question

DATA = Path(__file__).parents[1] / "data" / "firewall"
ENGINES = ("20.10", "26.1", "28.5")
SHOP, PLAIN, QUIET = "a" * 64, "b" * 64, "c" * 64

FOUND: dict[str, list[str]] = {
    "healthy": [],
    "filter-flushed": ["critical chains-missing host"],
    "nat-flushed": ["critical chains-missing host"],
    "all-flushed": ["critical chains-missing host"],
    "policy-drop-jumps-lost": ["critical chains-missing host"],
    "policy-accept-jumps-lost": ["warning chains-missing host"],
    "docker-user-drops-all": ["warning forward-dropped host"],
    "docker-user-rejects-a-port": [],
    "docker-user-drops-a-subnet": ["warning forward-dropped host"],
    "docker-user-lets-in-one-source": [],
    "native-forward-drop": ["critical forward-dropped host"],
    "native-forward-drop-except-docker": [],
    "native-forward-reject-one-bridge": ["critical forward-dropped host"],
    "native-dormant": [],
    "native-sets": [],
    "native-verdict-map": ["critical forward-dropped host"],
    "firewalld-shape": ["critical forward-dropped host"],
    "marked-then-dropped": ["warning forward-dropped host"],
    "masquerade-of-a-subnet-deleted": ["critical masquerade-missing shop"],
    "snat-instead-of-masquerade": [],
    "dnat-of-a-port-deleted": ["warning dnat-missing web"],
    "dnat-to-a-stale-address": ["critical dnat-missing web"],
    "input-drops-new": ["advice bypassed-by-publish plain", "advice bypassed-by-publish web"],
    "legacy-forward-drop": ["critical forward-dropped host", "warning backend-mixed host"],
    "legacy-docker-user-shape": ["critical forward-dropped host", "warning backend-mixed host"],
}


def case(engine: str, fault: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DATA / f"{engine}-{fault}.json").read_text())
    return loaded


def host(recorded: dict[str, Any], *, running: bool = True) -> Made:
    """The recorded filter, and `web` and `plain` as they stood before it."""
    shop, plain = (recorded["probes"][name]["asked"] for name in ("web goes out", "plain goes out"))
    (subnet,) = recorded["probes"]["8080 comes in"]["asked"]["bridges"]
    listed = [
        {"Id": SHOP, "Name": "shop", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": subnet}]},
         "Options": {"com.docker.network.bridge.name": shop["bridge"]}},
        {"Id": QUIET, "Name": "quiet", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.19.0.0/16"}]}},
        {"Id": PLAIN, "Name": "bridge", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}},
    ]  # fmt: skip
    inspected = {
        "1" * 64: container("web", "shop", shop["src"], "8080", running),
        "2" * 64: container("plain", "bridge", plain["src"], "8081", running),
    }
    texts = {"nft": recorded["iptables_nft"], "legacy": recorded["iptables_legacy"]}
    return Made(
        {
            "api.containers": [
                {"Id": id, "Names": [each["Name"]]} for id, each in inspected.items()
            ],
            "api.container": lambda question: inspected[str(question.args["id"])],
            "api.networks": listed,
            "nftables": recorded["nftables"],
            "iptables": lambda question: {
                "text": texts[question.args["flavour"]].get(question.args["family"], ""),
                "command": None,
            },
            **network(
                {
                    shop["bridge"]: subnet,
                    "docker0": "172.17.0.0/16",
                    f"br-{QUIET[:12]}": "172.19.0.0/16",
                }
            ),
        }
    )


def network(bridges: dict[str, str]) -> dict[str, Json]:
    """The host's own interfaces, addresses and routes: an uplink, and a bridge for each of these
    subnets."""
    links: list[Json] = [{"index": 2, "name": "eth0", "up": True}]
    addresses: list[Json] = [
        {"index": 2, "address": "192.0.2.10", "prefix": 24, "family": "inet", "scope": "global"}
    ]
    default = {
        "table": 254,
        "dst": "0.0.0.0",
        "prefix": 0,
        "oif": 2,
        "type": "unicast",
        "family": "inet",
    }
    routes: list[Json] = [
        default | {"gateway": "192.0.2.1"},
        default | {"dst": "192.0.2.0", "prefix": 24},
    ]
    for index, (name, subnet) in enumerate(bridges.items(), 3):
        net, _, prefix = subnet.partition("/")
        gateway = net[:-1] + "1"
        links.append({"index": index, "name": name, "kind": "bridge", "up": True})
        addresses.append(
            {"index": index, "address": gateway, "prefix": int(prefix), "family": "inet"}
        )
        routes.append(default | {"dst": net, "prefix": int(prefix), "oif": index})
    routes += [
        default
        | {
            "table": 255,
            "dst": held["address"],
            "prefix": 32,
            "oif": held["index"],
            "type": "local",
        }
        for held in addresses
    ]
    return {"net.links": links, "net.addresses": addresses, "net.routes": routes}


def container(name: str, network: str, address: str, port: str, running: bool) -> dict[str, Json]:
    state = {"Status": "running", "Pid": 7} if running else {"Status": "exited", "Pid": 0}
    ports = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": port}]}
    settings = {
        "Networks": {network: {"IPAddress": address if running else ""}},
        "Ports": ports if running else {},
    }
    return {
        "Id": ("1" if name == "web" else "2") * 64,
        "Name": f"/{name}",
        "State": state,
        "NetworkSettings": settings,
    }


def judged(
    made: Made,
    *,
    config: DaemonConfig | None = None,
    info: Info | None = None,
    ping: Ping | None = None,
    **more: Any,
) -> dict[str, Result]:
    """The result of every check that takes a packet walk."""
    up, boxes, nets, links = uplinks(made), containers(made), networks(made), interfaces(made)
    wall = firewall(made, up)
    assert isinstance(wall, Firewall)
    assert isinstance(boxes, Containers)
    assert isinstance(nets, Networks)
    assert isinstance(up, Uplinks)
    assert isinstance(links, Interfaces)
    stack = host_stack(made, wall, links, nets)
    assert isinstance(stack, HostStack)
    over = packet_paths(stack, boxes, nets, up, ping, info)
    evidence: dict[str, Any] = {"firewall": wall, "packet_paths": over, "interfaces": links, **more}
    if config is not None:
        evidence["config"] = config
    takes = {
        "chains-missing": ("firewall", "packet_paths", "config"),
        "masquerade-missing": ("firewall", "packet_paths", "config", "interfaces", "lookups"),
        "dnat-missing": ("firewall", "packet_paths", "config"),
        "forward-dropped": ("firewall", "packet_paths", "config", "resolver_paths"),
        "backend-mixed": ("firewall", "packet_paths"),
        "bypassed-by-publish": ("packet_paths",),
    }
    return {
        name: judge(f"firewall.{name}", **{key: evidence[key] for key in keys if key in evidence})
        for name, keys in takes.items()
    }


def found(results: dict[str, Result]) -> list[str]:
    """Severity, check and subject of each finding, sorted."""
    return sorted(
        f"{severity} {name} {subject}"
        for name, result in results.items()
        for severity, subject in rows(result)
    )


def changed(fault: str, edit: Any) -> Made:
    """The host of engine 28.5 with its `iptables-save` text edited."""
    recorded = case("28.5", fault)
    text = recorded["iptables_nft"]["ip"]
    recorded["iptables_nft"]["ip"] = edit(text)
    assert recorded["iptables_nft"]["ip"] != text
    return host(recorded)


def without(table: str, *words: str) -> Any:
    """An edit that takes the rules with all these words out of one table."""

    def edit(text: str) -> str:
        before, mark, rest = text.partition(f"*{table}\n")
        inside, commit, after = rest.partition("COMMIT\n")
        kept = [
            line
            for line in inside.splitlines(keepends=True)
            if not all(word in line for word in words)
        ]
        return before + mark + "".join(kept) + commit + after

    return edit


EMPTIED = {
    "nat": (
        without("nat", "-A DOCKER", "--dport"),
        "warning",
        "none of the published ports has a rule in nat",
    ),
    "filter": (
        without("filter", "-A DOCKER", "--dport"),
        "critical",
        "no rule lets in what is sent",
    ),
    "answers": (without("filter", "ESTABLISHED"), "critical", "no rule lets the answers back to"),
}


@pytest.mark.parametrize("name", EMPTIED)
def test_a_chain_that_lost_all_that_was_in_it_is_one_cause(name: str) -> None:
    edit, severity, words = EMPTIED[name]
    said = judged(changed("healthy", edit))
    (finding,) = said["chains-missing"].findings
    assert words in finding.summary
    assert "FORWARD has no rules" not in finding.summary
    assert f"{severity} chains-missing host" in found(said)


def test_a_port_that_is_led_to_the_host_itself() -> None:
    rule = "-A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 22\n"
    said = judged(
        changed("healthy", lambda text: text.replace("-A PREROUTING", f"{rule}-A PREROUTING", 1))
    )
    assert found(said) == ["warning dnat-missing web"]
    assert "port 22 of this host instead" in said["dnat-missing"].findings[0].summary


CURES = {
    "docker-user-drops-all": {"program": "iptables", "bridge": None, "open_uplink": "eth0"},
    "native-forward-drop": {
        "family": "inet",
        "table": "filter",
        "nft_chain": "forward",
        "bridge": None,
    },
    "legacy-forward-drop": {
        "program": "iptables-legacy",
        "table": "filter",
        "chain": "FORWARD",
        "bridge": None,
        "uplink": "eth0",
    },
    "firewalld-bridge-out-of-its-zone": {"zone_bridge": None},
}
"""The variables of each cure: None for the bridge's name, which differs."""


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.99", ["critical masquerade-missing shop"]),
        ("203.0.113.9", []),
    ],
    ids=["lost", "routed here"],
)
def test_an_address_that_the_host_has_lost(address: str, expected: list[str]) -> None:
    said = judged(
        changed(
            "snat-instead-of-masquerade",
            lambda text: re.sub(r"(--to-source) \S+", rf"\1 {address}", text),
        )
    )
    assert found(said) == expected


@pytest.mark.parametrize("fault", CURES)
def test_only_the_program_that_keeps_a_table_writes_there(fault: str) -> None:
    (finding,) = judged(host(case("28.5", fault)))["forward-dropped"].findings
    wanted = CURES[fault]
    assert set(finding.variables) == set(wanted)
    assert {
        name: value for name, value in finding.variables.items() if wanted[name] is not None
    } == {name: value for name, value in wanted.items() if value is not None}


FIREWALLD: dict[str, list[str]] = {
    "firewalld-healthy": ["advice bypassed-by-publish plain", "advice bypassed-by-publish web"],
    "firewalld-reloaded": ["advice bypassed-by-publish plain", "advice bypassed-by-publish web"],
    "firewalld-bridge-out-of-its-zone": [
        "advice bypassed-by-publish plain",
        "advice bypassed-by-publish web",
        "critical forward-dropped host",
    ],
}


@pytest.mark.parametrize("fault", FIREWALLD)
def test_beside_a_real_firewalld(fault: str) -> None:
    """firewalld 1.3.3 with engine 28.5.2, which puts its bridges into firewalld's zone `docker`."""
    assert found(judged(host(case("28.5", fault)))) == FIREWALLD[fault]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fault", FOUND)
def test_each_fault_is_named(engine: str, fault: str) -> None:
    assert found(judged(host(case(engine, fault)))) == FOUND[fault]


@pytest.mark.parametrize("fault", FOUND)
def test_a_host_that_forwards_nothing_shows_the_faults_of_its_rules(fault: str) -> None:
    made = host(case("28.5", fault))
    made.source.answers["sysctl"] = lambda question: {
        name: "0" if name.endswith("/forwarding") else "1" for name in question.args["names"]
    }
    assert found(judged(made)) == FOUND[fault]


def test_without_its_chains_the_engine_refuses_starts_in_iptables_words() -> None:
    (finding,) = judged(host(case("28.5", "all-flushed")))["chains-missing"].findings
    assert signs("iptables: No chain/target/match by that name.") <= finding.signs


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_left_unexamined_on_a_healthy_host(engine: str) -> None:
    said = judged(host(case(engine, "healthy")))
    assert not any(result.unexamined for result in said.values())


LEFT_ALONE = DaemonConfig("/etc/docker/daemon.json", values={"iptables": False})


def test_rules_of_an_engine_that_writes_none_are_not_missed() -> None:
    results = judged(host(case("28.5", "policy-accept-jumps-lost")), config=LEFT_ALONE)
    skipped = {name for name, result in results.items() if result.verdict is Verdict.SKIPPED}
    assert skipped >= {"chains-missing", "masquerade-missing", "dnat-missing"}
    assert found(results) == []


def test_a_policy_that_drops_what_no_engine_lets_through() -> None:
    results = judged(host(case("28.5", "all-flushed")), config=LEFT_ALONE)
    assert found(results) == ["critical forward-dropped host"]
    (finding,) = results["forward-dropped"].findings
    assert finding.evidence["configured in"] == "/etc/docker/daemon.json"


@pytest.mark.parametrize(
    ("answered", "expected"),
    [(False, ["critical masquerade-missing shop"]), (True, [])],
    ids=["silent", "answered"],
)
def test_an_untranslated_network_of_an_engine_that_writes_no_rules(
    answered: bool, expected: list[str]
) -> None:
    """Its networks may be routed by others: only where no DNS server answers are they judged."""
    made = host(case("28.5", "masquerade-of-a-subnet-deleted"))
    boxes = containers(made)
    assert isinstance(boxes, Containers)
    web = next(container for container in boxes if container.name == "web")
    reply = DnsReply(
        answered, "NOERROR" if answered else None, ms=1.0 if answered else None, sent=2
    )
    path = QueryPath(("shop",), "192.0.2.53", ((web, reply),), (web,))
    lookups = Lookups({}, {}, (path,), {}, {}, ())
    assert found(judged(made, config=LEFT_ALONE, lookups=lookups)) == expected


def test_a_rootless_engine_is_not_judged() -> None:
    said = judged(host(case("28.5", "all-flushed")), info=Info(security_options=["name=rootless"]))
    assert found(said) == []


def test_podman_is_not_judged_by_docker_s_names() -> None:
    said = judged(host(case("28.5", "all-flushed")), ping=Ping("1.41", "4.3.1", "4.3.1"))
    assert found(said) == []


def test_without_running_containers_nothing_is_missed() -> None:
    assert found(judged(host(case("28.5", "all-flushed"), running=False))) == []


def test_without_docker_proxy_a_missing_translation_is_an_outage() -> None:
    config = DaemonConfig("/etc/docker/daemon.json", values={"userland-proxy": False})
    assert found(judged(host(case("28.5", "dnat-of-a-port-deleted")), config=config)) == [
        "critical dnat-missing web"
    ]


def test_what_may_not_be_read_is_unavailable_and_never_empty() -> None:
    made = host(case("28.5", "healthy"))
    forbidden = Failed("forbidden", "Operation not permitted")
    made.answers |= {"nftables": forbidden, "iptables": forbidden}
    assert firewall(made, Unavailable("missing")) == Unavailable(
        "forbidden", "Operation not permitted"
    )


def test_half_a_filter_proves_no_accept() -> None:
    made = host(case("28.5", "healthy"))
    made.answers["nftables"] = Failed("timed out")
    said = judged(made)
    assert found(said) == []
    assert said["forward-dropped"].unexamined


SETTINGS: dict[str, tuple[dict[str, str | None], list[str]]] = {
    "on": ({"net.ipv4.ip_forward": "1", "eth0": "1", "bridge": "1"}, []),
    "off": (
        {"net.ipv4.ip_forward": "0", "eth0": "0", "bridge": "0"},
        ["IP forwarding is off: 2 containers"],
    ),
    "off at the uplink": (
        {"net.ipv4.ip_forward": "1", "eth0": "0", "bridge": "1"},
        ["IP forwarding is off on eth0: 2 containers"],
    ),
    "off at one bridge": (
        {
            "net.ipv4.ip_forward": "1",
            "eth0": "1",
            "bridge": "1",
            "net/ipv4/conf/docker0/forwarding": "0",
        },
        ["IP forwarding is off on docker0: 1 container"],
    ),
    "off at the bridge of nobody": (
        {
            "net.ipv4.ip_forward": "1",
            "eth0": "1",
            "bridge": "1",
            f"net/ipv4/conf/br-{QUIET[:12]}/forwarding": "0",
        },
        [],
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_forwarding(name: str) -> None:
    values, summaries = SETTINGS[name]
    made = host(case("28.5", "healthy"))
    made.answers["sysctl"] = lambda question: {
        argument: values.get(argument, values["eth0"] if "/eth0/" in argument else values["bridge"])
        for argument in question.args["names"]
    }
    result = judge("firewall.forwarding-off", **settings_of(made))
    assert [finding.summary.partition(" cut")[0] for finding in result.findings] == summaries


def settings_of(made: Made) -> dict[str, Any]:
    """The evidence about forwarding on a made host."""
    nets, boxes, up = networks(made), containers(made), uplinks(made)
    assert isinstance(nets, Networks)
    assert isinstance(boxes, Containers)
    settings = forwarding(made, nets, up if isinstance(up, Uplinks) else None)
    assert isinstance(settings, Forwarding)
    return {"forwarding": settings, "containers": boxes, "networks": nets}


SIX = {
    "off": (
        "0",
        "28.5.2",
        True,
        ["IPv6 forwarding is off: 1 container cut off from everything beyond this host by IPv6"],
    ),
    "on": ("1", "28.5.2", True, []),
    "left to the administrator": ("0", "26.1.5", True, []),
    "a host without IPv6": ("0", "28.5.2", False, []),
}


@pytest.mark.parametrize("name", SIX)
def test_forwarding_of_ipv6(name: str) -> None:
    value, version, leads_out, summaries = SIX[name]
    made = host(case("28.5", "healthy"))
    listed = made.answers["api.networks"]
    assert isinstance(listed, list)
    listed[0]["EnableIPv6"] = True
    inspected = made.answers["api.container"](question("api.container", id="1" * 64))  # type: ignore[operator]
    inspected["NetworkSettings"]["Networks"]["shop"]["GlobalIPv6Address"] = "fd00:5::2"
    made.answers["sysctl"] = lambda question: {
        argument: value if "ipv6" in argument else "1" for argument in question.args["names"]
    }
    routes = Routes((Route("::", 0, "inet6", oif=2),) if leads_out else ())
    result = judge(
        "firewall.forwarding-off",
        **settings_of(made),
        routes=routes,
        ping=Ping("1.51", version, ""),
    )
    assert [finding.summary for finding in result.findings] == summaries
    assert {finding.severity for finding in result.findings} <= {Severity.warning}, (
        "it has a way out by IPv4"
    )


def test_legacy_tables_that_cannot_be_read_may_be_a_mix() -> None:
    made = host(case("28.5", "healthy"))
    before = made.answers["iptables"]
    made.answers["iptables"] = (
        lambda question: (
            Failed("forbidden", "no root")
            if question.args["flavour"] == "legacy"
            else before(question)
        )  # type: ignore[operator]
    )
    wall = firewall(made, Unavailable("missing"))
    assert isinstance(wall, Firewall)
    (left_out,) = judge("firewall.backend-mixed", firewall=wall).unexamined
    assert left_out.why == "iptables-legacy ip could not be read"


def test_docker_s_rules_are_not_called_gone_where_they_may_stand_unread() -> None:
    recorded = case("28.5", "healthy")
    recorded["nftables"] |= {"tables": [], "chains": [], "rules": [], "sets": []}
    recorded["iptables_nft"] = {}
    made = host(recorded)
    assert any("chains-missing" in finding for finding in found(judged(made))), (
        "they are, where all could be read"
    )
    made.answers["iptables"] = lambda question: (
        Failed("refused", "no more processes")
        if question.args["flavour"] == "legacy"
        else {"text": "", "command": None}
    )
    said = judged(made)
    assert said["chains-missing"].verdict is Verdict.UNKNOWN
    assert "the tables of iptables-legacy ip could not be read" in said["chains-missing"].why
    assert not found(said)


def test_an_empty_ruleset_is_no_mix() -> None:
    made = host(case("20.10", "healthy"))
    text = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    before = made.answers["iptables"]
    made.answers["iptables"] = (
        lambda question: (
            {"text": text, "command": None}
            if question.args["flavour"] == "legacy"
            else before(question)
        )  # type: ignore[operator]
    )
    wall = firewall(made, Unavailable("missing"))
    assert isinstance(wall, Firewall)
    assert rows(judge("firewall.backend-mixed", firewall=wall)) == []
