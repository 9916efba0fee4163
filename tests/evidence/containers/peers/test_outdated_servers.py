"""Servers whose old address HAProxy keeps."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.inner_failures import InnerFailures, in_lines
from diagnose.evidence.containers.peers.outdated_servers import outdated_servers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Socket
from diagnose.live.disk.parts.chosen import only
from diagnose.phrases import rfc3339
from tests.checks.network.evidence import namespaces_of
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

NOW = 1_800_000_000.0
CONFIG = {"Type": "bind", "Source": "/srv/haproxy.cfg", "Destination": "/etc/haproxy/haproxy.cfg"}
DOWN = (
    "Server films/s1 is DOWN, reason: {}, check duration: 2001ms. 0 active and 0 backup servers "
    "left. 0 sessions active, 0 requeued, 0 remaining in queue."
)
SETTINGS = "backend films\n  server s1 shop:8080 check inter 2s\n"
CASES: dict[str, tuple[str, str, float, list[str]]] = {
    "started later": ("Layer4 timeout", SETTINGS, 10.0, ["shop"]),
    "refused": ('Layer4 connection problem, info: "Connection refused"', SETTINGS, 10.0, ["shop"]),
    "started before": ("Layer4 timeout", SETTINGS, -10.0, []),
    "another name": ("Layer4 timeout", SETTINGS.replace("shop", "films"), 10.0, []),
    "of another backend": (
        "Layer4 timeout",
        f"backend films\n  server s1 192.0.2.9:80\n{SETTINGS.replace('films', 'shop')}",
        10.0,
        [],
    ),
    "it answers": ("Layer7 wrong status, code: 404", SETTINGS, 10.0, []),
}


def _pair(later: float) -> tuple[Container, Container]:
    """HAProxy, and a server that was started so many seconds after it."""
    networks = {"Networks": {"n": {"IPAddress": "10.1.0.2", "Aliases": []}}}
    proxy, shop = (
        container(
            name,
            Mounts=[CONFIG],
            State={"Status": "running", "Running": True, "Pid": 9, "StartedAt": rfc3339(at)},
            NetworkSettings=networks,
        )
        for name, at in (("edge", NOW), ("shop", NOW + later))
    )
    return proxy, shop


@pytest.mark.parametrize(("reason", "settings", "later", "names"), CASES.values(), ids=CASES)
def test_servers(reason: str, settings: str, later: float, names: list[str]) -> None:
    proxy, shop = _pair(later)
    failures = in_lines(proxy, {"haproxy"}, [(NOW, DOWN.format(reason))])
    assert failures
    host = Made({"file.read": {"text": only("servers", settings)}})
    servers = outdated_servers(host, of(proxy, shop), InnerFailures(tuple(failures)), None)
    found = [servers.of(failure) for failure in failures]
    assert [server.name for server in found if server is not None] == names
    findings = judge(
        "container.failing-inside",
        inner_failures=InnerFailures(tuple(failures)),
        outdated_servers=servers,
        clock=Clock(NOW, 0.0),
    ).findings
    is_reached = reason.startswith("Layer7")
    assert ["rebound" in finding.variables for finding in findings] == [
        *([True] if names else []),
        *([False] if is_reached else []),
    ]


@pytest.mark.parametrize("port", [8080, 9090])
def test_a_server_in_which_nothing_listens_at_the_port(port: int) -> None:
    """It is unreached for that reason, such as one that is still starting."""
    proxy, shop = _pair(10.0)
    failures = InnerFailures(
        tuple(in_lines(proxy, {"haproxy"}, [(NOW, DOWN.format("Layer4 timeout"))]))
    )
    host = Made({"file.read": {"text": only("servers", SETTINGS)}})
    inside = namespaces_of(shop, Socket("tcp", "0.0.0.0", port, 0, 128))
    servers = outdated_servers(host, of(proxy, shop), failures, inside)
    assert [servers.of(failure) is not None for failure in failures] == [port == 8080]
