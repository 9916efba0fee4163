"""The checks in checks/security/engine.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.engine import sockets
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.sockets import EngineSockets, SocketFile
from diagnose.model import Failed, Unavailable
from tests.checks.security.evidence import OUT_OF_REACH
from tests.hosts import Made
from tests.judging import judge


@pytest.mark.parametrize(
    ("config", "names"),
    [
        pytest.param(None, [], id="no word about it"),
        pytest.param(
            {
                "InsecureRegistryCIDRs": ["127.0.0.0/8", "::1/128"],
                "IndexConfigs": {"docker.io": {"Secure": True}},
            },
            [],
            id="default",
        ),
        pytest.param(
            {
                "IndexConfigs": {
                    "127.0.0.1:5000": {"Secure": False},
                    "localhost:5000": {"Secure": False},
                }
            },
            [],
            id="loopback",
        ),
        pytest.param(
            {"IndexConfigs": {"r.internal:5000": {"Secure": False}}},
            ["r.internal:5000"],
            id="a registry",
        ),
        pytest.param({"InsecureRegistryCIDRs": ["10.0.0.0/8"]}, ["10.0.0.0/8"], id="a network"),
    ],
)
def test_insecure_registry(config: dict[str, Any] | None, names: list[str]) -> None:
    assert [
        finding.discriminator
        for finding in judge(
            "security.insecure-registry", info=msgspec.convert({"RegistryConfig": config}, Info)
        ).findings
    ] == names


@pytest.mark.parametrize(
    ("mode", "fires"),
    [(0o660, False), (0o600, False), (0o666, True), (0o662, True), (0o664, False)],
)
def test_socket_world_writable(mode: int, fires: bool) -> None:
    answer = judge(
        "security.socket-world-writable",
        sockets=EngineSockets((SocketFile("/run/docker.sock", mode, 0, 999),)),
    ).findings
    assert bool(list(answer)) is fires


def test_socket_of_a_remote_engine_does_not_apply() -> None:
    assert judge("security.socket-world-writable", sockets=EngineSockets(())).verdict == "skipped"


def test_an_engine_whose_place_is_not_known_is_not_taken_for_a_remote_one() -> None:
    unsaid = sockets.engine_sockets(
        Made({"endpoint": Failed("forbidden", "config.json")}), OUT_OF_REACH
    )
    assert unsaid == Unavailable("forbidden", "config.json")
    by_ssh = sockets.engine_sockets(Made({"endpoint": {"url": "ssh://far"}}), OUT_OF_REACH)
    assert by_ssh == EngineSockets(())
