"""container.zone-unknown: values of TZ that are no zone."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.variables.misspelt_zones import misspelt_zones
from diagnose.evidence.containers.variables.unknown_zones import UnknownZones
from diagnose.model import Failed
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
    result = judge("container.zone-unknown", unknown_zones=UnknownZones(), misspelt_zones=found)
    given = [finding.variables.get("corrected", "") for finding in result.findings]
    assert given == ([] if expected == "-" else [expected])
