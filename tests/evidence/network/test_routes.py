"""Which of the host's routes is its way out."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.routes import Route, Routes

LINK = Route("192.0.2.0", 24, oif=2)
OUT = Route("0.0.0.0", 0, gateway="192.0.2.1", oif=2, metric=100)
CASES = {
    "one": ((LINK, OUT), "192.0.2.1"),
    "the smaller metric": (
        (OUT, Route("0.0.0.0", 0, gateway="192.0.2.7", oif=2, metric=50)),
        "192.0.2.7",
    ),
    "a route to the own network": ((LINK,), None),
    "a default route that rejects": ((LINK, Route("0.0.0.0", 0, type="unreachable")), None),
    "one of another table": ((Route("0.0.0.0", 0, gateway="192.0.2.1", oif=2, table=100),), None),
    "one of IPv6": ((Route("::", 0, "inet6", gateway="2001:db8::1", oif=2),), None),
}


@pytest.mark.parametrize(("listed", "router"), CASES.values(), ids=CASES)
def test_the_router_of_the_host(listed: tuple[Route, ...], router: str | None) -> None:
    routes = Routes(listed)
    assert routes.router == router
    assert (routes.default is not None) is (router is not None)
