"""All checks of the family on recorded rulesets of real engines."""

from __future__ import annotations

import re
from typing import Any

import pytest

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Containers, containers
from diagnose.evidence.dns.lookups import DnsReply, Lookups, QueryPath
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.calls.logged_failures import LoggedFailures
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.paths.dropped_ways import is_for_one
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.rules.packet_filter import firewall
from diagnose.model import Failed, Unavailable, Verdict
from tests.checks.firewall.evidence import finding_rows, host_with, recorded_filter, results_of
from tests.hosts import Made

ENGINES = ("20.10", "26.1", "28.5")


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


def changed(fault: str, edit: Any) -> Made:
    """The host of engine 28.5 with its `iptables-save` text edited."""
    recorded = recorded_filter("28.5", fault)
    text = recorded["iptables_nft"]["ip"]
    recorded["iptables_nft"]["ip"] = edit(text)
    assert recorded["iptables_nft"]["ip"] != text
    return host_with(recorded)


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
    said = results_of(changed("healthy", edit))
    (finding,) = said["chains-missing"].findings
    assert words in str(finding.evidence["what is missing"])
    assert "FORWARD has no rules" not in str(finding.evidence["what is missing"])
    assert f"{severity} chains-missing host" in finding_rows(said)


def test_a_port_that_is_led_to_the_host_itself() -> None:
    rule = "-A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 22\n"
    said = results_of(
        changed("healthy", lambda text: text.replace("-A PREROUTING", f"{rule}-A PREROUTING", 1))
    )
    assert finding_rows(said) == ["warning dnat-missing web"]
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
    [("192.0.2.99", ["critical masquerade-missing shop"]), ("203.0.113.9", [])],
    ids=["lost", "routed here"],
)
def test_an_address_that_the_host_has_lost(address: str, expected: list[str]) -> None:
    said = results_of(
        changed(
            "snat-instead-of-masquerade",
            lambda text: re.sub(r"(--to-source) \S+", rf"\1 {address}", text),
        )
    )
    assert finding_rows(said) == expected


@pytest.mark.parametrize("fault", CURES)
def test_only_the_program_that_keeps_a_table_writes_there(fault: str) -> None:
    (finding,) = results_of(host_with(recorded_filter("28.5", fault)))["forward-dropped"].findings
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
    assert finding_rows(results_of(host_with(recorded_filter("28.5", fault)))) == FIREWALLD[fault]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("fault", FOUND)
def test_each_fault_is_named(engine: str, fault: str) -> None:
    assert finding_rows(results_of(host_with(recorded_filter(engine, fault)))) == FOUND[fault]


@pytest.mark.parametrize("fault", FOUND)
def test_a_host_that_forwards_nothing_shows_the_faults_of_its_rules(fault: str) -> None:
    made = host_with(recorded_filter("28.5", fault))
    made.source.answers["sysctl"] = lambda question: {
        name: "0" if name.endswith("/forwarding") else "1" for name in question.args["names"]
    }
    assert finding_rows(results_of(made)) == FOUND[fault]


def test_without_its_chains_the_engine_refuses_starts_in_iptables_words() -> None:
    (finding,) = results_of(host_with(recorded_filter("28.5", "all-flushed")))[
        "chains-missing"
    ].findings
    assert signs("iptables: No chain/target/match by that name.") <= finding.signs


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_left_unexamined_on_a_healthy_host(engine: str) -> None:
    said = results_of(host_with(recorded_filter(engine, "healthy")))
    assert not any(result.unexamined for result in said.values())


def _unpublished(container: dict[str, Any]) -> dict[str, Any]:
    return container | {"NetworkSettings": container["NetworkSettings"] | {"Ports": {}}}


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        ({}, ["advice forward-dropped host"]),
        ({"1" * 64: ()}, ["warning forward-dropped host"]),
        ({"2" * 64: ()}, ["advice forward-dropped host"]),
        (None, ["warning forward-dropped host"]),
    ],
    ids=["no name fails", "its names fail", "names fail elsewhere", "not known"],
)
def test_a_rule_for_one_subnet_is_a_policy_while_nobody_misses_the_way(
    failing: dict[str, Any] | None, expected: list[str]
) -> None:
    failed_names = Unavailable("forbidden", "") if failing is None else FailedNames(failing)
    made = host_with(recorded_filter("28.5", "docker-user-drops-a-subnet"))
    inspect = made.source.answers["api.container"]
    made.source.answers["api.container"] = lambda question: _unpublished(inspect(question))
    results = results_of(
        made,
        logged_failures=LoggedFailures(()),
        unanswered_calls=UnansweredCalls(()),
        failed_names=failed_names,
    )
    assert finding_rows(results) == expected


@pytest.mark.parametrize(
    ("chain", "rule", "is_policy"),
    [
        ("DOCKER-USER", "-s 10.9.0.0/24 -o eth0 -j REJECT", True),
        ("DOCKER-USER", "-i br-shop -j DROP", True),
        ("FORWARD", "-i br-shop -j DROP", False),
        ("DOCKER-USER", "-i br-+ -j DROP", False),
        ("DOCKER-USER", "! -s 10.9.0.0/24 -j DROP", False),
        ("DOCKER-USER", "-o eth0 ! -s 10.9.0.0/24 -j DROP", False),
        ("DOCKER-USER", "-s 0.0.0.0/0 -j DROP", False),
        ("DOCKER-USER", "-j DROP", False),
    ],
)
def test_a_policy_is_a_rule_for_one_source_or_interface(
    chain: str, rule: str, is_policy: bool
) -> None:
    assert is_for_one(Step("ip filter", chain, rule)) is is_policy


LEFT_ALONE = DaemonConfig("/etc/docker/daemon.json", values={"iptables": False})


def test_rules_of_an_engine_that_writes_none_are_not_missed() -> None:
    results = results_of(
        host_with(recorded_filter("28.5", "policy-accept-jumps-lost")), config=LEFT_ALONE
    )
    skipped = {name for name, result in results.items() if result.verdict is Verdict.SKIPPED}
    assert skipped >= {"chains-missing", "masquerade-missing", "dnat-missing"}
    assert finding_rows(results) == []


def test_a_policy_that_drops_what_no_engine_lets_through() -> None:
    results = results_of(host_with(recorded_filter("28.5", "all-flushed")), config=LEFT_ALONE)
    assert finding_rows(results) == ["critical forward-dropped host"]
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
    made = host_with(recorded_filter("28.5", "masquerade-of-a-subnet-deleted"))
    boxes = containers(made)
    assert isinstance(boxes, Containers)
    web = next(container for container in boxes if container.name == "web")
    reply = DnsReply(
        answered, "NOERROR" if answered else None, ms=1.0 if answered else None, sent=2
    )
    path = QueryPath(("shop",), "192.0.2.53", ((web, reply),), (web,))
    lookups = Lookups(ways=(path,))
    assert finding_rows(results_of(made, config=LEFT_ALONE, lookups=lookups)) == expected


def test_a_rootless_engine_is_not_judged() -> None:
    said = results_of(
        host_with(recorded_filter("28.5", "all-flushed")),
        info=Info(security_options=["name=rootless"]),
    )
    assert finding_rows(said) == []


def test_podman_is_not_judged_by_docker_s_names() -> None:
    said = results_of(
        host_with(recorded_filter("28.5", "all-flushed")), ping=Ping("1.41", "4.3.1", "4.3.1")
    )
    assert finding_rows(said) == []


def test_without_running_containers_nothing_is_missed() -> None:
    assert (
        finding_rows(results_of(host_with(recorded_filter("28.5", "all-flushed"), running=False)))
        == []
    )


def test_without_docker_proxy_a_missing_translation_is_an_outage() -> None:
    config = DaemonConfig("/etc/docker/daemon.json", values={"userland-proxy": False})
    assert finding_rows(
        results_of(host_with(recorded_filter("28.5", "dnat-of-a-port-deleted")), config=config)
    ) == ["critical dnat-missing web"]


def test_what_may_not_be_read_is_unavailable_and_never_empty() -> None:
    made = host_with(recorded_filter("28.5", "healthy"))
    forbidden = Failed("forbidden", "Operation not permitted")
    made.answers |= {"nftables": forbidden, "iptables": forbidden}
    assert firewall(made, Unavailable("missing")) == Unavailable(
        "forbidden", "Operation not permitted"
    )


def test_half_a_filter_proves_no_accept() -> None:
    made = host_with(recorded_filter("28.5", "healthy"))
    made.answers["nftables"] = Failed("timed out")
    said = results_of(made)
    assert finding_rows(said) == []
    assert said["forward-dropped"].unexamined
