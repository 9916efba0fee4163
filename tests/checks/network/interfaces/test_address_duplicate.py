"""The check in checks/network/interfaces/address_duplicate.py and its evidence."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.neighbours import Neighbour, Neighbours
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.subnets.address_duplicates import address_duplicates
from diagnose.model import Failed, Unavailable
from tests.checks.network.evidence import UPLINK, container, network
from tests.hosts import Made
from tests.judging import judge, rows

ADDRESS, OWN, OTHER = "192.0.2.130", "02:42:c0:00:02:82", "52:54:00:00:00:07"
WIRE = Interfaces((UPLINK,), ())
NOW, ONCE = [("critical", "hole")], [("advice", "hole")]


def judged(
    mac: str, state: str, driver: str = "macvlan", own: str = OWN, interface: str = "eth0"
) -> tuple[list[tuple[str, str]], int]:
    """The findings, and how many questions were asked."""
    endpoint = {"IPAddress": ADDRESS, "MacAddress": own}
    hole = container("hole", NetworkSettings={"Networks": {"lan": endpoint}})
    lan = network("lan", "192.0.2.0/24", "192.0.2.1", Driver=driver, Options={"parent": "eth0"})
    row: dict[str, Any] = {"index": UPLINK.index, "address": ADDRESS, "mac": mac, "state": state}
    host = Made({"net.neighbours": [row]})
    arp = Neighbours((Neighbour(ADDRESS, interface, mac),))
    duplicates = address_duplicates(host, Containers((hole,)), Networks((lan,)), arp, WIRE)
    return rows(judge("network.address-duplicate", address_duplicates=duplicates)), len(host.asked)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param("reachable", NOW, id="it answers now"),
        pytest.param("delay", NOW, id="it answered a moment ago"),
        pytest.param("permanent", NOW, id="set by hand"),
        pytest.param("stale", ONCE, id="of a machine that may be gone"),
        pytest.param("failed", ONCE, id="it does not answer any more"),
    ],
)
def test_how_old_the_entry_is(state: str, expected: list[tuple[str, str]]) -> None:
    assert judged(OTHER, state) == (expected, 1)


def test_what_is_no_other_machine_asks_nothing_more() -> None:
    assert judged(OWN.upper(), "reachable") == ([], 0)
    assert judged("", "failed") == ([], 0)
    assert judged(OTHER, "reachable", interface="wg0") == ([], 0)
    assert judged(OTHER, "reachable", own="") == ([], 0), "the engine has not noted its own"
    assert judged(OTHER, "reachable", driver="ipvlan", own="") == (NOW, 1)


def test_an_age_that_cannot_be_known_is_unknown() -> None:
    endpoint = {"IPAddress": ADDRESS, "MacAddress": OWN}
    hole = container("hole", NetworkSettings={"Networks": {"lan": endpoint}})
    lan = network("lan", "192.0.2.0/24", "192.0.2.1", Driver="macvlan", Options={"parent": "eth0"})
    arp = Neighbours((Neighbour(ADDRESS, "eth0", OTHER),))
    host = Made({"net.neighbours": Failed("missing", "no netlink")})
    answer = address_duplicates(host, Containers((hole,)), Networks((lan,)), arp, WIRE)
    assert isinstance(answer, Unavailable)
