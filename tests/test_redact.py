"""Redaction measured on a corpus: recall and precision as two figures, and the laws that the rest of the house builds on."""

from __future__ import annotations

import json
import os
import random
import re
import time
from typing import Any

import pytest

from diagnose.redact import Redactor, is_token
from tests import corpus
from tests.corpus import Case, fresh

KEY = b"a fixed key for tests" + b"\0" * 11
TOKEN = re.compile(r"<redacted:[a-z0-9-]+:[0-9a-f]{6,24}>")
SECRETS = corpus.cases("secrets.txt", 1)
LOOKALIKES = corpus.cases("lookalikes.txt", 2)


def redacted(case: Case) -> Any:
    redactor = Redactor(KEY)
    if case.question == "text":
        return redactor.text(case.answer)
    return redactor.answer(case.question, case.args, case.answer)


def missed(case: Case) -> list[str]:
    """The secrets of a case that still stand where they stood."""
    same = set(corpus.strings(corpus.template(case.question)))
    before = list(corpus.strings(case.answer))
    after = list(corpus.strings(redacted(case)))
    if len(before) != len(after):
        return ["the answer has lost its shape"]
    return [
        secret
        for secret in case.secrets
        if any(
            secret in old and old not in same and new.count(secret) >= old.count(secret)
            for old, new in zip(before, after, strict=True)
        )
    ]


def test_the_corpus_is_large_enough() -> None:
    assert sum(len(case.secrets) for case in SECRETS) >= 200
    assert len({case.text for case in LOOKALIKES}) >= 200
    assert all(case.secrets for case in SECRETS)
    assert not any(case.secrets for case in LOOKALIKES)


def test_recall_and_precision(capsys: pytest.CaptureFixture[str]) -> None:
    lost = {case.name: (case.text, missed(case)) for case in SECRETS if missed(case)}
    hurt = {case.name: (case.text, redacted(case)) for case in LOOKALIKES if redacted(case) != case.answer}
    total = sum(len(case.secrets) for case in SECRETS)
    kept = sum(len(secrets) for _, secrets in lost.values())
    with capsys.disabled():
        print(
            f"\nredaction recall {100 * (total - kept) / total:.1f} % of {total} secrets in {len(SECRETS)} answers, "
            f"precision {100 * (len(LOOKALIKES) - len(hurt)) / len(LOOKALIKES):.1f} % of {len(LOOKALIKES)} look-alikes"
        )
    assert not lost
    assert len(hurt) <= len(LOOKALIKES) // 100, hurt


@pytest.mark.parametrize("case", SECRETS, ids=lambda case: case.name)
def test_only_the_value_goes(case: Case) -> None:
    """What stands around a secret stays, so that a reader sees which setting it was."""
    text = "\n".join(corpus.strings(redacted(case)))
    around = "\n".join(corpus.strings(case.around))
    assert re.sub(r"\s", "", TOKEN.sub("", text)) == re.sub(r"\s", "", around)


def test_fresh_secrets_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    """Values and shapes that are new in each run: what is missed is printed, and belongs into the corpus."""
    seed = int(os.environ.get("CORPUS_SEED", random.SystemRandom().randrange(10**9)))
    made = list(fresh.cases(seed, 300))
    lost = [case for case in made if missed(case)]
    with capsys.disabled():
        print(f"\nfresh secrets, seed {seed}: missed {len(lost)} of {len(made)}")
        for case in lost:
            print(f"  {case.name}: {case.question} {case.place} {case.text!r}")
    assert len(made) == 300
