"""Edits that turn a refused daemon.json into an accepted one. Pure.

Only slips with one plausible reading are corrected: a comma too many or too few, a wrong bracket, a
comment, a misspelt name, a value in the wrong quotes. A decision (an address, a driver) is left to
a person.
"""

import re
from collections.abc import Sequence

import msgspec

from diagnose.evidence.engine.daemon_json.keys import BOOL, INT, LIST, TEXT, TYPES
from diagnose.evidence.engine.daemon_json.refusals import faults_of
from diagnose.evidence.engine.daemon_json.slips import without_slip
from diagnose.evidence.engine.daemon_json.syntax import Fault
from diagnose.lazy_pattern import LazyPattern
from diagnose.redact import holds_token

_MEANT = LazyPattern(r"is (?P<name>\S+) meant\?")
_SCALAR = r"""(?P<value>"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false)"""
MOST_ROUNDS = 8
"""A JSON parser names one slip at a time; a file with more than these is for a person."""

SUCCESSORS = {"graph": "data-root"}
"""Keys that engines have dropped, and their successors."""


class LineEdit(msgspec.Struct, frozen=True):
    """A replacement in one line (from 1): the first `old` becomes `new`."""

    line: int
    old: str
    new: str

    def applied(self, text: str) -> str:
        lines = text.split("\n")
        lines[self.line - 1] = lines[self.line - 1].replace(self.old, self.new, 1)
        return "\n".join(lines)

    def __str__(self) -> str:
        old = self.old.strip()
        new = self.new.strip()
        change = f"becomes {new}" if new else "is removed"
        return f"line {self.line}: {old} {change}"

    @property
    def sed(self) -> str:
        """The edit as a command of sed (POSIX basic regular expressions)."""
        old = re.sub(r"([\\/.*\[\]^$])", r"\\\1", self.old)
        new = re.sub(r"([\\/&])", r"\\\1", self.new)
        return f"{self.line}s/{old}/{new}/"


class FileRepair(msgspec.Struct, frozen=True):
    """Edits after which the engine takes the file, in order."""

    edits: tuple[LineEdit, ...]

    @property
    def sed(self) -> str:
        """The script for `sed -e` that applies them."""
        return ";".join(edit.sed for edit in self.edits)


def file_repair(text: str, major: int | None) -> FileRepair | None:
    """The edits that make this text acceptable for an engine of this major version.

    None if they require a decision, or where a redacted secret is in a line that would be edited.
    """
    edits: list[LineEdit] = []
    mended = text
    for _ in range(MOST_ROUNDS):
        faults = faults_of(mended, major)
        if not faults:
            break
        possible = [edit for fault in faults if (edit := _edit(mended, fault)) is not None]
        if len(possible) < len(faults):
            return None
        for edit in possible:
            edits.append(edit)
            mended = edit.applied(mended)
    if not edits or faults_of(mended, major):
        return None
    if any(holds_token(text.split("\n")[edit.line - 1]) for edit in edits):
        return None
    return FileRepair(tuple(edits))


def _edit(text: str, fault: Fault) -> LineEdit | None:
    """The edit of one line that removes a fault; None without a suitable one."""
    lines = text.split("\n")
    if not 0 < fault.line <= len(lines):
        return None
    if fault.stage == "text":
        return _edit_of_syntax(lines, fault) or _edit_of_slip(text, fault)
    line = lines[fault.line - 1]
    name = fault.key.rpartition(".")[2] if fault.key.startswith("log-opts.") else fault.key
    key = f'"{name}"'
    if match := _MEANT.search(fault.message):
        return LineEdit(fault.line, key, f'"{match["name"]}"') if key in line else None
    successor = SUCCESSORS.get(name, "")
    if successor and f'"{successor}"' not in text and key in line:
        return LineEdit(fault.line, key, f'"{successor}"')
    pair = re.search(rf'"{re.escape(name)}"\s*:\s*{_SCALAR}', line)
    if fault.stage != "type" or pair is None:
        return None
    type_of_key = TEXT if fault.key.startswith("log-opts.") else TYPES.get(fault.key, "")
    value = _scalar_in_type(pair["value"], type_of_key)
    if value is None:
        return None
    return LineEdit(fault.line, pair[0], pair[0][: -len(pair["value"])] + value)


def _scalar_in_type(value: str, kind: str) -> str | None:
    """A JSON scalar in the wanted type; None if it cannot be read as one."""
    bare = value.strip('"')
    if kind == BOOL and bare.lower() in ("true", "false"):
        return bare.lower()
    if kind == INT and re.fullmatch(r"-?\d+", bare):
        return bare
    if kind == TEXT and not value.startswith('"'):
        return f'"{value}"'
    if kind == LIST and value.startswith('"'):
        return f"[{value}]"
    return None


def _edit_of_syntax(lines: Sequence[str], fault: Fault) -> LineEdit | None:
    line = lines[fault.line - 1]
    if "byte order mark" in fault.message:
        return LineEdit(1, "\ufeff", "")
    if fault.message.startswith("a comment"):
        return _without_comment(line, fault)
    return None


def _edit_of_slip(text: str, fault: Fault) -> LineEdit | None:
    """The line with the slip at which the parser gave up, and that line without the slip."""
    corrected = without_slip(text, fault.line, fault.column)
    if corrected is None:
        return None
    lines = zip(text.split("\n"), corrected.split("\n"), strict=True)
    return next(
        LineEdit(number, old.strip(), new.strip())
        for number, (old, new) in enumerate(lines, start=1)
        if old != new
    )


def _without_comment(line: str, fault: Fault) -> LineEdit | None:
    """The text without a comment that goes from a // or # to the end of its line.

    None where the line holds a text with the same characters.
    """
    comment = re.search(r"(?<!\s)\s*(//|#).*$", line)
    return LineEdit(fault.line, comment[0], "") if comment and '"' not in comment[0] else None
