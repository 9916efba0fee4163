"""The check in checks/firewall/published/closed_to_public.py, and what its evidence reads."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.network.paths.packet_paths import ConnectionVerdict, PacketPaths, Step
from diagnose.evidence.network.paths.published.inbound_paths import InboundPath
from diagnose.evidence.network.paths.published.privately_open import (
    PrivatelyOpen,
    PrivatelyOpenPorts,
    _why_unmaintained,
)
from diagnose.evidence.network.uplinks import Uplink
from diagnose.model import Failed, Json
from diagnose.questions import Question
from tests.checks.network.evidence import network
from tests.hosts import Made
from tests.inspected import container
from tests.judging import judge, rows

BY = Step("ip filter", "ufw-docker-logging-deny", "-j DROP")
OPEN = ConnectionVerdict("accept")
CLOSED = ConnectionVerdict("drop", by=BY, hook="forward")
WEB = container("web", NetworkSettings={"Networks": {"shop": {"IPAddress": "10.2.0.3"}}})
INBOUND = InboundPath(
    WEB, network("shop", "10.2.0.0/24", "10.2.0.1"), frozenset({"10.2.0.3"}), "80/tcp", "0.0.0.0",
    8080, True, Uplink("eth0", "192.0.2.10"), ConnectionVerdict("unknown"), CLOSED, OPEN,
)  # fmt: skip
GONE = "no file in /etc/ufw has them"
CASES = {
    "left over": ({"left_over": GONE}, ("warning", "host"), False, {"program"}),
    "in use": ({}, ("advice", "host"), False, {"address", "container_port", "proto"}),
    "others are open": (
        {"has_open_neighbours": True},
        ("advice", "host"),
        True,
        {"address", "container_port", "proto"},
    ),
    "rules of somebody else": ({"is_of_ufw": False}, ("advice", "host"), True, set()),
}


@pytest.mark.parametrize(("facts", "expected", "is_quiet", "variables"), CASES.values(), ids=CASES)
def test_closed_to_public(
    facts: dict[str, object], expected: tuple[str, str], is_quiet: bool, variables: set[str]
) -> None:
    usual = {"is_of_ufw": True, "left_over": "", "dropped": 3, "has_open_neighbours": False}
    closed = PrivatelyOpen(BY, (INBOUND,), **{**usual, **facts})  # type: ignore[arg-type]
    result = judge(
        "firewall.closed-to-public",
        ports=PrivatelyOpenPorts((closed,)),
        packet_paths=PacketPaths(inbound_paths=(INBOUND,)),
    )
    (finding,) = result.findings
    assert rows(result) == [expected]
    assert finding.is_quiet is is_quiet
    assert set(finding.variables) == variables


RULES = "*filter\n-A DOCKER-USER -j ufw-user-forward\nCOMMIT\n"
PLAIN = "*filter\nCOMMIT\n"
ENABLED, DISABLED = "ENABLED=yes\n", "# ufw\nENABLED=no\n"
FILES: dict[str, tuple[dict[str, str], str]] = {
    "in use": ({"ufw.conf": ENABLED, "after.rules": RULES}, ""),
    "in another of its files": ({"ufw.conf": ENABLED, "before.rules": RULES}, ""),
    "written by its script": ({"ufw.conf": ENABLED, "after.init": "iptables -F DOCKER-USER"}, ""),
    "uninstalled": ({"ufw.conf": ENABLED, "after.rules": PLAIN}, GONE),
    "disabled": ({"ufw.conf": DISABLED, "after.rules": RULES}, "ufw is disabled"),
    "purged": ({}, "ufw is not installed"),
    "kept by another program": ({"/etc/iptables/rules.v4": RULES}, ""),
}


@pytest.mark.parametrize(("files", "expected"), FILES.values(), ids=FILES)
def test_left_over(files: dict[str, str], expected: str) -> None:
    paths = {name if "/" in name else f"/etc/ufw/{name}": text for name, text in files.items()}

    def read(question: Question[Any]) -> Json | Failed:
        text = paths.get(str(question.args["path"]))
        return Failed("missing", "") if text is None else {"text": text}

    entries = [{"name": name, "type": "file"} for name in files if "/" not in name]
    made = Made({"file.read": read, "file.list": {"entries": entries, "truncated": False}})
    assert _why_unmaintained(made) == expected
