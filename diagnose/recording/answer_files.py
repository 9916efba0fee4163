"""The recording as files.

A folder with `manifest.json` and one file of answers per kind of question.

The same layout is a fixture, the inside of a bundle, and what `--from FOLDER` reads.
"""

import errno
import hashlib
import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

import msgspec

from diagnose.mappings import by_key
from diagnose.model import Failed, Json, Reason
from diagnose.plain_file import NotPlainError, plain_text
from diagnose.questions import AnyQuestion, RecordedQuestion
from diagnose.questions.question import policies
from diagnose.recording.limits import MOST_BYTES, bytes_in_memory, cut, is_deep
from diagnose.recording.recorded_answer import PackedValue
from diagnose.recording.recorder import RecordedAnswer

FORMAT = 1
"""The format's version: raised when an older tool could misread it. Older formats are read, newer
ones refused."""

MAX_FILE = 64 * 2**20
"""Bytes of one file: one that holds more was made to hurt."""

SMALL_FILE = 64 * 1024
"""Characters of a file that is read even when the time is up: a host's files of this size take a
few milliseconds together, and say what host it is."""

DAMAGED = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading a text rises with that is not an answer."""

IS_DAMAGED = "the answer is damaged in this recording"
MOST_DAMAGED = 1_000
"""Answers of one file that may be damaged; more of them cost time, and say nothing."""

UNREAD = Failed("budget", "the time was up before this answer was read")

_ROW = '{"args": '
"""How each row begins that `files` wrote."""

REASONS = frozenset(get_args(Reason))

Recording = Mapping[AnyQuestion, RecordedAnswer]


class RecordingError(Exception):
    """The folder or archive is not a recording that can be read.

    The message says why in one sentence.
    """


def files(recording: Recording) -> dict[str, str]:
    """The answers as texts by relative path, one file per kind.

    Entries are in the order of their questions' keys.
    """
    return {name: data.decode() for name, data in joined(row_texts(recording)).items()}


def row_texts(recording: Recording) -> dict[AnyQuestion, str]:
    """Each question with its answer as a line of a file, in the order of the questions' keys."""
    return {
        question: row_text(question, recording[question])
        for question in sorted(recording, key=lambda question: question.key)
    }


def row_text(question: AnyQuestion, entry: RecordedAnswer) -> str:
    """One question with its answer as a line of a file."""
    held = entry.held
    if isinstance(held, Failed):
        answer = f'"failed": {encoded({"reason": held.reason, "detail": held.detail})}'
    elif isinstance(held, PackedValue):
        answer = f'"answer": {held.text.decode()}'
    else:
        answer = f'"answer": {encoded(held)}'
    return f'{_ROW}{question.arguments}, {answer}, "duration_s": {entry.duration_s}}}'


def joined(rows: Mapping[AnyQuestion, str]) -> dict[str, bytes]:
    """Rows as the contents of their files by relative path."""
    by_kind = by_key((question.kind, row) for question, row in rows.items())
    return {f"answers/{kind}.json": _file(lines) for kind, lines in by_kind.items()}


def _file(lines: Iterable[str]) -> bytes:
    text = ",\n".join(lines)
    return f"[\n{text}\n]\n".encode("utf-8", "replace")


def encoded(value: Json, indent: int = -1) -> str:
    """A value as JSON. Half of a surrogate pair stays, for whoever writes the text.

    indent: spaces for each level, on lines of their own; -1: all on one line.
    """
    try:
        text = msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, ensure_ascii=False, indent=indent if indent >= 0 else None)
    return (text if indent < 0 else msgspec.json.format(text, indent=indent)).decode()


def digest(texts: Mapping[str, bytes]) -> str:
    """SHA-256 over the names and contents of the answer files, in the order of their names."""
    total = hashlib.sha256()
    for name in sorted(texts):
        total.update(name.encode() + b"\0" + texts[name] + b"\0")
    return total.hexdigest()


def parse(
    texts: Iterable[tuple[str, str]], ends: float = math.inf
) -> dict[AnyQuestion, RecordedAnswer]:
    """The recording out of answer files (name, text).

    An answer that cannot be read is Failed("malformed") where its question can be read. Otherwise
    nobody could say what is missing, and the recording is refused.

    ends: a moment on the monotonic clock. Answers that were not read by then are
    Failed("budget"): the largest files are read last, and files of up to SMALL_FILE always.

    RecordingError on anything that is not one.
    """
    recording: dict[AnyQuestion, RecordedAnswer] = {}
    room = MOST_BYTES
    for name, text in sorted(texts, key=lambda file: len(file[1])):
        kind = Path(name).name.removesuffix(".json")
        if kind not in policies():
            continue  # a question of another version of the tool: nobody here asks it
        room -= bytes_in_memory(text)
        if room < 0:
            raise RecordingError(
                "it holds more values than diagnose reads: "
                "they would not fit into 300 MiB of memory"
            )
        try:
            recording.update(_entries(kind, text, ends if len(text) > SMALL_FILE else math.inf))
        except DAMAGED as error:
            raise RecordingError(
                f"{name} holds no answers that can be read ({_error_text(error)})"
            ) from error
    return recording


class _Question(msgspec.Struct):
    """The question of a row; its answer is passed over."""

    args: dict[str, Any]


def _entries(
    kind: str, text: str, ends: float
) -> Iterator[tuple[RecordedQuestion, RecordedAnswer]]:
    """The answers of one file, row by row."""
    longest = policies()[kind].longest
    values = _SharedValues()
    damaged = 0
    for raw in _rows(text):
        try:
            if time.monotonic() > ends:
                arguments: Json = msgspec.json.decode(raw, type=_Question).args
                entry = RecordedAnswer(UNREAD, 0.0)
            else:
                row = _as_mapping(values.read(raw))
                arguments = _as_mapping(row["args"])
                entry = _entry(row, longest, len(raw))
        except DAMAGED as error:
            damaged += 1
            if damaged > MOST_DAMAGED:
                raise
            arguments = _arguments(raw)
            entry = RecordedAnswer(Failed("malformed", f"{IS_DAMAGED} ({_error_text(error)})"), 0.0)
        key = json.dumps(arguments, sort_keys=True, separators=(",", ":"))
        yield RecordedQuestion(kind, key), entry


def damaged(recording: Recording) -> list[AnyQuestion]:
    """The questions whose answers could not be read."""
    return [
        question
        for question, entry in recording.items()
        if isinstance(entry.answer, Failed) and entry.answer.detail.startswith(IS_DAMAGED)
    ]


def _rows(text: str) -> Iterable[msgspec.Raw]:
    """The rows of a file. A file that is whole but for some of its lines still has the others."""
    try:
        return msgspec.json.decode(text, type=list[msgspec.Raw])
    except DAMAGED:
        if not (text.startswith("[\n") and text.endswith("\n]\n")):
            raise
        return _lines(text)


def _lines(text: str) -> Iterator[msgspec.Raw]:
    """The rows between the brackets, one by one: hostile text may have millions of lines."""
    at = len("[\n")
    end = len(text) - len("]\n")
    while at < end:
        stop = text.index("\n", at)
        yield msgspec.Raw(text[at:stop].removesuffix(",").encode())
        at = stop + 1


def _arguments(raw: msgspec.Raw) -> dict[str, Json]:
    """The arguments of a row's question, also where the rest of the row is damaged."""
    try:
        arguments: Json = msgspec.json.decode(raw, type=_Question).args
    except DAMAGED:
        row = bytes(raw).decode()
        if not row.startswith(_ROW):
            raise
        arguments, _ = json.JSONDecoder().raw_decode(row, len(_ROW))
    return _as_mapping(arguments)


class _SharedValues:
    """Values of one file; those with the same text are one object.

    Containers of one service differ in their names, addresses and times, not in their settings: a
    bundle of 8,000 containers takes half of the memory. Nobody changes an answer.
    """

    LEAST_BYTES = 64
    """Shorter texts are cheaper to read than to look up."""
    LEVELS = 4
    """A row, its answer, and the parts of that."""

    def __init__(self) -> None:
        self._known: dict[bytes, Json] = {}

    def read(self, text: msgspec.Raw, levels: int = LEVELS) -> Json:
        """The value of a text."""
        if len(text) < self.LEAST_BYTES:
            return cast("Json", msgspec.json.decode(text))
        key = hashlib.blake2b(text, digest_size=16).digest()
        if key in self._known:
            return self._known[key]
        value: Json
        if levels and bytes(memoryview(text)[:1]) == b"{":
            parts = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
            value = {name: self.read(part, levels - 1) for name, part in parts.items()}
        else:
            value = msgspec.json.decode(text)
        self._known[key] = value
        return value


def _entry(row: Mapping[str, Json], longest: int, length: int) -> RecordedAnswer:
    """The answer of a row that is so many bytes long as a text."""
    answer: Json | Failed
    if row.get("failed"):
        answer = _recorded_failure(row["failed"])
    elif length <= longest and not is_deep(row["answer"]):
        answer = row["answer"]
    else:
        answer = cut(row["answer"], longest)
    return RecordedAnswer(answer, float(row.get("duration_s", 0.0)))


def _as_mapping(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


def _recorded_failure(row: Mapping[str, Json]) -> Failed:
    """A failure as it was recorded.

    A reason that only another version of the tool gives is named in the detail.
    """
    reason = str(row["reason"])
    detail = str(row["detail"])
    if reason in REASONS:
        return Failed(cast("Reason", reason), detail)
    return Failed("not recorded", f"{reason}: {detail}")


def _error_text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


def check_manifest(text: str) -> dict[str, Json]:
    """The manifest, or RecordingError if it is none or of a newer format than this tool reads."""
    try:
        manifest = _as_mapping(msgspec.json.decode(text))
        version = int(manifest["format"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise RecordingError(
            f"manifest.json is not a manifest of diagnose ({_error_text(error)})"
        ) from error
    if version > FORMAT:
        raise RecordingError(
            f"it has format {version}, newer than this tool reads ({FORMAT}): update diagnose"
        )
    return dict(manifest)


def write_folder(folder: Path, recording: Recording, manifest: Mapping[str, Json]) -> None:
    """Write manifest and answers into a folder, which is made if it is missing. OSError rises."""
    texts = joined(row_texts(recording))
    (folder / "answers").mkdir(parents=True, exist_ok=True)
    for old in (folder / "answers").glob("*.json"):
        old.unlink()
    for name, text in texts.items():
        (folder / name).write_bytes(text)
    head = {"format": FORMAT, **manifest, "answers_sha256": digest(texts)}
    (folder / "manifest.json").write_text(json.dumps(head, indent=1) + "\n", encoding="utf-8")


class RecordedHost(NamedTuple):
    """The answers and the manifest of a recording."""

    answers: dict[AnyQuestion, RecordedAnswer]
    manifest: dict[str, Json]


def read_folder(folder: Path, ends: float = math.inf) -> RecordedHost:
    """The recording in a folder. RecordingError if it holds none.

    ends: as for `parse`.
    """
    try:
        manifest = check_manifest(plain_text(folder / "manifest.json"))
        names = sorted(
            path for path in (folder / "answers").glob("*.json") if path.stem in policies()
        )
        texts = [(f"answers/{name.name}", plain_text(name)) for name in names]
    except FileNotFoundError as error:
        raise RecordingError("it is not a recorded host: it holds no manifest.json") from error
    except NotPlainError as error:
        raise RecordingError(str(error)) from error
    except OSError as error:
        why = "a link" if error.errno == errno.ELOOP else error.strerror or str(error)
        raise RecordingError(f"it is not a recorded host: {error.filename}: {why}") from error
    except UnicodeDecodeError as error:
        raise RecordingError(f"it is not a recorded host: {error}") from error
    if not texts:
        raise RecordingError("it is not a recorded host: it holds no answers")
    return RecordedHost(parse(texts, ends), manifest)
