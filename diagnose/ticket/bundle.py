"""The bundle: one archive for a ticket.

It has the report, the answers it was made from, and the texts that people ask for.

diagnose-HOST/report.md, report.json      what was found
diagnose-HOST/report.html                 the same to look at, in one file
diagnose-HOST/answers/KIND.json           the recording: what `--from` judges again
diagnose-HOST/texts/...                   logs, rules, links, routes, for reading
diagnose-HOST/manifest.json               what each question gave, versions, hashes, what was
                                          redacted or is missing
"""

import gzip
import hashlib
import importlib.metadata
import io
import re
import tarfile
import zlib
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import msgspec

from diagnose import packs
from diagnose.document import document
from diagnose.mappings import by_key
from diagnose.model import Failed, Json, Report
from diagnose.questions import AnyQuestion
from diagnose.recording import answer_files, archive
from diagnose.recording.budget import UNLIMITED, TimeLimit
from diagnose.recording.recorder import RecordedAnswer
from diagnose.redact import TOKEN
from diagnose.render.formats import json as json_report
from diagnose.render.formats import markdown
from diagnose.render.html import page
from diagnose.render.outlines.outline import MOST_ROOTS
from diagnose.ticket import proof, readable, texts
from diagnose.version import __version__

MAX_SIZE = 10 * 1000 * 1000
"""What ticket systems take."""
_TOKEN = re.compile(TOKEN.encode())
_KEPT_LAST = (
    "options",
    "now",
    "uname",
    "endpoint",
    "locality",
    "caller",
    "api.ping",
    "api.info",
    "api.containers",
)
"""Without these answers nothing can be judged again; they are shed after everything else."""
_UNPACKED = int(0.95 * archive.MAX_TOTAL)
"""Bytes of all members, the rest is for their headers."""
HTML_S = 0.0005
"""Seconds that the HTML report takes for each finding that it shows."""
DRAWING_S = 0.00004
"""The same for each answer: it draws the containers (measured: 8,000 of them)."""
TEXTS_S = 0.00005
"""Seconds for looking through each answer for the texts that people ask for."""
PACKING_S_PER_MIB = 0.05
"""Seconds for compressing a MiB of members well, and for searching it for secrets."""
_HEADER = 120
"""Bytes that a member's header costs once it is compressed."""


class TooLargeError(Exception):
    """Even the barest bundle is larger than the limit."""


class LeakError(Exception):
    """The finished archive still holds values that were redacted.

    The message names files and kinds.
    """


class Member(msgspec.Struct, frozen=True):
    """A file of a bundle."""

    name: str
    bytes: int
    redactions: int
    """How many times something was redacted in it."""


class Bundle(msgspec.Struct, frozen=True):
    """A sealed bundle."""

    data: bytes
    """The archive."""
    members: tuple[Member, ...]
    shed: tuple[str, ...]
    """What was left out to keep the size."""
    late: tuple[str, ...] = ()
    """What was left out to keep the time limit; the answers and the report hold the same."""


def make(
    report: Report,
    exit_code: int,
    recorded: answer_files.Recording,
    manifest: Mapping[str, Json],
    *,
    redacted: Mapping[str, int],
    max_size: int = MAX_SIZE,
    limit: TimeLimit = UNLIMITED,
) -> Bundle:
    """Seal a bundle within max_size bytes, shedding the least valuable first.

    What only repeats the report and the answers is left out where the time is short. TooLargeError
    if it cannot be made small enough.
    """
    fixed = _reports(report, exit_code)
    fit = readable.fitting(recorded, {finding.subject.name for finding in report.findings})
    recording = dict(fit.recording)
    rows = dict(fit.rows)
    rest_s = _packing_s(map(len, rows.values()))
    extras, late = _extras(report, exit_code, recorded, limit, rest_s)
    head: dict[str, Json] = {**manifest, "redacted": dict(redacted)}
    if late:
        head["left_out_in_time"] = list(late)
    shed = list(fit.shed)
    weigh = _scales(limit, rest_s)
    is_large = False
    while True:
        members = {**fixed, **answer_files.joined(rows), **extras}
        members["manifest.json"] = _manifest(members, recording, rows, {**head, "shed": shed})
        victims = _refused_texts(members, extras)
        weights = weigh(members) if is_large else {}
        over = sum(weights.values()) - max_size
        if over <= 0 and not victims:
            data = _archive(_folder(report), members, report.taken_at, weigh.level)
            if len(data) <= max_size:
                return Bundle(data, _listed_members(members), tuple(shed), late)
            weights = weigh(members)
            is_large = True
            over = max(sum(weights.values()), len(data)) - max_size
        victims = victims or _victims(weights, over, extras)
        if not victims:
            raise TooLargeError(f"even the barest bundle is larger than {max_size} bytes")
        shed += victims
        _leave_out(victims, recording, rows, extras)


class _Extras(NamedTuple):
    """Members of a bundle that repeat the report and the answers in another form."""

    members: dict[str, bytes]
    late: tuple[str, ...]
    """Those for which there is no time."""


def _extras(
    report: Report,
    exit_code: int,
    recorded: answer_files.Recording,
    limit: TimeLimit,
    rest_s: float,
) -> _Extras:
    """The members for which there is time.

    rest_s: seconds for packing all else.
    """
    extras: dict[str, bytes] = {}
    late = []
    html_s = HTML_S * min(len(report.findings), MOST_ROOTS) + DRAWING_S * len(recorded)
    if limit.allows(html_s, then=rest_s):
        extras["report.html"] = page.text(report, exit_code).encode("utf-8", "replace")
    else:
        late.append("report.html")
    has_time = limit.allows(TEXTS_S * len(recorded), then=rest_s)
    shown = texts.texts(recorded) if has_time else ()
    copies = {name: text.encode("utf-8", "replace") for name, text in shown}
    if has_time and limit.allows(_packing_s(map(len, copies.values())), then=rest_s):
        extras |= copies
    else:
        late.append("texts")
    return _Extras(extras, tuple(late))


def _packing_s(lengths: Iterable[int]) -> float:
    """About how long it takes to pack texts of these lengths well, and to search them for
    secrets."""
    return PACKING_S_PER_MIB * sum(lengths) / 2**20


def _folder(report: Report) -> str:
    return f"diagnose-{texts.file_name(report.host.name)}"


def _listed_members(members: Mapping[str, bytes]) -> tuple[Member, ...]:
    return tuple(
        Member(name, len(data), len(_TOKEN.findall(data))) for name, data in sorted(members.items())
    )


class _Scales:
    """About how many bytes of the archive members take. Each is compressed once.

    level: of compression, 6 packs well and 1 fast.
    """

    def __init__(self, level: int) -> None:
        self.level = level
        self._known: dict[tuple[int, int], int] = {}

    def __call__(self, members: Mapping[str, bytes]) -> dict[str, int]:
        return {name: self._weight(data) for name, data in members.items()}

    def _weight(self, data: bytes) -> int:
        key = len(data), zlib.crc32(data)
        if key not in self._known:
            self._known[key] = len(zlib.compress(data, self.level)) + _HEADER
        return self._known[key]


def _scales(limit: TimeLimit, packing_s: float) -> _Scales:
    """Scales that pack well, where there is time to pack a second time what is too large."""
    may_pack_again = limit.allows(packing_s, then=2 * packing_s)
    return _Scales(level=6 if may_pack_again else 1)


def _reports(report: Report, exit_code: int) -> dict[str, bytes]:
    """The report for people and for programs: members that are never left out."""
    markup = io.StringIO()
    markdown.render(report, exit_code, markup)
    whole = json_report.as_text(document(report))
    return {"report.md": markup.getvalue().encode(), "report.json": f"{whole}\n".encode()}


def _leave_out(
    victims: Iterable[str],
    kept: dict[AnyQuestion, RecordedAnswer],
    rows: dict[AnyQuestion, str],
    extras: dict[str, bytes],
) -> None:
    """Take the victims out: texts out of extras, answers out of the recording and its rows."""
    for name in victims:
        if extras.pop(name, None) is None:
            kind = name.removeprefix("answers/").removesuffix(".json")
            for question in [question for question in kept if question.kind == kind]:
                kept[question] = _shed_answer(kept[question])
                rows[question] = answer_files.row_text(question, kept[question])


def _refused_texts(members: Mapping[str, bytes], extras: Collection[str]) -> list[str]:
    """The texts without which a reader takes the archive, which refuses what is too long unpacked.

    TooLargeError where the report itself is too long.
    """
    long = [name for name, data in members.items() if len(data) > archive.MAX_MEMBER]
    if not long and sum(map(len, members.values())) > _UNPACKED:
        long = sorted(extras, key=lambda name: len(members[name]))[-1:] or ["report.json"]
    if not set(long) <= set(extras):
        raise TooLargeError(f"{long[0]} is longer than diagnose reads: it has too many findings")
    return long


def _victims(weights: Mapping[str, int], over: float, extras: Iterable[str]) -> list[str]:
    """The members to leave out next.

    The largest texts, then the largest answers, those that all judgement needs last.
    """
    heavy = sorted(extras, key=lambda name: -weights[name])
    if not heavy:
        answers = [name for name in weights if name.startswith("answers/")]
        heavy = sorted(
            (name for name in answers if weights[name] > 2000),
            key=lambda name: (_is_essential(name), -weights[name]),
        )
    victims = []
    for name in heavy:
        victims.append(name)
        over -= weights[name]
        if over <= 0:
            break
    return victims


def _is_essential(name: str) -> bool:
    return name.removeprefix("answers/").removesuffix(".json") in _KEPT_LAST


def _shed_answer(entry: RecordedAnswer) -> RecordedAnswer:
    return RecordedAnswer(Failed("shed", "to keep its size"), entry.duration_s)


def _question_row(
    question: AnyQuestion, entry: RecordedAnswer, rows: Mapping[AnyQuestion, str]
) -> dict[str, Json]:
    """The manifest's row of one question. rows: the answers as their files have them."""
    row: dict[str, Json] = {"question": question.key, "duration_s": entry.duration_s}
    answer = entry.answer
    if isinstance(answer, Failed):
        return row | {"outcome": _outcome(answer), "bytes": 0}
    row |= {"outcome": "answered", "bytes": len(rows[question])}
    is_cut = isinstance(answer, dict) and bool(answer.get("truncated"))
    return row | {"cut": True} if is_cut else row


def _manifest(
    members: Mapping[str, bytes],
    kept: answer_files.Recording,
    rows: Mapping[AnyQuestion, str],
    head: Mapping[str, Json],
) -> bytes:
    """The manifest of a bundle, about its other members.

    rows: the answers as their files have them.
    """
    questions = [_question_row(question, entry, rows) for question, entry in kept.items()]
    answers = {name: data for name, data in members.items() if name.startswith("answers/")}
    whole = {
        "format": answer_files.FORMAT,
        **head,
        "packs": {name: _pack_version(package) for name, package in packs.packs().items()},
        "answers_sha256": answer_files.digest(answers),
        "missing": _missing_by_reason(questions),
        "files": {
            member.name: {
                "bytes": member.bytes,
                "sha256": hashlib.sha256(members[member.name]).hexdigest(),
                "redacted": member.redactions,
            }
            for member in _listed_members(members)
        },
        "questions": questions,
    }
    return answer_files.encoded(whole, indent=1).encode("utf-8", "replace") + b"\n"


def _outcome(failed: Failed) -> str:
    return f"{failed.reason}: {failed.detail}" if failed.detail else failed.reason


def _missing_by_reason(questions: Iterable[Mapping[str, Json]]) -> dict[str, list[str]]:
    """The questions without an answer, by the reason why."""
    return by_key(
        (row["outcome"], row["question"]) for row in questions if row["outcome"] != "answered"
    )


def _pack_version(package: str) -> str:
    if package == "checks":
        return __version__
    names = importlib.metadata.packages_distributions().get(package.partition(".")[0], [])
    return importlib.metadata.version(names[0]) if names else "unknown"


def _archive(folder: str, members: Mapping[str, bytes], taken_at: float, level: int) -> bytes:
    """The members in one archive. level: of compression, 6 packs well and 1 fast."""
    out = io.BytesIO()
    first = ("report.md", "report.json", "report.html", "manifest.json")
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=int(taken_at), compresslevel=level) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(
            members, key=lambda name: (first.index(name) if name in first else len(first), name)
        ):
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(members[name])
            info.mtime = int(taken_at)
            info.mode = 0o600
            archive.addfile(info, io.BytesIO(members[name]))
    return out.getvalue()


def prove(
    bundle: Bundle, secrets: Iterable[tuple[str, str]], phrases: Iterable[tuple[str, str]]
) -> None:
    """The second pass over the finished archive.

    LeakError with files and kinds if a redacted value still is in it.
    """
    from diagnose.recording import archive

    leaks = proof.leaks(archive.members(io.BytesIO(bundle.data)), secrets, phrases)
    if leaks:
        leak_texts = ", ".join(
            sorted({f"{leak.file}: {leak.kind} ({leak.form})" for leak in leaks})
        )
        raise LeakError(leak_texts)
