"""A recording as the host of a run: its answers, and what its manifest says of that run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from diagnose import config
from diagnose.judgement import engine
from diagnose.judgement.judge import Thresholds
from diagnose.judgement.report import UNLINKED, UNPROVEN
from diagnose.model import Check, Json, Report
from diagnose.phrases import and_more, count, shortened
from diagnose.questions.run import ReadOptions
from diagnose.recording.recorder import RecordedAnswer, Replay
from diagnose.session.request import InvalidRequestError, redactor
from diagnose.version import __version__

if TYPE_CHECKING:
    from diagnose.recording.answer_files import RecordedHost


def manifest(report: Report, thresholds: Thresholds) -> dict[str, Json]:
    """The manifest of a recording."""
    return {
        "tool": {"name": "diagnose", "version": __version__},
        "engine": report.host.engine,
        "host": report.host.name,
        "taken_at": report.taken_at,
        "thresholds": {id: dict(values) for id, values in thresholds.items()},
        "uncollected": list(report.uncollected),
        "unjudged": list(report.unjudged),
        "unlinked": UNLINKED in report.notes,
        "unproven": UNPROVEN in report.notes,
        "selected": [result.check.id for result in report.results],
    }


class RecordedRun(msgspec.Struct, frozen=True):
    """A recording as a source of answers, and what to run on it."""

    source: Replay
    run: engine.Run


def replay(
    path: Path,
    checks: Mapping[str, Check],
    selected: Sequence[str],
    configured: config.Config,
    *,
    explicit: bool,
    ends: float = math.inf,
    reach: tuple[str, ...] = (),
) -> RecordedRun:
    """The run of a recording.

    explicit: the user named a configuration; otherwise the thresholds of the recording are in
    force. ends: until when it is read. reach: the ports that must be reached: to know whether they
    are, nothing more is asked of the host. InvalidRequestError for what is not a recording.
    """
    recording = recorded_host_redacted_now(path, configured, ends)
    answers = recording.answers
    head = recording.manifest
    options = answers.get(ReadOptions())
    if reach and options is not None and isinstance(options.answer, dict):
        answer = RecordedAnswer({**options.answer, "reach": list(reach)}, options.duration_s)
        answers = {**answers, ReadOptions(): answer}
    source = Replay(answers)
    run = engine.Run(
        checks,
        selected,
        thresholds=configured.thresholds if explicit else _thresholds(head, checks),
        silences=configured.silences,
        uncollected=_names(head, "uncollected"),
        unjudged=_names(head, "unjudged"),
        is_unlinked=head.get("unlinked") is True,
        is_unproven=head.get("unproven") is True,
        source="bundle",
        notes=(*configured.notes, *_damage(source)),
    )
    return RecordedRun(source, run)


def _damage(source: Replay) -> list[str]:
    """A note on the answers that are damaged in a recording, if there are any."""
    from diagnose.recording.answer_files import damaged

    questions = damaged(source.recording)
    if not questions:
        return []
    names = and_more(shortened(question.about()) for question in questions)
    return [f"{count(len(questions), 'answer')} of this bundle cannot be read: {names}"]


def recorded_host_redacted_now(
    path: Path, configured: config.Config, ends: float = math.inf
) -> RecordedHost:
    """A recording under the redaction rules of now. InvalidRequestError for what is none.

    ends: a moment on the monotonic clock; answers that were not read by then are Failed("budget").
    It was redacted when it was made. Rules that the configuration has now are applied to it too.
    """
    host = recorded_host(path, ends)
    if configured.redaction is None:
        return host
    from diagnose.recording.redaction import redacted_again

    return host._replace(answers=dict(redacted_again(host.answers, redactor(configured))))


def recorded_host(path: Path, ends: float = math.inf) -> RecordedHost:
    """The contents of a recording. Raises InvalidRequestError for a file that is none."""
    from diagnose.recording.answer_files import RecordingError
    from diagnose.recording.source import read

    try:
        return read(path, ends)
    except RecordingError as error:
        raise InvalidRequestError(f"cannot read {path}: {error}") from error


def _thresholds(head: Mapping[str, Json], checks: Mapping[str, Check]) -> Thresholds:
    """The thresholds of a recording that the checks of this version still have."""
    recorded = head.get("thresholds")
    thresholds: dict[str, dict[str, float]] = {}
    for id, check in checks.items():
        row = recorded.get(id) if isinstance(recorded, dict) else None
        names = {threshold.name for threshold in check.thresholds}
        for name, value in row.items() if isinstance(row, dict) else ():
            if name in names and isinstance(value, int | float):
                thresholds.setdefault(id, {})[name] = value
    return thresholds


def _names(head: Mapping[str, Json], field: str) -> tuple[str, ...]:
    names = head.get(field)
    return tuple(str(name) for name in names) if isinstance(names, list) else ()
