"""container.zone-unknown: values of TZ that are not a zone, and schedules without a zone."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.variables.misspelt_zones import misspelt_zones
from diagnose.evidence.containers.variables.unknown_zones import UnknownZones
from diagnose.evidence.containers.variables.unset_zones import unset_zones
from diagnose.model import Failed
from tests.checks.container.evidence import CLOCK
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

ZONES: dict[str, tuple[str, bool, str]] = {
    "parts in another order": ("Tallinn/Europe", False, "TZ=Europe/Tallinn"),
    "small letters": ("europe/berlin", False, "TZ=Europe/Berlin"),
    "a city alone": ("Berlin", False, "TZ=Europe/Berlin"),
    "a letter too few": ("Europe/Amsterdm", False, "TZ=Europe/Amsterdam"),
    "like none": ("Mars/Olympus", False, ""),
    "a zone": ("Europe/Berlin", False, "-"),
    "UTC": ("UTC", False, "-"),
    "a rule of hours": ("CET-1CEST,M3.5.0,M10.5.0/3", False, "-"),
    "hours alone": ("UTC+3", False, "-"),
    "an old name": ("US/Eastern", False, "-"),
    "a zone that only the container has": ("Mars/Olympus", True, "-"),
    "a path": ("/etc/localtime", False, "-"),
    "none": ("", False, "-"),
}


@pytest.mark.parametrize(("zone", "is_there", "expected"), ZONES.values(), ids=ZONES)
def test_zones(zone: str, is_there: bool, expected: str) -> None:
    web = container("web", Config={"Env": [f"TZ={zone}"]})
    answer = {"text": "TZif"} if is_there else Failed("gone", zone)
    found = misspelt_zones(Made({"api.archive": answer}), of(web))
    result = judge(
        "container.zone-unknown",
        unknown_zones=UnknownZones(),
        misspelt_zones=found,
        unset_zones=None,
    )
    given = [finding.variables.get("corrected", "") for finding in result.findings]
    assert given == ([] if expected == "-" else [expected])


DAILY = "BACKUP_CRON=0 3 * * *"
MOUNT = {"Type": "bind", "Source": "/etc/localtime", "Destination": "/etc/localtime"}
SCHEDULES: dict[str, tuple[list[str], str, list[dict[str, str]], int]] = {
    "at an hour": ([DAILY], "Asia/Tokyo", [], 1),
    "with seconds": (["WATCHTOWER_SCHEDULE=0 0 4 * * *"], "Asia/Tokyo", [], 1),
    "each hour": (["CRON=0 * * * *"], "Asia/Tokyo", [], 0),
    "each ten minutes": (["CRON=*/10 * * * *"], "Asia/Tokyo", [], 0),
    "with a zone": ([DAILY, "TZ=Asia/Tokyo"], "Asia/Tokyo", [], 0),
    "with a zone of its own": ([DAILY, "GENERIC_TIMEZONE=Asia/Tokyo"], "Asia/Tokyo", [], 0),
    "with the host's file": ([DAILY], "Asia/Tokyo", [MOUNT], 0),
    "a host on UTC": ([DAILY], "Etc/UTC", [], 0),
    "no schedule": (["CRONTAB=/etc/crontab"], "Asia/Tokyo", [], 0),
}


@pytest.mark.parametrize(("env", "zone", "mounts", "count"), SCHEDULES.values(), ids=SCHEDULES)
def test_schedules(env: list[str], zone: str, mounts: list[dict[str, str]], count: int) -> None:
    backup = container("backup", Config={"Env": env}, Mounts=mounts)
    link = {"type": "link", "link": f"/usr/share/zoneinfo/{zone}"}
    host = Made({"file.stats": {"/etc/localtime": link}})
    found = unset_zones(host, of(backup), CLOCK)
    result = judge(
        "container.zone-unknown",
        unknown_zones=UnknownZones(),
        misspelt_zones=None,
        unset_zones=found,
    )
    assert [finding.is_quiet for finding in result.findings] == [True] * count
