"""The check in checks/storage/backup_series_broken.py, and the evidence that it reads."""

from datetime import UTC, datetime
from typing import Any

import pytest

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.volumes.backup_series import all_backup_series
from diagnose.phrases import unix
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

STARTED = unix("2026-01-02T03:04:05Z") or 0.0
NOW = STARTED + 60 * 86400
CLOCK = Clock(NOW, STARTED - 86400)
DAY, HOUR, MB = 86400.0, 3600.0, 1_000_000
Files = list[tuple[str, float, int]]


def daily(count: int, last: float = 0.5, name: str = "shop-{}.sql.gz", size: int = MB) -> Files:
    """Backups of each day, the last of which came so many days ago."""
    return [(name.format(200 - at), (last + at) * DAY, size) for at in range(count)]


def emptied(files: Files, *sizes: int) -> Files:
    """The same, where the newest have these sizes."""
    return [(name, age, size) for (name, age, _), size in zip(files, sizes, strict=False)] + files[
        len(sizes) :
    ]


WEEKDAYS = [(f"shop-{500 - day}.sql.gz", (day + 2.8) * DAY, MB) for day in range(60) if day % 7 < 5]
TENANTS = [
    (f"tenant_{at}.sql.gz", 5 * HOUR - at * 7, MB if at < 40 else 900) for at in range(1, 41)
]
BY_DAY_FIRST = [
    (datetime.fromtimestamp(NOW - day * DAY, UTC).strftime("shop-%d-%m-%Y.sql.gz"), day * DAY, MB)
    for day in range(1, 500)
]
INCREMENTS = [
    (
        f"inc.{day}T0300Z.to.{day + 1}T0300Z.vol1.difftar.gz",
        (50.2 - day) * DAY,
        MB if day < 50 else 300,
    )
    for day in range(30, 51)
]
SEGMENTS = [
    (f"00000001000000000000{at:04X}.zst", (60 - at) * HOUR + 900, MB if at < 60 else 1500)
    for at in range(60 - 29, 61)
]
HOURLY = [(f"shop-{400 - at}.sql.gz", (at + 5) * HOUR, MB) for at in range(48)]
WARNING, ADVICE = [("warning", "dumps")], [("advice", "dumps")]
CASES: dict[str, tuple[Files, dict[str, Any], list[tuple[str, str]]]] = {
    "all are well": (daily(10), {}, []),
    "three of what gzip makes of nothing": (emptied(daily(10), 20, 20, 20), {}, WARNING),
    "one of no byte": (emptied(daily(10), 0), {}, WARNING),
    "one of a header alone": (emptied(daily(10), 700), {}, WARNING),
    "one that is being written": (
        emptied([(name, age - 12 * HOUR + 60, size) for name, age, size in daily(10)], 0),
        {},
        [],
    ),
    "an earlier one is empty": (emptied(daily(10), MB, 0), {}, []),
    "small ones": (daily(10, size=300), {}, []),
    "half of the size": (emptied(daily(10), MB // 2), {}, []),
    "few files": (emptied(daily(4), 0), {}, []),
    "logs": (emptied(daily(10, name="shop-{}.log"), 0), {}, []),
    "overdue": (daily(10, last=4), {}, ADVICE),
    "old logs": (emptied(daily(10, name="access.log-{}.gz"), 20), {}, []),
    "overdue for long": (daily(10, last=50), {}, ADVICE),
    "a turn that was left out": (daily(10, last=2), {}, []),
    "at no regular times": (
        [(f"shop-{at}.sql.gz", 8 * DAY + (at * 3) ** 2 * HOUR, MB) for at in range(9)],
        {},
        [],
    ),
    "none at weekends": (WEEKDAYS, {}, []),
    "another series has taken its place": (
        daily(10, last=9) + daily(6, name="new-{}.sql.gz"),
        {},
        [],
    ),
    "a file for each tenant, the last of which is new": (TENANTS, {}, []),
    "increments": (INCREMENTS, {}, []),
    "segments of PostgreSQL": (SEGMENTS, {}, []),
    "logs that are packed": (emptied(daily(10, name="shop-{}.log.gz"), 900), {}, []),
    "numbers without zeros": (
        [(f"shop-{at}.sql.gz", (500.5 - at) * DAY, MB) for at in range(1, 501)],
        {},
        [],
    ),
    "the day before the month": (BY_DAY_FIRST, {}, []),
    "five files, at a weekend": (daily(5, last=2.8), {}, ADVICE),
    "five files, after a weekend": (daily(5, last=3.8), {}, ADVICE),
    "by hand, on one day": (
        [(f"shop-{at}.sql.gz", 3 * HOUR - at * 660, MB) for at in range(6)],
        {},
        [],
    ),
    "hours of work of one day": (
        [(f"shop-{at}.sql.gz", (22 - at) * HOUR, MB) for at in range(10)],
        {},
        [],
    ),
    "hourly": (HOURLY, {}, ADVICE),
    "hourly, for days": ([(name, age + 4 * DAY, size) for name, age, size in HOURLY], {}, ADVICE),
    "a container that was just started": (
        daily(10, last=4),
        {"State": {"StartedAt": "2026-03-03T02:00:00Z"}},
        [],
    ),
    "a folder of another kind": (
        daily(10, last=4),
        {"Mounts": ("/srv/photos", "/photos", True)},
        [],
    ),
    "files of Duplicati": (daily(10, last=4, name="duplicati-{}.dlist.zip.aes.zip"), {}, []),
    "copied here by a job of each week": (daily(10, last=4), {"copied": True}, []),
    "read-only": (daily(10, last=4), {"Mounts": ("/srv/backups", "/backups", False)}, []),
}


QUIET = ("overdue for long", "five files, at a weekend", "hourly")


@pytest.mark.parametrize(("files", "own", "expected"), CASES.values(), ids=CASES)
def test_series(
    files: Files,
    own: dict[str, Any],
    expected: list[tuple[str, str]],
    request: pytest.FixtureRequest,
) -> None:
    source, target, rw = own.pop("Mounts", ("/srv/backups", "/backups", True))
    mount = {"Type": "bind", "Source": source, "Destination": target, "RW": rw}
    moved = 86400.0 if own.pop("copied", False) else 0.0
    dumps = container("dumps", Mounts=[mount], **own)
    names = sorted(name for name, _, _ in files)
    known = {
        f"{source}/{name}": {
            "type": "file",
            "size": size,
            "mtime": NOW - age,
            "ctime": NOW - age + moved,
        }
        for name, age, size in files
    }
    host = Made(
        {
            "file.list": {"entries": [{"name": name, "type": "file"} for name in names]},
            "file.stats": lambda question: {path: known[path] for path in question.paths},
        }
    )
    series = all_backup_series(host, of(dumps), CLOCK)
    result = judge("storage.backup-series-broken", all_backup_series=series, clock=CLOCK)
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.is_quiet == (request.node.callspec.id in QUIET)
