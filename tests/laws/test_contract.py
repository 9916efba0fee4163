"""The laws about checks: ids, titles, causes, proofs, and what the program says of them."""

from __future__ import annotations

import json

from diagnose import registry, runbooks
from diagnose.model import Check
from diagnose.questions.question import by_kind, policies
from tests import recorded
from tests.lab import faults
from tests.lab.machine import hardware as machine_hardware
from tests.laws.house import CHECKS, PAGES, ROOT
from tests.readme import CONTRIBUTING, README, rewritten, with_example


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


def test_a_check_is_called_like_its_id():
    names = {check.id: check.function.__name__ for check in CHECKS.values()}
    wanted = {id: id.partition(".")[2].replace("-", "_") for id in names}
    assert names == wanted


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


def test_what_makes_a_container_restart_explains_that_it_has_given_up():
    """The same failure, under a policy with a maximum; the five others are ends themselves."""
    loop, exhausted = "container.restart-loop", "container.restarts-exhausted"
    ends = {
        "container.crashed",
        "container.daemonized",
        "container.exits-at-start",
        "container.start-refused",
        exhausted,
    }
    assert causes_of(loop) - ends == causes_of(exhausted)


def causes_of(effect: str) -> set[str]:
    named = {id for id, check in CHECKS.items() if effect in check.causes}
    return named | set(CHECKS[effect].caused_by)


def test_every_check_is_found_on_a_real_fault():
    hosts = [*faults.discover().values(), *machine_hardware.SCENARIOS]
    proven = {id for host in hosts for id, _ in host.expected}
    on_made_evidence = {id for id in CHECKS if runbooks.page(id).no_real_fault}
    assert set(CHECKS) - proven == on_made_evidence, "`no-real-fault:` of the page says why"


def test_every_check_passes_on_a_recorded_host():
    rows, hosts = recorded.read(), recorded.hosts()
    assert hosts
    passed = {id for id in CHECKS for host in hosts if host.passes(id, rows)}
    with_reason = {id for id, row in rows.items() if row.why}
    assert set(CHECKS) - passed == with_reason, "the last column of fixtures/verdicts.csv says why"


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


def test_documents_show_what_the_program_says():
    text = README.read_text()
    assert rewritten(text) == text, "run: python -m tests.readme"
    text = CONTRIBUTING.read_text()
    assert "@check" in text
    assert with_example(text) == text, "run: python -m tests.readme"


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
