"""Routes of Traefik and Caddy whose requests all end with 404, by the logs of both sides."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.routes.misplaced_routes import misplaced_routes
from tests.checks.network.evidence import container
from tests.hosts import Made

RULE = {"traefik.http.routers.api.rule": "Host(`shop.example`) && PathPrefix(`/api`)"}
OWN = '10.0.0.7 - - [x] "GET /api/users HTTP/1.1" {} 9 "http://shop.example/" "Firefox"'
PASSED = f'{OWN} 7 "api@docker" "http://172.18.0.3:8000" 2ms'
UNTAKEN = f'{OWN} 7 "-" "-" 0ms'
LOGS: dict[str, tuple[list[str], list[str], int]] = {
    "by the program's log": ([], [OWN.format(404)] * 4, 1),
    "by Traefik's log": ([PASSED.format(404)] * 4, [], 1),
    "beside calls that failed": ([PASSED.format(502)], [OWN.format(404)] * 4, 1),
    "a site that no router has": ([UNTAKEN.format(404)] * 4, [], 0),
    "a page that the program has": ([PASSED.format(200)], [OWN.format(404)] * 4, 0),
    "too few": ([], [OWN.format(404)] * 2, 0),
}


@pytest.mark.parametrize(("proxy_lines", "own_lines", "found"), LOGS.values(), ids=LOGS)
def test_routes(proxy_lines: list[str], own_lines: list[str], found: int) -> None:
    traefik = container("traefik", Config={"Image": "traefik:v3.1"})
    api = container("api", Config={"Image": "api:1", "Labels": RULE})
    logs = {
        owner.id: tuple(RecentLine(2_000_000_000.0 + at, line) for at, line in enumerate(lines))
        for owner, lines in ((traefik, proxy_lines), (api, own_lines))
    }
    routes = misplaced_routes(
        Made({}),
        Containers((traefik, api)),
        RecentLogs(logs),
        Clock(2_000_000_010.0, 0.0),
        Processes(()),
    )
    assert len(routes) == found
