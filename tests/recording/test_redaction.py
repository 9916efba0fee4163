"""A recording that is kept: what a later answer shows to be a secret is gone from earlier ones."""

from __future__ import annotations

import json

import pytest

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


SCRIPT = f"#!/bin/sh\nexport DB_PASSWORD={WORD}\nexec shop\n"
SETTINGS = json.dumps({"ConnectionStrings": {"Main": f"Server=db;Password={WORD};"}})
FILES = {
    "a script": ("/start.sh", SCRIPT.encode()),
    "settings": ("/app/appsettings.json", SETTINGS.encode()),
    "another encoding": ("/start.sh", "# démarre\n".encode("latin-1") + SCRIPT.encode()),
    "wide letters": ("/app/shop.ini", f"db_password={WORD}\r\n".encode("utf-16-le")),
    "a program": ("/app/shop", b"\x7fELF\xff\0DB_PASSWORD=" + WORD.encode() + b"\0"),
}


@pytest.mark.parametrize(("path", "data"), FILES.values(), ids=FILES)
def test_a_file_of_a_container_is_kept_without_its_secrets(path: str, data: bytes) -> None:
    """In hex too, which is how a file comes that is not in UTF-8."""
    for answer in ({"text": data.decode("latin-1")}, {"hex": data.hex()}):
        kept = Redactor().answer("api.archive", {"id": "c", "path": path}, answer)
        shown = kept.get("text") or bytes.fromhex(kept["hex"]).decode("latin-1")
        assert WORD not in shown.replace("\0", "")
        assert "<redacted:" in shown.replace("\0", "")


@pytest.mark.parametrize("data", [b"\x7fELF\x02\x01\xff\0\0.text\0", b"#!/bin/sh\nexec shop\xff\n"])
def test_a_file_without_a_secret_stays_as_it_is(data: bytes) -> None:
    answer = {"type": "file", "hex": data.hex()}
    assert Redactor().answer("api.archive", {"path": "/shop"}, answer) == answer
