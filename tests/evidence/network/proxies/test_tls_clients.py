"""diagnose/evidence/network/proxies/tls_clients.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.proxies.tls_clients import all_tls_clients
from tests.checks.container.evidence import CLOCK
from tests.inspected import container

HELLO = r'{} - - [29/Nov/2026:18:50:22 +0000] "\x16\x03\x01\x02\x00\x01\xFC" 400 157 "-" "-"'
GET = '{} - - [29/Nov/2026:18:50:23 +0000] "GET / HTTP/1.1" 200 2 "-" "curl/7.88.1"'
NEAR, FAR, OTHER = "192.168.1.7", "93.184.216.34", "192.168.1.8"
GUNICORN = r"[WARNING] Invalid request from ip={}: Invalid HTTP request line: '\x16\x03\x01'"
TOMCAT = "Invalid character found in method name [0x160x030x010x020x00...]. HTTP method names"
PUMA = "HTTP parse error. Are you trying to open an SSL connection to a non-SSL Puma?"
DJANGO = "You're accessing the development server over HTTPS, but it only supports HTTP."

CLIENTS: dict[str, tuple[str, list[str], list[tuple[str, ...]]]] = {
    "nginx": ("8080", 3 * [HELLO.format(NEAR)], [(NEAR,)]),
    "gunicorn": ("8080", 3 * [GUNICORN.format(NEAR)], [(NEAR,)]),
    "Tomcat": ("8080", 3 * [TOMCAT], [()]),
    "Puma": ("8080", 3 * [PUMA], [()]),
    "Django": ("8080", 3 * [DJANGO], [()]),
    "twice": ("8080", 2 * [HELLO.format(NEAR)], []),
    "others are served": ("8080", [GET.format(OTHER), *3 * [HELLO.format(NEAR)]], [(NEAR,)]),
    "a browser that does without": ("8080", [*3 * [HELLO.format(NEAR)], GET.format(NEAR)], []),
    "a scanner": ("8080", 3 * [HELLO.format(FAR)], []),
    "from the internet, at 443": ("443", 3 * [HELLO.format(FAR)], [(FAR,)]),
    "a scanner at a site": ("443", [GET.format(OTHER), *3 * [HELLO.format(FAR)]], []),
}


@pytest.mark.parametrize(("port", "lines", "expected"), CLIENTS.values(), ids=CLIENTS)
def test_whose_requests_a_server_cannot_read(
    port: str, lines: list[str], expected: list[tuple[str, ...]]
) -> None:
    published = {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": port}]}
    web = container("web", NetworkSettings={"Ports": published})
    recent = tuple(RecentLine(CLOCK.wall - 3, line) for line in lines)
    found = all_tls_clients(Containers((web,)), RecentLogs({web.id: recent}), CLOCK)
    assert [clients.clients for clients in found] == expected
