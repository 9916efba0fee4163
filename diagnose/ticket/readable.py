"""What a reader of bundles would refuse is left out of them, and named.

A host of 8,000 failed containers made a bundle that nobody could open: its values would not fit
into the memory that a reader gives them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion
from diagnose.recording import answer_files
from diagnose.recording.answer_files import MAX_FILE, Recording
from diagnose.recording.limits import MOST_BYTES, bytes_in_memory
from diagnose.recording.recorder import RecordedAnswer

LEFT_OUT = Failed("shed", "to keep the bundle readable")
_LEFT_OUT_BYTES = 1_000
"""What a row without its answer takes in memory, and as a text at most."""


class Readable(NamedTuple):
    """A recording that fits."""

    recording: Recording
    shed: tuple[str, ...] = ()
    """What was left out of which file, for people."""


class _Row(NamedTuple):
    question: AnyQuestion
    text: str
    is_named: bool

    @property
    def memory(self) -> int:
        """Bytes in memory that are saved without its answer."""
        return max(0, bytes_in_memory(self.text) - _LEFT_OUT_BYTES)

    @property
    def length(self) -> int:
        """Bytes of the file that are saved without its answer."""
        return max(0, len(self.text.encode("utf-8", "replace")) - _LEFT_OUT_BYTES)


def fitting(recording: Recording, named: Collection[str]) -> Readable:
    """The recording without the answers that its reader has no room for.

    named: containers that findings are about; their details are left out last.
    """
    files = answer_files.files(recording)
    memory = {name: bytes_in_memory(text) for name, text in files.items()}
    over = sum(memory.values()) - MOST_BYTES
    is_long = any(len(text.encode("utf-8", "replace")) > MAX_FILE for text in files.values())
    if over <= 0 and not is_long:
        return Readable(recording)
    kept, shed = dict(recording), []
    for name in sorted(files, key=lambda name: -memory[name]):
        too_long = len(files[name].encode("utf-8", "replace")) - MAX_FILE
        if over <= 0 and too_long <= 0:
            continue
        rows = _rows(recording, name, files[name], named)
        gone = _least_wanted(rows, over, too_long)
        for row in gone:
            kept[row.question] = RecordedAnswer(LEFT_OUT, recording[row.question].duration_s)
        shed.append(f"{name}: {len(gone)} of {len(rows)} answers")
        over -= sum(row.memory for row in gone)
    return Readable(kept, tuple(shed))


def _rows(recording: Recording, name: str, text: str, named: Collection[str]) -> list[_Row]:
    """The rows of a file, those first that findings are about."""
    kind = name.removeprefix("answers/").removesuffix(".json")
    questions = sorted(
        (question for question in recording if question.kind == kind),
        key=lambda question: question.key,
    )
    lines = text.splitlines()[1:-1]
    rows = [
        _Row(question, line, _name(recording[question].answer) in named)
        for question, line in zip(questions, lines, strict=True)
    ]
    return sorted(rows, key=lambda row: not row.is_named)


def _name(answer: Json | Failed) -> str:
    """The container's name in its details; "" for another answer."""
    name = answer.get("Name") if isinstance(answer, dict) else None
    return name.lstrip("/") if isinstance(name, str) else ""


def _least_wanted(rows: list[_Row], memory: int, length: int) -> list[_Row]:
    """The last rows, so many that this much is saved. length: of the file, in bytes."""
    gone = []
    for row in reversed(rows):
        if memory <= 0 and length <= 0:
            break
        gone.append(row)
        memory -= row.memory
        length -= row.length
    return gone
