"""network.host-proxy-fails, on the error logs of web servers of the host."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.proxies.host_proxies import host_proxy_failures
from diagnose.model import Failed
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

PORTS = {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8081"}]}
SHOP = container("shop", NetworkSettings={"Ports": PORTS}, HostConfig={"PortBindings": PORTS})
NGINX = (
    "2026/01/02 03:20:0{} [error] 391#391: *29 {} while reading response header from upstream, "
    'client: 192.0.2.1, server: shop.test, request: "GET / HTTP/1.1", '
    'upstream: "http://127.0.0.1:{}/", host: "shop.test"'
)
APACHE = (
    "[Fri Jan 02 03:20:0{}.123456 2026] [proxy:error] [pid 7:tid 9] (111)Connection refused: AH00957: "
    "HTTP: attempt to connect to 127.0.0.1:8081 (127.0.0.1) failed"
)
LARGE = "upstream sent too big header"
LOGS: dict[str, tuple[str, list[str], float, list[tuple[str, str]]]] = {
    "nginx": (
        "nginx",
        [NGINX.format(at, LARGE, 8081) for at in range(4)],
        5,
        [("warning", "shop")],
    ),
    "Apache": ("apache2", [APACHE.format(at) for at in range(4)], 5, [("warning", "shop")]),
    "idle websockets": (
        "nginx",
        [
            NGINX.format(at, "upstream timed out (110: Connection timed out)", 8081).replace(
                "reading response header from upstream", "proxying upgraded connection"
            )
            for at in range(4)
        ],
        5,
        [],
    ),
    "twice": ("nginx", [NGINX.format(at, LARGE, 8081) for at in range(2)], 5, []),
    "minutes ago": ("nginx", [NGINX.format(at, LARGE, 8081) for at in range(4)], 120, []),
    "another program": ("nginx", [NGINX.format(at, LARGE, 9999) for at in range(4)], 5, []),
    "none of these": ("caddy", [NGINX.format(at, LARGE, 8081) for at in range(4)], 5, []),
}


@pytest.mark.parametrize("name", LOGS)
def test_web_servers_of_the_host(name: str) -> None:
    program, lines, age, expected = LOGS[name]
    file = {"text": "\n".join(lines) + "\n", "mtime": 1000.0 - age}
    answers: dict[str, Any] = {
        "file.list": {"entries": [{"name": "error.log", "type": "file"}]},
        "file.read": file,
    }
    assert rows(_judged(program, answers)) == expected


def test_a_log_that_may_not_be_read_is_not_called_calm() -> None:
    result = _judged("nginx", {"file.list": Failed("forbidden", "root's")})
    assert result.verdict.value == "unknown"


def _judged(program: str, answers: dict[str, Any], shop: Container = SHOP) -> Any:
    processes = Processes((Process(pid=5, comm=program),))
    failures = host_proxy_failures(
        Made(answers), of(shop), processes, Clock(1000.0, 0.0), Interfaces(), None
    )
    return judge("network.host-proxy-fails", host_proxy_failures=failures)


def test_a_container_that_does_not_run_comes_first() -> None:
    answers: dict[str, Any] = {
        "file.list": {"entries": [{"name": "error.log", "type": "file"}]},
        "file.read": {"text": "\n".join(APACHE.format(at) for at in range(4)), "mtime": 995.0},
    }
    stopped = container("shop", State={"Status": "exited"}, HostConfig={"PortBindings": PORTS})
    (finding,) = _judged("apache2", answers, stopped).findings
    assert finding.variables["stopped"] == "shop"
    assert finding.summary.endswith("it does not run")
