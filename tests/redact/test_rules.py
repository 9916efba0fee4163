"""Each rule of the table does what its examples say, by itself and among the others."""

from __future__ import annotations

import re

import pytest

from diagnose.redact import Redactor, tokens
from diagnose.redact.rules import RULES

GOES = [(rule, example) for rule in RULES for example in rule.goes]
STAYS = [(rule, example) for rule in RULES for example in rule.stays]
TOKEN = re.compile(r"<redacted:[a-z0-9-]+:[0-9a-f]{6,24}>")


def test_every_rule_has_examples_and_a_name_of_its_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.goes and rule.stays for rule in RULES)


@pytest.mark.parametrize(
    ("rule", "example"), GOES, ids=[f"{rule.name}: {text[:30]!r}" for rule, text in GOES]
)
def test_what_a_rule_must_take_is_gone_and_the_rest_stays(rule, example) -> None:
    new = Redactor().text(re.sub("[‹›]", "", example))
    assert TOKEN.sub("‹›", new) == re.sub("‹[^›]*›", "‹›", example)


@pytest.mark.parametrize(
    ("rule", "example"), STAYS, ids=[f"{rule.name}: {text[:30]!r}" for rule, text in STAYS]
)
def test_what_looks_alike_stays(rule, example) -> None:
    assert Redactor().text(example) == example


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_is_tried_on_its_own_examples(rule) -> None:
    """A sign that no example has would leave the rule asleep."""
    lows = [re.sub("[‹›]", "", example).lower() for example in rule.goes]
    assert not rule.signs or all(any(sign in low for sign in rule.signs) for low in lows)


@pytest.mark.parametrize("before", ["", "/", "--key=", "\\n"])
def test_each_prefix_of_a_token_is_looked_for_where_a_word_begins_with_it(before: str) -> None:
    missed = [
        prefix.text
        for prefix in tokens._PREFIXES
        if prefix not in tokens._prefixes_in(f"{before}{prefix.text}{'x' * 20}")
    ]
    assert not missed
