"""What the check says of requests that rp_filter drops."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.gateways.strict_uplinks import StrictUplink, StrictUplinks
from diagnose.questions.network import ReversePathDrops
from tests.judging import judge, rows

STRICT = StrictUplink("eth1", "198.51.100.10", 1, "eth0", (8080,))

UPLINKS: dict[str, tuple[StrictUplinks, list[tuple[str, str]]]] = {
    "dropped now": (StrictUplinks((STRICT,), ReversePathDrops(90, 3)), [("warning", "eth1")]),
    "dropped once": (StrictUplinks((STRICT,), ReversePathDrops(90, 0)), []),
    "not counted": (StrictUplinks((STRICT,)), []),
    "one way out": (StrictUplinks(), []),
}


@pytest.mark.parametrize("name", UPLINKS)
def test_requests_taken_for_forged(name: str) -> None:
    uplinks, wanted = UPLINKS[name]
    result = judge("network.requests-taken-for-forged", strict_uplinks=uplinks)
    assert rows(result) == wanted
