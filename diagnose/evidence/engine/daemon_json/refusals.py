"""All that an engine of one version refuses in the text of a daemon.json. Pure."""

import itertools
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from diagnose.evidence.engine.config import parse_text
from diagnose.evidence.engine.daemon_json.keys import LENIENT, TYPES, is_key, wrong_type
from diagnose.evidence.engine.daemon_json.syntax import Fault, error_in_words, offset, place
from diagnose.evidence.engine.daemon_json.values import nearest, wrong_value
from diagnose.model import Json
from diagnose.redact import holds_token

_BYTE_ORDER_MARK = "\ufeff"
_MOST = 50
"""Faults of one file: for each unknown key the similar ones are sought."""


def faults_of(text: str, major: int | None) -> tuple[Fault, ...]:
    """The faults for which an engine of this major version refuses the text.

    major: 20 for 20.10; None where the version is not known, and only faults of every version are
    reported. Behind a redacted secret on the same line the column in the real file is not known.
    """
    lines = text.splitlines()
    return tuple(
        replace(fault, column=0) if _is_behind_a_secret(fault, lines) else fault
        for fault in itertools.islice(_faults_of(text, major), _MOST)
    )


def _is_behind_a_secret(fault: Fault, lines: list[str]) -> bool:
    if not 0 < fault.line <= len(lines):
        return False
    return holds_token(lines[fault.line - 1][: fault.column])


def _faults_of(text: str, major: int | None) -> Iterator[Fault]:
    """The faults of a text: of its syntax, else of its keys and values."""
    is_lenient = major is not None and major >= LENIENT
    is_strict = major is not None and major < LENIENT
    if text.startswith(_BYTE_ORDER_MARK) and is_strict:
        message = "it begins with a byte order mark, which this engine does not take"
        yield Fault("", message, 1, 1, "text")
        return
    body = text.removeprefix(_BYTE_ORDER_MARK)
    if not body.strip():
        if is_strict:
            yield Fault("", "the file is empty", 1, 1, "text")
        return
    parsed = parse_text(body)
    if parsed.error and parsed.error.startswith("Extra data") and not is_lenient:
        if major is None:
            return
        lines = "\n".join(body.splitlines()[: parsed.line])
        body = lines[: offset(body, parsed.line, parsed.column)]
        parsed = parse_text(body)
    if parsed.error:
        message = error_in_words(parsed.error, body, parsed.line, parsed.column)
        yield Fault("", message, parsed.line, parsed.column, "text")
        return
    for fault in _faults_of_settings(parsed.values, major):
        line, column = place(body, fault.key)
        yield replace(fault, line=line, column=column)


def _faults_of_settings(values: Mapping[str, Json], major: int | None) -> Iterator[Fault]:
    """The refused settings for an engine's major version: unknown keys, wrong types or values."""
    for key, value in values.items():
        if not is_key(key, value, major):
            similar_keys = nearest(key, TYPES)
            hint = f"; is {similar_keys} meant?" if similar_keys and similar_keys != key else ""
            yield Fault(key, f"this engine has no such setting{hint}", stage="key")
            continue
        wrong = wrong_type(key, value)
        if wrong:
            yield Fault(wrong.key, wrong.text, stage="type")
            continue
        if value is not None:
            yield from wrong_value(key, value, values, major)
