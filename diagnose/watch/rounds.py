"""One round of a watch.

The host is judged in a process of its own, which gives back the JSON report and ends.

A run counts its budget from its beginning, starts helper processes before it has threads, and
remembers every answer: so each round is a fresh process, forked from one that has the checks loaded
and no thread.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Mapping, Sequence

import msgspec

from diagnose import session
from diagnose.document import document
from diagnose.model import Check, Json
from diagnose.questions.run import Options

LATE_S = 5.0
"""Seconds that a round may take beyond its budget before it is ended."""


class FailedRoundError(Exception):
    """The round gave no report; one sentence."""


def judge(
    checks: Mapping[str, Check], selected: Sequence[str] | None, options: Options
) -> Mapping[str, Json]:
    """The JSON report of one round.

    selected: ids, None for all. FailedRoundError where there is none.
    """
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        _run(checks, selected, options, writes)
    os.close(writes)
    try:
        data = _read(reads, time.monotonic() + options.budget_s + LATE_S)
    finally:
        os.close(reads)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if not data:
        raise FailedRoundError("the round ended without a report")
    report: dict[str, Json] = msgspec.json.decode(data)
    if "error" in report:
        raise FailedRoundError(report["error"])
    return report


def _run(
    checks: Mapping[str, Check], selected: Sequence[str] | None, options: Options, writes: int
) -> None:
    """Run one round in the forked process. Never returns."""
    try:
        os.setsid()  # an interrupt at the terminal is for the watch alone
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 2)
        try:
            report = document(
                session.diagnose(lambda: checks, selected, options, began=time.monotonic())
            )
        except session.InvalidRequestError as error:
            report = {"error": str(error)}
        with os.fdopen(writes, "wb") as stream:
            stream.write(msgspec.json.encode(report))
    finally:
        os._exit(0)


def _read(handle: int, ends: float) -> bytes:
    """All that comes until the other end closes; nothing if that takes too long."""
    parts: list[bytes] = []
    while (seconds_left := ends - time.monotonic()) > 0:
        if select.select([handle], [], [], seconds_left)[0]:
            part = os.read(handle, 1 << 20)
            if not part:
                return b"".join(parts)
            parts.append(part)
    return b""
