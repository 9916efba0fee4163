"""Bundles for tests: taken from a recording at the seam, as from a live host, and looked into
without the tool's own reader."""

from __future__ import annotations

import functools
import io
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from diagnose import registry, session
from diagnose.model import Failed, Json, Report
from diagnose.questions import AnyQuestion, Lane
from diagnose.questions.run import Options
from diagnose.recording import source
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import RecordedAnswer, Recorder, Replay
from diagnose.redact import Redactor
from diagnose.ticket import create
from diagnose.ticket.bundle import Bundle
from tests.questions import question

DATA = Path(__file__).parent / "data/bundles"
KNOWN = registry.load()
"""All checks: what a bundle's run looks at."""
FEW = {id: check for id, check in KNOWN.items() if id.startswith("kernel.")}
"""Enough where it matters how a bundle is delivered, and not what is found."""
PATIENT_S = 600
"""The budget of a bundle, in seconds: on a busy machine an answer must not be left out."""


class Redacted:
    """A host whose answers are redacted on the way in, as those of a live host are."""

    def __init__(self, inner: Mapping[AnyQuestion, RecordedAnswer], redactor: Redactor) -> None:
        self._inner = Replay(inner)
        self._redactor = redactor

    def ask(self, question: AnyQuestion) -> Json | Failed:
        answer = self._inner.ask(question)
        if isinstance(answer, Failed):
            return Failed(answer.reason, self._redactor.text(answer.detail))
        return self._redactor.answer(question.kind, question.args, answer)

    def serve(
        self, _lane: Lane, pull: Callable[[], AnyQuestion | None]
    ) -> Iterator[tuple[AnyQuestion, Json | Failed]]:
        while (asked := pull()) is not None:
            yield asked, self.ask(asked)


def opener_of(entries: Mapping[AnyQuestion, RecordedAnswer]) -> create.OpenRecorder:
    """A recorder of a host that answers so."""

    def make(
        asked: Options, selected: Sequence[str], began: float, redactor: Redactor
    ) -> session.LiveHost:
        budget = Budget(began + PATIENT_S)
        return session.LiveHost(Recorder(Redacted(entries, redactor), budget), budget)

    return make


@functools.cache
def recorded() -> Mapping[AnyQuestion, RecordedAnswer]:
    """The answers of a host with fifteen faults, recorded on engine 28.5.2."""
    return MappingProxyType(source.read(DATA / "fifteen-faults-28.5.2.tar.gz")[0])


@functools.cache
def taken_of_recorded() -> tuple[Report, Bundle]:
    """The report and the bundle of that host."""
    return taken(recorded())


def made(answers: Mapping[AnyQuestion, Json | Failed]) -> dict[AnyQuestion, RecordedAnswer]:
    """A small host: what every run asks first, and these answers."""
    first: dict[AnyQuestion, Json | Failed] = {
        question("now"): {"wall": 1.8e9, "boot_wall": 1.7e9},
        question("uname"): {
            "nodename": "shop-3",
            "release": "6.1.0",
            "version": "",
            "machine": "x86_64",
        },
        question("endpoint"): {
            "url": "unix:///var/run/docker.sock",
            "source": "default",
            "named": False,
        },
        question("api.ping"): {"api_version": "1.51", "engine_version": "28.5.2", "libpod": None},
    }
    all_answers = {**first, **answers}
    return {asked: RecordedAnswer(answer, 0.001) for asked, answer in all_answers.items()}


def taken(entries: Mapping[AnyQuestion, RecordedAnswer], **options: Any) -> tuple[Report, Bundle]:
    """The report and the bundle of a host that answers so."""
    options = {"max_size": 10_000_000, "open_recorder": opener_of(entries), **options}
    done = create.take(KNOWN, Options(), began=time.monotonic(), **options)
    return done.report, done.sealed


def unpacked(data: bytes) -> dict[str, bytes]:
    """The members of an archive by name below its top folder."""
    files = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for info in archive:
            assert info.isreg()
            file = archive.extractfile(info)
            assert file is not None
            files[info.name.partition("/")[2]] = file.read()
    return files
