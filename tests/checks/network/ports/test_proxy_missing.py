"""Published ports whose docker-proxy has ended: checks/network/ports/proxy_missing.py."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.questions.sockets import Listener
from tests.checks.network.evidence import network
from tests.checks.network.lost_calls import CLOCK, SHOP
from tests.judging import judge, rows

ON_IPV6 = Listener("tcp6", "::", 18080, 5, "docker-proxy")
PROXIES: dict[str, tuple[list[Listener], dict[str, Any], list[tuple[str, str]]]] = {
    "none": ([], {}, [("warning", "shop")]),
    "for IPv6 alone": ([ON_IPV6], {}, [("warning", "shop")]),
    "for both": ([ON_IPV6, Listener("tcp", "0.0.0.0", 18080, 4, "docker-proxy")], {}, []),
    "another program": ([Listener("tcp6", "::", 18080, 4, "haproxy")], {}, []),
    "a holder that is not known": ([Listener("tcp6", "::", 18080)], {}, []),
    "a routed network": (
        [],
        {"Options": {"com.docker.network.bridge.gateway_mode_ipv4": "routed"}},
        [],
    ),
    "Podman": ([], {"podman": True}, []),
}


@pytest.mark.parametrize(("sockets", "options", "wanted"), PROXIES.values(), ids=PROXIES)
def test_missing_proxy(
    sockets: list[Listener], options: dict[str, Any], wanted: list[tuple[str, str]]
) -> None:
    is_podman = options.pop("podman", False)
    result = judge(
        "network.proxy-missing",
        containers=Containers((SHOP,)),
        networks=Networks((network(**options),)),
        listeners=Listeners(tuple(sockets)),
        ping=Ping("1.51", "28.5.2", "5.0" if is_podman else ""),
        info=msgspec.convert({}, Info),
        clock=CLOCK,
    )
    assert rows(result) == wanted


def test_a_container_that_restarts_has_no_proxy_for_a_moment() -> None:
    begun = CLOCK.wall - 5
    started = datetime.fromtimestamp(begun, UTC).isoformat()
    state = msgspec.structs.replace(SHOP.state, started_at=started)
    looping = msgspec.structs.replace(SHOP, state=state, restart_count=4)
    result = judge(
        "network.proxy-missing",
        containers=Containers((looping,)),
        networks=Networks((network(),)),
        listeners=Listeners(()),
        ping=Ping("1.51", "28.5.2", ""),
        info=msgspec.convert({}, Info),
        clock=CLOCK,
    )
    assert rows(result) == []
