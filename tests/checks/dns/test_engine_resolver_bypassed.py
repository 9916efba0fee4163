"""The check in checks/dns/engine_resolver_bypassed.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.engine.info import Ping
from tests.checks.dns.evidence import MISSING, container
from tests.judging import judge, rows

SHOP = container("shop", network="lan")
CACHE = container("cache", network="lan")


@pytest.mark.parametrize(
    ("server", "name", "podman", "expected"),
    [
        pytest.param("10.8.0.1", "cache", False, [("critical", "shop")], id="a VPN's server"),
        pytest.param("", "cache", False, [("critical", "shop")], id="no server"),
        pytest.param("10.8.0.1", "pay", False, [], id="a name that no container has"),
        pytest.param("127.0.0.11", "cache", False, [], id="the engine's resolver"),
        pytest.param("10.89.0.1", "cache", True, [], id="the resolver of Podman"),
    ],
)
def test_whom_a_container_asks(
    server: str, name: str, podman: bool, expected: list[tuple[str, str]]
) -> None:
    result = judge(
        "dns.engine-resolver-bypassed",
        containers=Containers((SHOP, CACHE)),
        resolvers=Resolvers(MISSING, MISSING, (), {SHOP.id: ResolvConf(tuple(server.split()))}),
        failed_names=FailedNames({SHOP.id: (FailedName(name, "bad address"),)}),
        ping=Ping("1.41", "5.4", "5.4" if podman else ""),
    )
    assert rows(result) == expected
