"""An answer as it is kept."""

import msgspec

from diagnose.model import Failed, Json

PACKED_FROM = 1_000
"""Answers to so many questions that are asked at once are kept as text: those of 14,000 inspects
took 240 MiB. Few of them are read again: evidence is made of them as they come."""


LONG_LIST = 5_000
"""Rows. Such a list is read once, and its rows are kept as what they say."""


class PackedValue(msgspec.Struct, frozen=True):
    """A value as JSON text, which takes a third of the memory."""

    text: bytes

    @property
    def value(self) -> Json:
        """The value, made of the text each time."""
        decoded: Json = msgspec.json.decode(self.text)
        return decoded


class RecordedAnswer(msgspec.Struct, frozen=True):
    """The recorded answer to one question, and the seconds that it took.

    They count from the moment at which a worker took the question up.
    """

    held: Json | Failed | PackedValue
    duration_s: float = 0.0

    @property
    def answer(self) -> Json | Failed:
        """The answer to the question."""
        held = self.held
        return held.value if isinstance(held, PackedValue) else held


def is_long(entry: RecordedAnswer) -> bool:
    """Whether the answer is a list that is kept as text for its length alone."""
    return isinstance(entry.held, list) and len(entry.held) > LONG_LIST


def packed(entry: RecordedAnswer) -> RecordedAnswer:
    """An answer with an object or a list as its text.

    Unchanged where a text cannot say all of it.
    """
    if not isinstance(entry.held, dict | list):
        return entry
    try:
        return RecordedAnswer(PackedValue(msgspec.json.encode(entry.held)), entry.duration_s)
    except (UnicodeEncodeError, OverflowError):  # half of a surrogate pair, a number of 80 digits
        return entry
