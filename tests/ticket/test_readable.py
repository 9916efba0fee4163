"""What is left out of a bundle, so that its reader does not refuse it."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnose.recording import answer_files
from diagnose.recording.answer_files import Recording
from diagnose.recording.limits import bytes_in_memory
from diagnose.recording.recorder import RecordedAnswer
from diagnose.ticket import readable

RECORDING, _ = answer_files.read_folder(Path(__file__).parents[2] / "fixtures/demo")
DETAILS = "answers/api.container.json"


def memory(recording: Recording) -> int:
    return sum(bytes_in_memory(text) for text in answer_files.files(recording).values())


def left_out(recording: Recording) -> set[str]:
    """The containers whose details were left out."""
    return {
        str(RECORDING[question].answer["Name"]).lstrip("/")
        for question, entry in recording.items()
        if question.kind == "api.container" and entry.answer == readable.LEFT_OUT
    }


def room_without_some_details(recording: Recording) -> int:
    """Bytes of memory in which not all details of containers fit."""
    sizes = {name: bytes_in_memory(text) for name, text in answer_files.files(recording).items()}
    larger = sum(size for size in sizes.values() if size > sizes[DETAILS])
    return sum(sizes.values()) - larger - 20_000


def test_what_fits_stays_as_it_is() -> None:
    fit = readable.fitting(RECORDING, set())
    assert (fit.recording, fit.shed) == (RECORDING, ())
    assert answer_files.joined(fit.rows) == answer_files.joined(answer_files.row_texts(RECORDING))


def test_what_a_reader_has_no_memory_for_is_left_out_and_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = room_without_some_details(RECORDING)
    monkeypatch.setattr(readable, "MOST_BYTES", room)
    fit = readable.fitting(RECORDING, {"search", "gateway", "legacy"})
    assert memory(fit.recording) <= room
    assert fit.recording.keys() == RECORDING.keys()
    gone = left_out(fit.recording)
    assert gone
    assert gone.isdisjoint({"search", "gateway", "legacy"})
    assert f"{DETAILS}: {len(gone)} of 13 answers" in fit.shed


def test_a_file_that_is_too_long_loses_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    longest = len(answer_files.files(RECORDING)[DETAILS].encode()) - 5_000
    monkeypatch.setattr(readable, "MAX_FILE", longest)
    fit = readable.fitting(RECORDING, set())
    assert len(answer_files.files(fit.recording)[DETAILS].encode()) <= longest
    assert any(words.startswith(DETAILS) for words in fit.shed)


def test_an_answer_with_foreign_line_ends_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON leaves U+2028 and U+0085 as they are, and Python takes them for the end of a line."""
    recording = dict(RECORDING)
    question = next(question for question in recording if question.kind == "api.container")
    answer = {**recording[question].answer, "Path": "a\u2028b\u0085c"}
    recording[question] = RecordedAnswer(answer)
    room = room_without_some_details(recording)
    monkeypatch.setattr(readable, "MOST_BYTES", room)
    fit = readable.fitting(recording, set())
    assert left_out(fit.recording)
    assert memory(fit.recording) <= room
