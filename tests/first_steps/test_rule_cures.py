"""What the page's commands are for a rule that somebody else has written."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.first_steps.network.rule_cures import unban

BANS = {
    "a ban": (
        Step(
            "ip filter", "f2b-web", "-s 10.0.0.2/32 -j REJECT --reject-with icmp-port-unreachable"
        ),
        {"jail": "web", "banned": "10.0.0.2", "verdict": "REJECT", "ban_chain": "f2b-web"},
    ),
    "another rule of its chain": (Step("ip filter", "f2b-web", "-j RETURN"), {}),
    "another chain": (Step("ip filter", "INPUT", "-s 10.0.0.2/32 -j DROP"), {}),
    "no rule": (Step(table="", chain="", rule="routing"), {}),
}


@pytest.mark.parametrize(("by", "wanted"), BANS.values(), ids=BANS)
def test_a_ban_is_lifted(by: Step, wanted: dict[str, str]) -> None:
    cure = unban(by)
    assert {name: cure[name] for name in wanted} == wanted
    assert bool(cure) is bool(wanted)
