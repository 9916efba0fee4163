"""The checks in checks/firewall/published/fronts.py."""

from __future__ import annotations

from diagnose.evidence.network.rules.packet_filter import Firewall, firewall
from diagnose.model import Failed, Unavailable, Verdict
from tests.checks.firewall.evidence import finding_rows, host_with, recorded_filter, results_of
from tests.judging import judge, rows


def test_legacy_tables_that_cannot_be_read_may_be_a_mix() -> None:
    made = host_with(recorded_filter("28.5", "healthy"))
    before = made.answers["iptables"]
    made.answers["iptables"] = (
        lambda question: (
            Failed("forbidden", "no root")
            if question.args["flavour"] == "legacy"
            else before(question)
        )  # type: ignore[operator]
    )
    wall = firewall(made, Unavailable("missing"))
    assert isinstance(wall, Firewall)
    (left_out,) = judge("firewall.backend-mixed", firewall=wall).unexamined
    assert left_out.why == "iptables-legacy ip could not be read"


def test_docker_s_rules_are_not_called_gone_where_they_may_stand_unread() -> None:
    recorded = recorded_filter("28.5", "healthy")
    recorded["nftables"] |= {"tables": [], "chains": [], "rules": [], "sets": []}
    recorded["iptables_nft"] = {}
    made = host_with(recorded)
    assert any("chains-missing" in finding for finding in finding_rows(results_of(made))), (
        "they are, where all could be read"
    )
    made.answers["iptables"] = lambda question: (
        Failed("refused", "no more processes")
        if question.args["flavour"] == "legacy"
        else {"text": "", "command": None}
    )
    said = results_of(made)
    assert said["chains-missing"].verdict is Verdict.UNKNOWN
    assert "the tables of iptables-legacy ip could not be read" in said["chains-missing"].why
    assert not finding_rows(said)


def test_an_empty_ruleset_is_no_mix() -> None:
    made = host_with(recorded_filter("20.10", "healthy"))
    text = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
    before = made.answers["iptables"]
    made.answers["iptables"] = (
        lambda question: (
            {"text": text, "command": None}
            if question.args["flavour"] == "legacy"
            else before(question)
        )  # type: ignore[operator]
    )
    wall = firewall(made, Unavailable("missing"))
    assert isinstance(wall, Firewall)
    assert rows(judge("firewall.backend-mixed", firewall=wall)) == []
