"""The check in checks/network/ports/udp/discovery_unheard.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.sockets.discovery import unheard_discoveries
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.netns import Socket
from tests.checks.network.evidence import container, network
from tests.hosts import Made
from tests.judging import judge, rows

_ON_SHOP = {"Networks": {"shop": {"IPAddress": "172.18.0.2"}}}
_HASS = {"Image": "ghcr.io/home-assistant/home-assistant:stable"}
_ALONE, _HEARD = {"received": 8, "sent": 8}, {"received": 30, "sent": 8}


@pytest.mark.parametrize(
    ("config", "port", "counted", "driver", "expected"),
    [
        (_HASS, 5353, _ALONE, "bridge", [("advice", "seeker")]),
        (_HASS, 1900, _ALONE, "bridge", [("advice", "seeker")]),
        (_HASS, 8123, _ALONE, "bridge", []),
        (_HASS, 5353, _HEARD, "bridge", []),
        (_HASS, 5353, {"received": 0, "sent": 0}, "bridge", []),
        (_HASS, 5353, _ALONE, "macvlan", []),
        ({"Image": "browserless/chrome"}, 5353, _ALONE, "bridge", []),
    ],
    ids=["mDNS", "SSDP", "no discovery", "heard", "asked nothing", "macvlan", "a browser"],
)
def test_discovery_from_a_bridge(
    config: dict[str, Any], port: int, counted: dict[str, int], driver: str, expected: list[Any]
) -> None:
    seeker = container("seeker", Config=config, NetworkSettings=_ON_SHOP, State={"Pid": 7})
    sockets = (Socket("udp", "0.0.0.0", port),)
    inside = ContainerNetns(seeker, 1, links=(), addresses=(), routes=(), listeners=sockets)
    known = unheard_discoveries(
        Host(Made({"netns.multicast": {"7": counted}})),
        Containers((seeker,)),
        Networks((network("shop", Driver=driver),)),
        Namespaces({seeker.id: inside}),
    )
    assert not isinstance(known, Unavailable)
    assert rows(judge("network.discovery-unheard", unheard_discoveries=known)) == expected
