"""A recording that is kept: what a later answer shows to be a secret is gone from earlier ones."""

from __future__ import annotations

import json

from diagnose.questions.question import recorded as as_recorded
from diagnose.recording.recorder import RecordedAnswer
from diagnose.recording.redaction import all_settled
from diagnose.redact import Redactor

WORD = "Zx9vQ2LmP7tR4sW8"


def test_a_secret_that_is_known_later_is_gone_from_all_answers() -> None:
    redacts = Redactor()
    events = [{"Actor": {"Attributes": {"plain": WORD, "of": "shop"}}}]
    inspect = {"Config": {"Env": [f"DATABASE_URL=postgres://app:{WORD}@db:5432/shop"]}}
    entries = {
        as_recorded(kind, {}): RecordedAnswer(redacts.answer(kind, {}, answer))
        for kind, answer in (("api.events", events), ("api.container", inspect))
    }
    assert WORD in json.dumps([entry.answer for entry in entries.values()])
    kept = all_settled(entries, redacts)
    assert WORD not in json.dumps([entry.answer for entry in kept.values()])
    assert "shop" in json.dumps([entry.answer for entry in kept.values()])
