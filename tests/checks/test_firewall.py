"""What the checks say about recorded packet filters of real engines, around two containers made after those of the recording."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from checks.firewall import fronts, rules, transit
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.interfaces import links
from diagnose.evidence.network.networks import networks
from diagnose.evidence.network.packet_filter import Firewall, firewall
from diagnose.evidence.network.packet_paths import Forwarding, crossings, forwarding
from diagnose.evidence.network.routes import Route, Routes
from diagnose.evidence.network.uplinks import uplinks
from diagnose.model import Failed, Finding, Json, Severity, Skipped, Unavailable, Unexamined
from diagnose.recording.questions import question
from tests.hosts import Made

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
            "api.containers": [{"Id": id, "Names": [each["Name"]]} for id, each in inspected.items()],
            "api.container": lambda question: inspected[str(question.args["id"])],
            "api.networks": listed,
            "nftables": recorded["nftables"],
            "iptables": lambda question: {
                "text": texts[question.args["flavour"]].get(question.args["family"], ""),
                "command": None,
            },
            "net.links": [{"index": 2, "name": "eth0"}],
            "net.addresses": [{"index": 2, "address": "192.0.2.10", "prefix": 24, "family": "inet", "scope": "global"}],
            "net.routes": [
                {"table": 254, "dst": "0.0.0.0", "prefix": 0, "oif": 2, "type": "unicast", "family": "inet"}
            ],
        }
    )


def container(name: str, network: str, address: str, port: str, running: bool) -> dict[str, Json]:
    state = {"Status": "running", "Pid": 7} if running else {"Status": "exited", "Pid": 0}
    ports = {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": port}]}
    settings = {"Networks": {network: {"IPAddress": address if running else ""}}, "Ports": ports if running else {}}
    return {"Id": ("1" if name == "web" else "2") * 64, "Name": f"/{name}", "State": state, "NetworkSettings": settings}


def judged(
    made: Made, *, config: DaemonConfig | None = None, info: Info | None = None, ping: Ping | None = None
) -> dict[str, Any]:
    """What every check that takes a packet walk says: findings, things left unexamined, or Skipped."""
    up, boxes, nets = uplinks(made), containers(made), networks(made)
    wall = firewall(made, up)
    assert not isinstance(wall, Unavailable)
    assert not isinstance(boxes, Unavailable)
    assert not isinstance(nets, Unavailable)
    assert not isinstance(up, Unavailable)
    known = info or Unavailable("missing")
    over = crossings(wall, boxes, nets, up, Unavailable("missing"), ping or Unavailable("missing"), known)
    said = config or Unavailable("missing")
    answers = {
        "chains-missing": rules.chains_missing(wall, over, said, None),
        "masquerade-missing": rules.masquerade_missing(wall, over, said, links(made), None),
        "dnat-missing": rules.dnat_missing(wall, over, said, None),
        "forward-dropped": transit.forward_dropped(wall, over),
        "backend-mixed": fronts.backend_mixed(wall, over),
        "bypassed-by-publish": fronts.bypassed_by_publish(over),
    }
    return {
        name: answer if isinstance(answer, Skipped | Unavailable) else list(answer) for name, answer in answers.items()
    }


DEFAULTS = {"masquerade-missing": "critical", "dnat-missing": "critical", "chains-missing": "critical",
            "forward-dropped": "critical", "backend-mixed": "warning", "bypassed-by-publish": "advice"}  # fmt: skip


def found(said: dict[str, Any]) -> list[str]:
    return sorted(
        f"{each.severity or DEFAULTS[name]} {name} {each.subject.name}"
        for name, answer in said.items()
        if not isinstance(answer, Skipped | Unavailable)
        for each in answer
        if isinstance(each, Finding)
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
        kept = [line for line in inside.splitlines(keepends=True) if not all(word in line for word in words)]
        return before + mark + "".join(kept) + commit + after

    return edit


EMPTIED = {
    "nat": (without("nat", "-A DOCKER", "--dport"), "warning", "none of the published ports has a rule in nat"),
    "filter": (without("filter", "-A DOCKER", "--dport"), "critical", "no rule lets in what is sent"),
    "answers": (without("filter", "ESTABLISHED"), "critical", "no rule lets the answers back to"),
}


@pytest.mark.parametrize("name", EMPTIED)
def test_a_chain_that_lost_all_that_was_in_it_is_one_cause(name: str) -> None:
    edit, severity, words = EMPTIED[name]
    said = judged(changed("healthy", edit))
    (finding,) = [each for each in said["chains-missing"] if isinstance(each, Finding)]
    assert words in finding.summary
    assert "FORWARD has no rules" not in finding.summary
    assert f"{severity} chains-missing host" in found(said)


def test_a_port_that_is_led_to_the_host_itself() -> None:
    rule = "-A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 22\n"
    said = judged(changed("healthy", lambda text: text.replace("-A PREROUTING", f"{rule}-A PREROUTING", 1)))
    assert found(said) == ["warning dnat-missing web"]
    assert "port 22 of this host instead" in said["dnat-missing"][0].summary


TOOLS = {
    "docker-user-drops-all": ("iptables", "ip", "filter", "DOCKER-USER"),
    "native-forward-drop": ("nft", "inet", "filter", "forward"),
    "legacy-forward-drop": ("iptables-legacy", "ip", "filter", "FORWARD"),
    "firewalld-bridge-out-of-its-zone": ("firewall-cmd", "inet", "firewalld", None),
}


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
        changed("snat-instead-of-masquerade", lambda text: re.sub(r"(--to-source) \S+", rf"\1 {address}", text))
    )
    assert found(said) == expected


@pytest.mark.parametrize("fault", TOOLS)
def test_only_the_program_that_keeps_a_table_is_told_to_write_there(fault: str) -> None:
    said = judged(host(case("28.5", fault)))
    (finding,) = [each for each in said["forward-dropped"] if isinstance(each, Finding)]
    *told, chain = (finding.variables[name] for name in ("tool", "family", "table", "chain"))
    *wanted, in_chain = TOOLS[fault]
    assert told == wanted
    assert in_chain in (None, chain)


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


def test_without_its_chains_the_engine_refuses_starts_in_iptables_words() -> None:
    (finding,) = judged(host(case("28.5", "all-flushed")))["chains-missing"]
    assert signs("iptables: No chain/target/match by that name.") <= finding.signs


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_left_unexamined_on_a_healthy_host(engine: str) -> None:
    said = judged(host(case(engine, "healthy")))
    assert not any(
        isinstance(each, Unexamined) for answer in said.values() if not isinstance(answer, Skipped) for each in answer
    )


def test_an_engine_that_leaves_the_filter_alone_is_not_judged() -> None:
    said = judged(
        host(case("28.5", "all-flushed")), config=DaemonConfig("/etc/docker/daemon.json", values={"iptables": False})
    )
    assert {name for name, answer in said.items() if isinstance(answer, Skipped)} >= {
        "chains-missing",
        "masquerade-missing",
        "dnat-missing",
    }
    assert found(said) == []


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
    assert found(judged(host(case("28.5", "dnat-of-a-port-deleted")), config=config)) == ["critical dnat-missing web"]


def test_what_may_not_be_read_is_unavailable_and_never_empty() -> None:
    made = host(case("28.5", "healthy"))
    forbidden = Failed("forbidden", "Operation not permitted")
    made.answers |= {"nftables": forbidden, "iptables": forbidden}
    assert firewall(made, Unavailable("missing")) == Unavailable("forbidden", "Operation not permitted")


def test_half_a_filter_proves_no_accept() -> None:
    made = host(case("28.5", "healthy"))
    made.answers["nftables"] = Failed("timed out")
    said = judged(made)
    assert found(said) == []
    assert any(isinstance(each, Unexamined) for each in said["forward-dropped"])


SETTINGS: dict[str, tuple[dict[str, str | None], list[str]]] = {
    "on": ({"net.ipv4.ip_forward": "1", "eth0": "1", "bridge": "1"}, []),
    "off": ({"net.ipv4.ip_forward": "0", "eth0": "0", "bridge": "0"}, ["IP forwarding is off: 2 containers"]),
    "off at the uplink": (
        {"net.ipv4.ip_forward": "1", "eth0": "0", "bridge": "1"},
        ["IP forwarding is off on eth0: 2 containers"],
    ),
    "off at one bridge": (
        {"net.ipv4.ip_forward": "1", "eth0": "1", "bridge": "1", "net/ipv4/conf/docker0/forwarding": "0"},
        ["IP forwarding is off on docker0: 1 container"],
    ),
    "off at the bridge of nobody": (
        {"net.ipv4.ip_forward": "1", "eth0": "1", "bridge": "1", f"net/ipv4/conf/br-{QUIET[:12]}/forwarding": "0"},
        [],
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_forwarding(name: str) -> None:
    values, summaries = SETTINGS[name]
    made = host(case("28.5", "healthy"))
    made.answers["sysctl"] = lambda question: {
        each: values.get(each, values["eth0"] if "/eth0/" in each else values["bridge"])
        for each in question.args["names"]
    }
    nets, boxes = networks(made), containers(made)
    assert not isinstance(nets, Unavailable)
    assert not isinstance(boxes, Unavailable)
    settings = forwarding(made, nets, uplinks(made))
    assert isinstance(settings, Forwarding)
    nothing = Unavailable("missing")
    said = transit.forwarding_off(settings, boxes, nets, nothing, nothing, nothing)
    assert not isinstance(said, Skipped)
    assert [each.summary.partition(" cut")[0] for each in said if isinstance(each, Finding)] == summaries


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
        each: value if "ipv6" in each else "1" for each in question.args["names"]
    }
    nets, boxes = networks(made), containers(made)
    assert not isinstance(nets, Unavailable)
    assert not isinstance(boxes, Unavailable)
    settings = forwarding(made, nets, uplinks(made))
    assert isinstance(settings, Forwarding)
    ways = Routes((Route("::", 0, "inet6", oif=2),) if leads_out else ())
    said = transit.forwarding_off(settings, boxes, nets, Unavailable("missing"), ways, Ping("1.51", version, ""))
    assert not isinstance(said, Skipped | Unavailable)
    found = [each for each in said if isinstance(each, Finding)]
    assert [each.summary for each in found] == summaries
    assert {each.severity for each in found} <= {Severity.warning}, "it has a way out by IPv4"


def test_legacy_tables_that_cannot_be_read_may_be_a_mix() -> None:
    made = host(case("28.5", "healthy"))
    before = made.answers["iptables"]
    made.answers["iptables"] = (
        lambda question: Failed("forbidden", "no root") if question.args["flavour"] == "legacy" else before(question)  # type: ignore[operator]
    )
    wall = firewall(made, Unavailable("missing"))
    assert isinstance(wall, Firewall)
    (left_out,) = fronts.backend_mixed(wall, Unavailable("missing"))  # type: ignore[misc]
    assert isinstance(left_out, Unexamined)
    assert left_out.why == "iptables-legacy ip could not be read"


def test_docker_s_rules_are_not_called_gone_where_they_may_stand_unread() -> None:
    recorded = case("28.5", "healthy")
    recorded["nftables"] |= {"tables": [], "chains": [], "rules": [], "sets": []}
    recorded["iptables_nft"] = {}
    made = host(recorded)
    assert [each for each in found(judged(made)) if "chains-missing" in each], "they are, where all could be read"
    made.answers["iptables"] = lambda question: (
        Failed("refused", "no more processes")
        if question.args["flavour"] == "legacy"
        else {"text": "", "command": None}
    )
    said = judged(made)
    assert str(said["chains-missing"]) == "refused: the tables of iptables-legacy ip could not be read"
    assert not found(said)


def test_an_empty_ruleset_is_no_mix() -> None:
    made = host(case("20.10", "healthy"))
    text = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    before = made.answers["iptables"]
    made.answers["iptables"] = (
        lambda question: {"text": text, "command": None} if question.args["flavour"] == "legacy" else before(question)  # type: ignore[operator]
    )
    wall = firewall(made, Unavailable("missing"))
    assert isinstance(wall, Firewall)
    assert fronts.backend_mixed(wall, Unavailable("missing")) == []
