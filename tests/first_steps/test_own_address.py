"""The word by which a server calls itself: diagnose/first_steps/named/own_address.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.first_steps.named.own_address import own_address
from tests.inspected import container

ON = {"NetworkSettings": {"Networks": {"shop": {"IPAddress": "10.0.0.3"}}}}
LINE = (
    'oidc: issuer did not match the issuer returned by provider, expected "http://sso:8080/realms/shop" '
    'got "{}/realms/shop"'
)
LOCAL = LINE.format("http://localhost:8080")
CASES: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "an option": (LOCAL, {"Cmd": ["start", "--hostname=localhost"]}, "option --hostname"),
    "an option and its word": (LOCAL, {"Cmd": ["--hostname", "localhost"]}, "option --hostname"),
    "a variable": (LOCAL, {"Env": ["KC_HOSTNAME=localhost"]}, "variable KC_HOSTNAME"),
    "an address": (
        LINE.format("https://sso.example.com"),
        {"Env": ["KC_HOSTNAME_URL=https://sso.example.com/"]},
        "variable KC_HOSTNAME_URL",
    ),
    "two places": (
        LOCAL,
        {"Cmd": ["--hostname=localhost"], "Env": ["KC_HOSTNAME=localhost"]},
        None,
    ),
    "of something else": (LOCAL, {"Env": ["DB_ADDR=db", "MODE=localhost"]}, None),
    "nowhere": (LOCAL, {}, None),
    "the same host": (LINE.format("https://sso"), {"Cmd": ["--hostname=sso"]}, None),
    "another line": ("connection refused", {"Cmd": ["--hostname=localhost"]}, None),
}


@pytest.mark.parametrize(("line", "config", "expected"), CASES.values(), ids=CASES)
def test_where_a_server_is_given_its_address(
    line: str, config: dict[str, Any], expected: str | None
) -> None:
    caller, server = container("gate", **ON), container("sso", Config=config, **ON)
    found = own_address(LogTail((line,)).failure, caller, Containers([caller, server]))
    assert (found.place if found is not None else None) == expected
