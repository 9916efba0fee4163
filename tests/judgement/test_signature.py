"""Signatures: the same problem on two hosts has one, two problems have two."""

from __future__ import annotations

import pytest

from diagnose.judgement.signature import signature, without_ids
from diagnose.model import HOST, Finding, Subject

TEXTS = {
    "a bridge of the engine": ("br-527a89b33975 is down", "* is down"),
    "a container's id": ("4f1d" * 16, "*"),
    "an address with its prefix": ("unicast 172.28.5.0/24 via 192.0.2.1", "unicast */24 via *"),
    "an IPv6 address": ("fd00:db8::1", "*"),
    "a veth": ("veth1a2b3c4", "*"),
    "a task of a swarm": ("web.1.abcdefghijklmnopqrstuvwxy", "web.1.*"),
    "a version is not an address": ("shop:1.36.1", "shop:1.36.1"),
    "a time is not an address": ("12:30:15", "12:30:15"),
    "a word is not an id": ("feedbeefcafe", "feedbeefcafe"),
    "a port": ("8080", "8080"),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS)
def test_ids_and_addresses_are_left_out(text: str, expected: str):
    assert without_ids(text) == expected


def test_replicas_of_a_service_are_one():
    found = [
        signature(
            "a.b",
            Subject("container", f"shop-web-{number}"),
            Finding(HOST, "s", {"x": 1}, service="shop/web"),
        )
        for number in (1, 2)
    ]
    assert found == ["a.b@container:shop/web"] * 2
