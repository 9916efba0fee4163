"""The laws about checks: ids, titles, causes, proofs, and what the program says of them."""

from __future__ import annotations

import json

from diagnose import registry, runbooks
from diagnose.model import Check
from diagnose.questions.question import by_kind, policies
from tests.lab import faults
from tests.lab.machine import units as machine_units
from tests.laws.house import CHECKS, PAGES, ROOT
from tests.readme import INDEX, README, index, rewritten


def test_there_are_checks_and_pages():
    assert CHECKS
    assert PAGES
    assert policies()


def test_every_check_has_a_page_and_every_page_a_check():
    retired = {id for id in PAGES if runbooks.page(id).retired}
    assert set(CHECKS) == set(PAGES) - retired


def test_title_is_one_short_sentence():
    for id, check in CHECKS.items():
        assert 0 < len(check.title) < 80, id
        assert check.title.endswith("."), id
        assert check.title.count(". ") == 0, id


def test_causes_exist():
    for id, check in CHECKS.items():
        for other in (*check.caused_by, *check.causes):
            assert other in CHECKS, f"{id} names {other}"
            assert other != id


def test_causes_make_no_circle():
    edges: dict[str, set[str]] = {id: set(check.caused_by) for id, check in CHECKS.items()}
    for id, check in CHECKS.items():
        for effect in check.causes:
            edges[effect].add(id)
    assert any(edges.values())
    done: set[str] = set()
    while True:
        free = {id for id in edges if id not in done and edges[id] <= done}
        if not free:
            break
        done |= free
    assert set(edges) - done == set(), "these stand in a circle"


def test_every_check_is_found_on_a_real_fault():
    hosts = [*faults.discover().values(), *machine_units.SCENARIOS]
    proven = {id for host in hosts for id, _ in host.expected}
    on_made_evidence = {id for id in CHECKS if runbooks.page(id).no_real_fault}
    assert set(CHECKS) - proven == on_made_evidence, "`no-real-fault:` of the page says why"


PASSED_NOWHERE = {
    "network.ftp-data-unpublished": "no recorded host publishes port 21",
    "network.discovery-unheard": "no recorded host runs a program that is made to find devices",
    "firewall.overlay-lost": "no recorded host is in a swarm",
    "swarm.address-gone": "no recorded host is in a swarm",
    "swarm.update-stuck": "no recorded host is in a swarm",
    "network.address-duplicate": "no recorded host has a macvlan network",
    "swarm.ipvs-missing": "no recorded host is in a swarm and was asked for the file of IPVS",
    "swarm.ingress-forwarding-off": "no recorded host is in a swarm",
    "container.cpu-unsupported": "no recorded log speaks of missing instructions",
    "daemon.containerd-config-invalid": "no recorded host with a containerd of the system was asked",
    "daemon.unit-invalid": "no recorded host has systemd and was asked for its unit",
    "firewall.ban-bypassed": "no recorded host has a ban list",
    "firewall.neighbour-banned": "no bundle of a recorded host holds its ARP table",
    "dns.search-wildcard": "no recorded host was asked for a wildcard",
    "daemon.not-enabled": "no recorded host has systemd",
    "firewall.between-containers": "no container of a recorded host is configured to call another one",
    "firewall.bridge-filter-off": "no recorded host has a network without traffic between its containers",
    "firewall.dropped-inside-container": "no recorded host was asked for the rules inside a container",
    "firewall.host-port-closed": "no recorded host has a container on its own network",
    "firewall.input-dropped": "no container of a recorded host is configured to use its host",
    "firewall.closed-over-ipv6": "no recorded host has an address of the IPv6 internet",
    "firewall.neighbour-discovery-dropped": "no recorded host has a network with IPv6",
    "firewall.ping-dropped": "no container of a recorded host pings anything",
    "firewall.other-bridges-cut-off": "no recorded host has another program's bridge",
    "firewall.podman-rules-missing": "no recorded host runs Podman",
    "kernel.modules-gone": "the lab's kernel has no loadable modules",
    "network.ipv4-leads-nowhere": "no recorded host reaches the outside only over IPv6",
    "network.gateway-unanswered": "no recorded host has a macvlan network",
    "network.internal-called-out": "no recorded host has a container on internal networks only",
    "network.parent-in-use": "no recorded host has a macvlan network",
    "logging.backpressure": "no recorded host sends logs elsewhere",
    "network.host-service-not-listening": "no container of a recorded host is configured to use its host",
    "network.loopback-not-routed": "no recorded host runs without docker-proxy",
    "network.parent-subnet-foreign": "no recorded host has a macvlan network",
    "network.published-on-loopback": "no recorded host publishes on the loopback by default",
    "network.proxy-on-loopback": "no recorded host has a proxy on localhost",
    "network.proxy-takes-neighbours": "no recorded host has a proxy in an environment",
    "network.requests-taken-for-forged": "no recorded host has a second uplink with rp_filter",
    "network.ipv6-default-route-lost": "no recorded host has a global IPv6 address",
    "network.parent-down": "no recorded host has a macvlan network",
    "storage.network-volume-stale": "no recorded host mounts a network file system",
    "storage.store-leftover": "no recorded host has the containerd image store",
    "swarm.node-down": "no recorded host is in a swarm",
    "swarm.quorum-lost": "no recorded host is in a swarm",
    "swarm.service-underreplicated": "no recorded host is in a swarm",
}
"""Checks that apply to no recorded host, and why: the tests of their family show them passing on
made evidence."""


def test_every_check_passes_on_a_recorded_host():
    verdicts = [
        json.loads(path.read_text())["verdicts"]
        for path in (ROOT / "fixtures").glob("*/expected.json")
    ]
    assert verdicts
    passed = {id for host in verdicts for id, verdict in host.items() if verdict == "passed"}
    assert set(CHECKS) - passed == set(PASSED_NOWHERE)


def test_every_question_says_for_whom_it_speaks():
    assert policies()
    for kind, question in by_kind().items():
        assert question.__doc__, kind
        assert policies()[kind].what, kind


def test_needs_are_collected_by_someone():
    def reachable(kind: type, seen: set[type]) -> None:
        if kind not in seen:
            seen.add(kind)
            for need in registry.needs_of(registry.collector(kind)):
                reachable(need.kind, seen)

    seen: set[type] = set()
    for check in CHECKS.values():
        for need in check.needs:
            reachable(need.kind, seen)
    assert seen


def test_readme_shows_what_the_program_says():
    text = README.read_text()
    assert rewritten(text) == text, "run: python -m tests.readme"


def test_index_of_the_pages_is_current():
    assert INDEX.read_text() == index(), "run: python -m tests.readme"
    assert INDEX not in runbooks.paths().values()


def test_schema_is_a_schema():
    import jsonschema

    for name in ("report", "fleet"):
        schema = json.loads((ROOT / f"diagnose/render/{name}.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)


def test_thresholds_have_units():
    limits = [(check, limit) for check in CHECKS.values() for limit in check.thresholds]
    assert limits
    for check, limit in limits:
        assert isinstance(check, Check)
        assert limit.default > 0
