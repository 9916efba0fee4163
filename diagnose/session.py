"""One run from what the user asked: the host, the recorder, the report, and the tape if it is to be kept."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from diagnose import config
from diagnose.evidence.containers.listing import Containers
from diagnose.judgement import engine, selection
from diagnose.model import Check, Failed, Json, Report
from diagnose.questions import AnswerSource
from diagnose.recording import answer_files
from diagnose.recording.questions import patience, question
from diagnose.recording.recorder import Budget, Recorder, Replay, in_thread
from diagnose.recording.source import read
from diagnose.version import __version__

if TYPE_CHECKING:
    from diagnose.redact import Redactor

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)
RENDERING_S = 0.3
"""What is kept of the budget for judging and printing."""
LEAST_S = 0.4
"""So long is asked at least, also where a busy host has used up a small budget before the first question: a report of nothing
helps nobody.
"""


class InvalidRequestError(Exception):
    """What the user asked for cannot be done; one clear sentence."""


class RunOptions(msgspec.Struct, frozen=True):
    """What the user asked of a run. source: a bundle or folder to judge instead of this host.

    record: a folder for the tape.
    """

    host: str | None = None
    context: str | None = None
    probe: bool = True
    budget_s: float = 10.0
    since_s: float = 86400.0
    resolve: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    source: Path | None = None
    config: Path | None = None
    record: Path | None = None


def diagnose(
    load: Callable[[], Mapping[str, Check]], selected: Sequence[str] | None, asked: RunOptions, *, began: float
) -> Report:
    """Run and report. load: gives the known checks; the engine lists its containers meanwhile. selected: ids, None for all.

    began: when the process began, on the monotonic clock: the budget counts from there.

    InvalidRequestError for a source that cannot be read, an unknown container, an address that is none, a bad configuration.
    """
    try:
        configured = config.load(asked.config)
    except config.ConfigError as error:
        raise InvalidRequestError(str(error)) from error
    if asked.source is not None:
        known = load()
        host, what = replay(
            asked.source, known, _all_of(known, selected), configured, explicit=asked.config is not None
        )
        budget = Budget(time.monotonic() + 3600)
        report = engine.run(host, _with(what, asked), began=began, budget=budget)
    else:
        recorder, budget = live(asked, selected or (), began)
        recorder.begin(question("api.containers", all=True))
        known = load()
        what = engine.Run(
            known, _all_of(known, selected), thresholds=configured.thresholds, silences=configured.silences
        )
        with attended(recorder, budget):
            report = engine.run(recorder, _with(what, asked), began=began, budget=budget)
        report = replace(report, timings=tuple((q.key, entry.duration_s) for q, entry in recorder.tape.items()))
        if asked.record is not None:
            answer_files.write_folder(asked.record, recorder.tape, manifest(report, configured.thresholds))
    _know(asked.containers, report.container_names)
    return report


def _all_of(known: Mapping[str, Check], selected: Sequence[str] | None) -> Sequence[str]:
    return tuple(known) if selected is None else selected


def live(
    asked: RunOptions, selected: Sequence[str], began: float, redactor: Redactor | None = None
) -> tuple[Recorder, Budget]:
    """This host, recorded, inside the budget. selected: the ids that the user named, none for all.

    The helper processes are forked here, before any thread, and before the checks are loaded: what they share with us is copied
    page by page as we go on. The network process imports pyroute2 meanwhile where all is asked, otherwise for the first question.

    InvalidRequestError where `-H` or `--context` names no engine.
    """
    from diagnose.live import Live, Settings

    settings = Settings(
        host=asked.host,
        context=asked.context,
        probe=asked.probe,
        since_s=asked.since_s,
        resolve=asked.resolve,
        wanted=tuple(selected),
        budget_s=asked.budget_s,
    )
    hands = Live(settings, redactor) if redactor else Live(settings)
    place = hands.ask(question("endpoint")) if asked.host or asked.context else None
    if isinstance(place, Failed):
        raise InvalidRequestError(place.detail)
    hands.start_helpers(network=not selected)
    ends = began + max(asked.budget_s - RENDERING_S, asked.budget_s / 2)
    budget = Budget(max(ends, time.monotonic() + LEAST_S))
    return Recorder(hands, budget, patience(asked.budget_s)), budget


@contextlib.contextmanager
def attended(recorder: Recorder, budget: Budget) -> Iterator[None]:
    """While it lasts, an interrupt ends the asking, not the process, and a line on stderr says what is waited for."""
    with _interruptible(budget), _progress(recorder):
        yield


def manifest(report: Report, thresholds: engine.Thresholds) -> dict[str, Json]:
    """What a tape says of itself beside its answers."""
    return {
        "tool": {"name": "diagnose", "version": __version__},
        "engine": report.host.engine,
        "host": report.host.name,
        "taken_at": report.taken_at,
        "thresholds": {id: dict(values) for id, values in thresholds.items()},
        "uncollected": list(report.uncollected),
        "selected": [result.check.id for result in report.results],
    }


def replay(
    source: Path,
    known: Mapping[str, Check],
    selected: Sequence[str],
    configured: config.Config,
    *,
    explicit: bool,
) -> tuple[AnswerSource, engine.Run]:
    """A tape as a host, and what to run on it: with the thresholds of its recording unless others are named explicitly.

    InvalidRequestError for what is no tape.
    """
    try:
        entries, head = read(source)
    except answer_files.TapeError as error:
        raise InvalidRequestError(f"cannot read {source}: {error}") from error
    return Replay(entries), engine.Run(
        known,
        selected,
        thresholds=configured.thresholds if explicit else _thresholds(head, known),
        silences=configured.silences,
        uncollected=_names(head),
        source="bundle",
    )


def collect(kinds: Sequence[type], asked: RunOptions, *, began: float) -> list[object]:
    """Evidence of these kinds, each as it is or `Unavailable`, from this host or a tape. InvalidRequestError as for `diagnose`."""
    if asked.source is not None:
        try:
            entries, _ = read(asked.source)
        except answer_files.TapeError as error:
            raise InvalidRequestError(f"cannot read {asked.source}: {error}") from error
        host: AnswerSource = Replay(entries)
        budget = Budget(time.monotonic() + 3600)
    else:
        host, budget = live(asked, (), began)
    with _interruptible(budget):
        collection = engine.Collection(host, budget)
        for kind in kinds:
            collection.start(kind)
        found = [collection.get(kind) for kind in kinds]
    for each in found:
        if isinstance(each, Containers):
            _know(asked.containers, {container.id: container.name for container in each})
    return found


def _thresholds(head: Mapping[str, Json], known: Mapping[str, Check]) -> engine.Thresholds:
    """Those of a recording that the checks of this version still have."""
    said = head.get("thresholds")
    found: dict[str, dict[str, float]] = {}
    for id, check in known.items():
        row = said.get(id) if isinstance(said, dict) else None
        names = {each.name for each in check.thresholds}
        for name, value in row.items() if isinstance(row, dict) else ():
            if name in names and isinstance(value, int | float):
                found.setdefault(id, {})[name] = value
    return found


def _names(head: Mapping[str, Json]) -> tuple[str, ...]:
    said = head.get("uncollected")
    return tuple(str(name) for name in said) if isinstance(said, list) else ()


def _with(what: engine.Run, asked: RunOptions) -> engine.Run:
    return replace(what, containers=asked.containers)


def _know(words: Sequence[str], names: Mapping[str, str] | None) -> None:
    """InvalidRequestError where a container that was named is not among those that the host has, or may be several of them."""
    if names is None:
        return
    for word in words:
        found = selection.called(word, names)
        if not found:
            import difflib

            near = difflib.get_close_matches(word, names.values(), n=3)
            hint = f"; did you mean {selection.either(near)}?" if near else ""
            raise InvalidRequestError(f"there is no container {word!r} on this host{hint}")
        if len(found) > 1:
            some = selection.either(sorted(found)[:3])
            raise InvalidRequestError(f"the ids of {len(found)} containers begin with {word!r}; did you mean {some}?")


@contextlib.contextmanager
def _interruptible(budget: Budget) -> Iterator[None]:
    """While it lasts, SIGINT and SIGTERM end the asking, not the process: what is known so far is reported."""

    def cut(*_: object) -> None:
        budget.cut()
        with contextlib.suppress(OSError):
            os.write(2, b"interrupted: reporting what is known so far\n")

    with _on_interrupt(cut):
        yield


@contextlib.contextmanager
def unbroken() -> Iterator[None]:
    """While it lasts, an interrupt lets the report be written to its end; a second one ends the process."""

    def once(*_: object) -> None:
        for number in INTERRUPTS:
            signal.signal(number, signal.SIG_DFL)

    with _on_interrupt(once):
        yield


@contextlib.contextmanager
def _on_interrupt(do: Callable[..., None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = [signal.signal(number, do) for number in INTERRUPTS]
    try:
        yield
    finally:
        for number, handler in zip(INTERRUPTS, before, strict=True):
            signal.signal(number, handler)


class _progress:  # noqa: N801 - a context manager, read as a phrase
    """While it lasts, a line on stderr says what is being waited for, where stderr is a terminal and it takes long."""

    QUIET_S = 0.7

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.done = threading.Event()
        self.shown = False

    def __enter__(self) -> None:
        if sys.stderr.isatty():
            in_thread(self._show)

    def _show(self) -> None:
        wait = self.QUIET_S
        while not self.done.wait(wait):
            waiting = ", ".join(dict.fromkeys(self.recorder.waiting))
            sys.stderr.write(f"\r\x1b[Kwaiting for {waiting[:60]}" if waiting else "\r\x1b[K")
            sys.stderr.flush()
            self.shown = True
            wait = 0.2

    def __exit__(self, *_: object) -> None:
        self.done.set()
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
