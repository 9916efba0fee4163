"""Hostile strings in every place that a container controls: long, deep, repeated and mixed, made
from what rules look for."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from diagnose.redact import Redactor
from diagnose.redact.assigned import _KEYWORDS
from diagnose.redact.rules import RULES
from diagnose.redact.vendors import VENDORS
from tests.corpus import put, strings, template

ATOMS = sorted(
    {sign for rule in RULES for sign in rule.signs}
    | set(_KEYWORDS)
    | {prefix for vendor in VENDORS for prefix in vendor.prefixes}
    | set("=:/@\"'`,;()[]{}<>|\\%+~\t\n*$#&!?\x1b\0é- ")
    | {
        "\x1b[32m",
        "\\n",
        "\\\n",
        "://",
        "https://",
        "Some(",
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "aB3",
        "İ",
    }
)
OPENINGS = ("{", "[", "(", "<a>", '"', "token=http://", "Some(", "password: |\n ", "\\", "<<", "$(")
PLACES = (
    ("api.container", "Config.Env[]"),
    ("api.container", "Config.Labels.com\\.example\\.x"),
    ("api.container", "Config.Cmd[]"),
    ("api.container", "Config.Entrypoint[]"),
    ("api.container", "Config.Healthcheck.Test[]"),
    ("api.container", "State.Error"),
    ("api.container", "State.Health.Log[0].Output"),
    ("api.containers", "[0].Command"),
    ("api.containers", "[0].Labels.x"),
    ("api.image_history", "[0].CreatedBy"),
    ("api.volumes", "Volumes[0].Options.o"),
    ("api.networks", "[0].Options.x"),
    ("api.events", "[0].Actor.Attributes.x"),
    ("api.logs", "text"),
    ("processes", "[0].cmdline[]"),
    ("firewall", "rules[0].comment"),
)
HOSTS = 48
MOST_PER_STRING_S = 2.0
"""Seconds of the processor's time that no string of 64 KiB may take."""
BUDGET_S = 15
"""Seconds of the processor's time for all hosts: what is left is not tried."""


def _long(rnd: random.Random) -> str:
    return "".join(rnd.choices(ATOMS, k=rnd.randint(1, 4))) + rnd.choice(ATOMS) * 70_000


def _deep(rnd: random.Random) -> str:
    return rnd.choice(OPENINGS) * rnd.randint(500, 9000) + rnd.choice(ATOMS)


def _repeated(rnd: random.Random) -> str:
    return "".join(rnd.choices(ATOMS, k=rnd.randint(2, 6))) * 9000


def _mixed(rnd: random.Random) -> str:
    return "".join(rnd.choices(ATOMS, k=9000))


MAKERS: tuple[Callable[[random.Random], str], ...] = (_long, _deep, _repeated, _mixed)


def hostile(rnd: random.Random) -> str:
    """A hostile string of at most 64 KiB."""
    return rnd.choice(MAKERS)(rnd)[: 64 * 1024]


@pytest.mark.fuzz
def test_hostile_strings_in_every_place_cost_little_and_hide_nothing(
    say: Callable[[str], None],
) -> None:
    seed = int(os.environ.get("CORPUS_SEED", random.SystemRandom().randrange(10**9)))
    rnd = random.Random(seed)
    begun = time.process_time()
    worst = 0.0
    tried = 0
    for number in range(HOSTS):
        if time.process_time() - begun > BUDGET_S:
            break
        question, place = PLACES[number % len(PLACES)]
        text = hostile(rnd)
        answer = _with_secret(put(template(question) or {}, place, text))
        started = time.process_time()
        new = Redactor(b"k" * 32).answer(question, {}, answer)
        took = time.process_time() - started
        worst, tried = max(worst, took), tried + 1
        assert took < MOST_PER_STRING_S, (seed, number, place, text[:80])
        assert len(list(strings(new))) == len(list(strings(answer))), (seed, number, place)
        assert not any("Pl4ntedWort" in string for string in strings(new)), (seed, number, place)
    say(f"hostile strings, seed {seed}: {tried} hosts, the worst took {worst:.2f} s of CPU")
    assert tried > len(PLACES)


def _with_secret(answer: Any) -> Any:
    """An answer with a secret beside the hostile string."""
    secret = {"Env": ["DB_PASSWORD=Pl4ntedWort"], "note": "password=Pl4ntedWort"}
    return (
        {**answer, "Beside": secret} if isinstance(answer, dict) else [*answer, {"Beside": secret}]
    )
