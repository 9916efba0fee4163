"""The first command of a report heals or decides: each scenario of the lab, with what its page is
filled with, and a verdict."""

from __future__ import annotations

import re

import pytest

from diagnose import registry, runbooks
from diagnose.model import Trait
from tests.cured import Row, last_line, proven, rows, with_last_line
from tests.lab import faults

CHECKS = registry.load()
ROWS = rows()
SCENARIOS = faults.discover()
LOUD = [row for row in ROWS if row.severity != "advice"]
VERDICTS = {
    "heals": "the lab saw it end the fault alone, or it is known to",
    "decides": "its result says which way to go",
    "half": "it is right, and something else has to be done too",
    "no": "it does not help in this case",
    "none": "the report shows no fix",
    "harms": "it makes things worse",
}
LOOKS = (
    r"docker (?:inspect|logs|ps|stats|top|images|info|events|version|port|diff|history|network (?:ls|inspect)|system df)\b",
    r"(?:cat|ls|head|tail|grep|ss|df|du|ps|test|awk|sort|echo|printf|journalctl|dmesg|lsblk|findmnt|sleep|openssl|\[)\b",
    r"ip (?:-\S+ )*(?:addr|address|route|link|rule)(?: show\b|$)",
    r"systemctl (?:status|list-units|cat|show)\b",
)
"""Commands that change nothing."""
_LOOK = re.compile("|".join(LOOKS))
_SEGMENTS = re.compile(r"\|\|?|&&|;|\n")
_WRITES = re.compile(r"(?<![0-9&])>>?\s*(?!/dev/null|&)")
LITERALS = re.compile(
    r"registry\.example|git\.example|/path/to|\b(?:CONTAINER|IMAGE|NAME|HOST|PORT)\b|other-host|\bvi "
)
"""Values that are made up, and editors."""
SHARE = 0.85
"""Of the scenarios above advice."""
NONE_AT_MOST = 0.05
"""Of the ids above advice."""


def verdict(row: Row) -> str:
    """What the first command does for the person in front of it."""
    if row.first is None:
        return "none"
    if row.heals_at_once:
        return "heals"
    judged = SCENARIOS[row.scenario].first_command if row.scenario in SCENARIOS else None
    return judged[0] if judged is not None else "not judged"


def only_looks(text: str) -> bool:
    """Whether no part of these commands changes anything."""
    segments = [segment.strip() for segment in _SEGMENTS.split(text) if segment.strip()]
    return not _WRITES.search(text) and all(_LOOK.match(segment) for segment in segments)


def _named(row: Row) -> str:
    return f"{row.scenario}-{row.engine}"


def test_there_are_rows():
    assert len({row.id for row in ROWS}) > 140


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("docker logs --tail 50 web", True),
        ("docker inspect web | grep -c x", True),
        ("cat a; ip route show default", True),
        ("ip route del default", False),
        ("echo 'options use-vc' >>/etc/resolv.conf", False),
        ("printf '%s' web | xargs -r docker start", False),
        ("docker start web", False),
    ],
)
def test_a_look_is_known(text: str, looks: bool):
    assert only_looks(text) is looks


def test_every_first_command_is_judged_and_none_harms():
    verdicts = {_named(row): verdict(row) for row in ROWS}
    allowed = VERDICTS.keys() - {"harms"}
    assert {name: given for name, given in verdicts.items() if given not in allowed} == {}


def test_each_judgement_is_about_a_row_and_says_why():
    judged = {
        name: scenario.first_command
        for name, scenario in SCENARIOS.items()
        if scenario.first_command is not None
    }
    assert judged
    assert judged.keys() - {row.scenario for row in ROWS} == set()
    assert {verdict for verdict, _ in judged.values()} <= VERDICTS.keys()
    assert all(why for _, why in judged.values())


def test_the_command_is_the_one_that_was_proven_or_judged():
    stale = [_named(row) for row in ROWS if row.is_stale]
    assert stale == [], "the page has changed: run its cure again, or judge it again"


HOSTS: dict[str, frozenset[Trait]] = {
    "systemd": frozenset({"systemd"}),
    "another init": frozenset(),
    "rootless": frozenset({"systemd", "rootless"}),
    "Alpine": frozenset({"openrc"}),
    "Unraid": frozenset({"slackware"}),
    "DSM": frozenset({"systemd", "synology"}),
    "the snap": frozenset({"systemd", "snap"}),
}


@pytest.mark.parametrize("traits", HOSTS.values(), ids=HOSTS)
def test_each_host_is_told_what_to_do(traits: frozenset[Trait]):
    helpless = [
        row.scenario
        for row in LOUD
        if runbooks.cure(row.id, row.variables, runbooks.Place(row.docker, traits)) is None
        and not runbooks.by_hand(row.id, row.variables)
    ]
    assert helpless == []


def test_first_command_can_be_typed_and_changes_something():
    """No placeholder, no made-up value, nothing that the host lacks, and no mere look where a fix
    is known."""
    for row in ROWS:
        for traits in (row.place.traits, row.place.traits - {"systemd"}):
            first = runbooks.cure(row.id, row.variables, runbooks.Place(row.docker, traits))
            if first is None:
                continue
            asks_systemd = re.search(r"\b(?:systemctl|journalctl)\b", first.text)
            assert not runbooks.placeholders(first.text), _named(row)
            assert not LITERALS.search(first.text), _named(row)
            assert "systemd" in traits or not asks_systemd, _named(row)
            assert not only_looks(first.text), _named(row)


ENGINE_UNIT = re.compile(r"systemctl [a-z-]+ (?:\S+ )?docker(?:\.service)?(?![\w.-])")


def test_the_engine_has_its_own_service_commands_on_each_kind_of_host():
    """`service docker` is a program that OpenRC and Slackware lack; the snap's unit has another
    name."""
    for row in ROWS:
        for name in ("Alpine", "Unraid", "DSM", "the snap"):
            first = runbooks.cure(row.id, row.variables, runbooks.Place(row.docker, HOSTS[name]))
            text = first.text if first is not None else ""
            assert not re.search(r"(?<!rc-)\bservice docker", text), _named(row)
            assert not ENGINE_UNIT.search(text), (name, _named(row), text)


def test_the_first_command_heals_or_decides():
    good = [row for row in LOUD if verdict(row) in ("heals", "decides")]
    others = sorted(f"{row.scenario} {verdict(row)}" for row in LOUD if row not in good)
    assert len(good) / len(LOUD) >= SHARE, others


def test_hardly_any_id_has_no_fix():
    ids = {row.id for row in LOUD}
    without = {id for id in ids if all(row.first is None for row in LOUD if row.id == id)}
    assert len(without) <= NONE_AT_MOST * len(ids), without


def test_every_page_without_a_proof_has_its_reason():
    by_own_text = set(proven(ROWS))
    with_reason = {id for id in CHECKS if runbooks.page(id).unhealed}
    assert set(CHECKS) - by_own_text == with_reason, "`unhealed:` in the front matter says why"
    assert len(by_own_text) >= 115


def test_pages_say_where_they_were_proven():
    engines = proven(ROWS)
    assert engines
    for id, path in runbooks.paths().items():
        text = path.read_text(encoding="utf-8")
        assert with_last_line(text, engines.get(id, ())) == text, (
            "run: python -m tests.cured RESULTS"
        )
        assert (id in engines) is text.endswith(f"{last_line(engines.get(id, ()))}\n")
