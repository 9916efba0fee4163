"""The check in checks/container/running/zone_unknown.py, and the evidence that it reads."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.variables.unknown_zones import unknown_zones
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Failed, Json
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

NOW = 1_800_000_000.0
MISSING = Failed("gone", "404 Not Found")
THERE = {"type": "file", "text": "TZif"}
ADVICE = [("advice", "billing")]
TOKYO = 9 * 3600


def stamped(at: float, ahead: float = 0.0, ending: str = "") -> str:
    moment = datetime.fromtimestamp(at + ahead, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}{ending} INFO run"


CASES = {
    "UTC": ("Asia/Tokyo", 0.0, "", MISSING, ADVICE),
    "the zone's own time": ("Asia/Tokyo", TOKYO, "", MISSING, []),
    "UTC that says so": ("Asia/Tokyo", 0.0, "Z", MISSING, []),
    "UTC with its offset": ("Asia/Tokyo", 0.0, ",123 +0000", MISSING, []),
    "an image that knows the zone": ("Asia/Tokyo", 0.0, "", THERE, []),
    "a zone without an offset": ("Africa/Abidjan", 0.0, "", MISSING, []),
    "a zone that nobody knows": ("Asia/Tokio", 0.0, "", MISSING, []),
    "UTC by its name": ("UTC", 0.0, "", MISSING, []),
    "a rule": ("JST-9", 0.0, "", MISSING, []),
    "no zone": ("", 0.0, "", MISSING, []),
    "times of other things": ("Asia/Tokyo", -86400.0, "", MISSING, []),
    "an image that cannot be read": (
        "Asia/Tokyo", 0.0, "", Failed("timed out", ""), [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("zone", "ahead", "ending", "file", "expected"), CASES.values(), ids=CASES)
def test_the_zone_of_a_container(
    zone: str, ahead: float, ending: str, file: Json | Failed, expected: list[tuple[str, str]]
) -> None:
    billing = container("billing", Config={"Env": [f"TZ={zone}"]})
    times = [NOW - 10 * number for number in (3, 2, 1)]
    lines = tuple(RecentLine(at, stamped(at, ahead, ending)) for at in times)
    found = unknown_zones(
        Made({"api.archive": file}), Containers([billing]), RecentLogs({billing.id: lines})
    )
    assert rows(judge("container.zone-unknown", unknown_zones=found)) == expected


def test_what_is_said_of_a_long_line() -> None:
    billing = container("billing", Config={"Env": ["TZ=Asia/Tokyo"]})
    lines = (RecentLine(NOW, f"{stamped(NOW)} {'rows ' * 400}"),) * 3
    made = Made({"api.archive": MISSING})
    found = unknown_zones(made, Containers([billing]), RecentLogs({billing.id: lines}))
    (finding,) = judge("container.zone-unknown", unknown_zones=found).findings
    assert finding.evidence["log"] == lines[0].text[:300]
    assert "does not have that time zone" in finding.summary, "tzdata may lack old names alone"


def test_a_log_that_was_not_read_keeps_the_check_from_passing() -> None:
    mute, other = (container(name, Config={"Env": env}) for name, env in NAMED.items())
    logs = RecentLogs({}, {mute.id: "too long", other.id: "too long"})
    found = unknown_zones(Made({}), Containers([mute, other]), logs)
    result = judge("container.zone-unknown", unknown_zones=found)
    assert [unexamined.subject.name for unexamined in result.unexamined] == ["billing"]


NAMED = {"billing": ["TZ=Asia/Tokyo"], "web": ["LANG=C"]}


CRON = {
    "cron": ("crond", ["crond", "-f"], "Asia/Tokyo", MISSING, ADVICE),
    "cron of busybox": ("busybox", ["sh", "-c", "exec busybox crond -f"], "Asia/Tokyo", MISSING, ADVICE),
    "a zone without an offset": ("crond", [], "Africa/Abidjan", MISSING, []),
    "an image that knows the zone": ("cron", [], "Asia/Tokyo", THERE, []),
    "no cron": ("nginx", [], "Asia/Tokyo", MISSING, []),
}  # fmt: skip


@pytest.mark.parametrize(("comm", "words", "zone", "file", "expected"), CRON.values(), ids=CRON)
def test_the_zone_of_a_cron(
    comm: str, words: list[str], zone: str, file: Json | Failed, expected: list[tuple[str, str]]
) -> None:
    billing = container("billing", Config={"Env": [f"TZ={zone}"], "Cmd": words})
    processes = Processes((Process(100, comm=comm, container=billing.id),))
    found = unknown_zones(
        Made({"api.archive": file}),
        Containers([billing]),
        RecentLogs({billing.id: ()}),
        processes,
        Clock(wall=NOW, booted=0.0),
    )
    assert rows(judge("container.zone-unknown", unknown_zones=found)) == expected
