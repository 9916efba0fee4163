"""Collector for the kernel log: /dev/kmsg, or the journal's copy of it."""

import os
import re
import time
from collections import deque

import msgspec

from diagnose.live import Live, Refused
from diagnose.live.commands.systemd import journal_entries
from diagnose.model import Json
from diagnose.questions.machine import ReadKernelLog

TEXT_MAX = 512 << 10
RECORD = 8192
_RECORD = re.compile(r"(\d{1,9}),(\d{1,20}),(\d{1,20}),[^;]{0,200};([^\n]*)")


def records(live: Live, question: ReadKernelLog) -> Json:
    """The newest records of the kernel log, oldest first.

    Refused("forbidden") where neither may be read.
    """
    limit = question.max
    try:
        ring = _read_ring(live.deadline(question) / 2)
    except PermissionError as error:
        return _journal_log(limit, live.deadline(question) / 2, error)
    boot = time.time() - time.monotonic()
    parsed = [record for text in ring.texts if (record := parse_record(text, boot))]
    newest = _newest_records(parsed, limit)
    return {
        "records": newest,
        "dropped": ring.has_lost or len(newest) < len(parsed) or _gap(parsed),
        "source": "/dev/kmsg",
    }


class _Ring(msgspec.Struct, frozen=True):
    """The records of the kernel's ring, as they are in it."""

    texts: list[str]
    has_lost: bool
    """Whether some were overwritten under the reader, or there was no time for all."""


def _read_ring(seconds: float) -> _Ring:
    """One read gives one record; EPIPE says that one was overwritten."""
    until = time.monotonic() + seconds
    texts: list[str] = []
    lost = False
    descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        while time.monotonic() < until:
            try:
                texts.append(os.read(descriptor, RECORD).decode("utf-8", "replace"))
            except BlockingIOError:
                return _Ring(texts, lost)
            except BrokenPipeError:
                lost = True
    finally:
        os.close(descriptor)
    return _Ring(texts, has_lost=True)


def parse_record(text: str, boot: float) -> dict[str, Json] | None:
    """A record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg).

    `priority,sequence,microseconds,flags;text`; boot is Unix time.
    """
    match = _RECORD.match(text)
    if match is None:
        return None
    priority, sequence, microseconds, line = match.groups()
    return {
        "seq": int(sequence),
        "level": int(priority) & 7,
        "at": boot + int(microseconds) / 1e6,
        "text": line,
    }


def _newest_records(records: list[dict[str, Json]], limit: int) -> list[dict[str, Json]]:
    newest: deque[dict[str, Json]] = deque()
    room = TEXT_MAX
    for record in reversed(records):
        room -= len(record["text"])
        if room < 0 or len(newest) == limit:
            break
        newest.appendleft(record)
    return list(newest)


def _gap(records: list[dict[str, Json]]) -> bool:
    """Whether the ring overwrites itself: its first record is not the first since boot."""
    return bool(records) and records[0]["seq"] > 0


def _journal_log(limit: int, seconds: float, denied: OSError) -> Json:
    """The kernel log as journald keeps it, where /dev/kmsg may not be read."""
    try:
        entries = journal_entries(["-k", "-b"], limit, seconds)
    except (Refused, OSError):
        raise Refused(
            "forbidden", "reading the kernel log needs root (kernel.dmesg_restrict=1)"
        ) from denied
    rows = [
        {"seq": place, "level": entry["priority"], "at": entry["at"], "text": entry["message"]}
        for place, entry in enumerate(entries)
    ]
    newest = _newest_records(rows, limit)
    return {
        "records": newest,
        "dropped": len(entries) >= limit or len(newest) < len(rows),
        "source": "journal",
    }
