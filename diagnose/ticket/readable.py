"""The part of a bundle that a reader accepts. The rest is left out, and named.

A host of 8,000 failed containers made a bundle that nobody could open: its values would not fit
into the memory that a reader gives them.
"""

from collections.abc import Collection, Mapping

import msgspec

from diagnose.mappings import by_key
from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion
from diagnose.recording import answer_files
from diagnose.recording.answer_files import MAX_FILE, Recording
from diagnose.recording.limits import ITEM_BYTES, LIST_BYTES, MOST_BYTES, bytes_in_memory
from diagnose.recording.recorder import RecordedAnswer

LEFT_OUT = Failed("shed", "to keep the bundle readable")
_LEFT_OUT_BYTES = 1_000
"""What a row without its answer takes in memory, and as a text at most."""


class Readable(msgspec.Struct, frozen=True):
    """A recording that fits."""

    recording: Recording
    shed: tuple[str, ...] = ()
    """What was left out of which file, for people."""
    rows: Mapping[AnyQuestion, str] = {}
    """The recording's rows, as its files have them."""


class _Row(msgspec.Struct, frozen=True):
    question: AnyQuestion
    text: str

    @property
    def memory(self) -> int:
        """Bytes in memory that are saved without its answer."""
        return max(0, bytes_in_memory(self.text) - _LEFT_OUT_BYTES)

    @property
    def length(self) -> int:
        """Bytes of the file that are saved without its answer."""
        return max(0, _length(self.text) - _LEFT_OUT_BYTES)


def fitting(recording: Recording, named_ids: Collection[str]) -> Readable:
    """The recording without the answers that its reader has no room for.

    named_ids: containers that findings are about; their details are left out last.
    """
    texts = answer_files.row_texts(recording)
    rows = by_key((question.kind, _Row(question, text)) for question, text in texts.items())
    memory = {kind: _memory(rows[kind]) for kind in rows}
    over = sum(memory.values()) - MOST_BYTES
    remaining = dict(recording)
    shed = []
    for kind in sorted(rows, key=lambda kind: -memory[kind]):
        # a bracket, a comma and line ends beside the rows
        too_long = sum(_length(row.text) + 2 for row in rows[kind]) + 4 - MAX_FILE
        if over <= 0 and too_long <= 0:
            continue
        # those first that findings are about
        ordered = sorted(
            rows[kind], key=lambda row: _name(recording[row.question].answer) not in named_ids
        )
        removed = _least_wanted(ordered, over, too_long)
        for row in removed:
            entry = RecordedAnswer(LEFT_OUT, recording[row.question].duration_s)
            remaining[row.question] = entry
            texts[row.question] = answer_files.row_text(row.question, entry)
        shed.append(f"answers/{kind}.json: {len(removed)} of {len(rows[kind])} answers")
        over -= sum(row.memory for row in removed)
    return Readable(remaining if shed else recording, tuple(shed), texts)


def _memory(rows: Collection[_Row]) -> int:
    """Bytes in memory of a file's rows, and of the list that holds them."""
    return LIST_BYTES + sum(ITEM_BYTES + bytes_in_memory(row.text) for row in rows)


def _length(text: str) -> int:
    """Bytes of a text."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def _name(answer: Json | Failed) -> str:
    """The container's name in its details; "" for another answer."""
    name = answer.get("Name") if isinstance(answer, dict) else None
    return name.lstrip("/") if isinstance(name, str) else ""


def _least_wanted(rows: list[_Row], memory: int, length: int) -> list[_Row]:
    """The last rows, so many that this much is saved. length: of the file, in bytes."""
    removed = []
    for row in reversed(rows):
        if memory <= 0 and length <= 0:
            break
        removed.append(row)
        memory -= row.memory
        length -= row.length
    return removed
