"""What is said of starts that the engine refuses for lack of a chain, over made rulesets."""

from __future__ import annotations

import msgspec
import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.network.paths.packet_paths import PacketPaths
from diagnose.evidence.network.rules.lost_rules import LostRules, RuleRepair
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.rules.rule_flushes import RuleFlush, RuleFlushes
from diagnose.firewall.ruleset import assemble
from tests.checks.firewall.evidence import firewall, host_with, recorded_filter, uplinks, walked
from tests.inspected import container, of
from tests.judging import judge, rows

REFUSED = (
    "driver failed programming external connectivity on endpoint bind (e8d62): Unable to enable "
    "DNAT rule: (iptables failed: iptables --wait -t nat -A DOCKER -p tcp -d 0/0 --dport 53 -j DNAT "
    "--to-destination 172.17.0.2:53 ! -i docker0: iptables: No chain/target/match by that name.\n "
    "(exit status 1))"
)
EMPTY = Firewall(assemble(None, {"ip": "*nat\n:PREROUTING ACCEPT\nCOMMIT"}))
UNREAD = Firewall(msgspec.structs.replace(EMPTY.ruleset, unread=("iptables-legacy ip",)))
WITH_CHAIN = Firewall(assemble(None, {"ip": "*nat\n:PREROUTING ACCEPT\n:DOCKER -\nCOMMIT"}))


def bind(error: str) -> Container:
    state = {"Status": "created", "Pid": 0, "ExitCode": 128, "Error": error, "StartedAt": ""}
    return container("bind", State=state)


CASES = {
    "the chain is gone": (EMPTY, REFUSED, [("critical", "host")]),
    "the chain may be in a table that was not read": (UNREAD, REFUSED, []),
    "the chain is there": (WITH_CHAIN, REFUSED, []),
    "another error": (EMPTY, "address already in use", []),
    "another program's chain": (EMPTY, REFUSED.replace("DOCKER", "KUBE-SVC"), []),
}


@pytest.mark.parametrize(("firewall", "error", "expected"), CASES.values(), ids=CASES)
def test_a_start_without_its_chain(
    firewall: Firewall, error: str, expected: list[tuple[str, str]]
) -> None:
    judged = judge(
        "firewall.chains-missing",
        firewall=firewall,
        packet_paths=PacketPaths(),
        containers=of(bind(error)),
    )
    assert rows(judged) == expected


ENGINE_SAYS = (
    "Handler for POST /v1.51/networks/create returned error: Failed to Setup IP tables: Unable to "
    "enable ACCEPT OUTGOING rule:  (iptables failed: iptables --wait -t filter -A DOCKER-FORWARD "
    "-i br-c8699468fe56 -j ACCEPT: iptables: No chain/target/match by that name.\n (exit status 1))"
)


@pytest.mark.parametrize(
    ("chains", "said", "expected"),
    [
        (("filter DOCKER-FORWARD",), ENGINE_SAYS, [("critical", "host")]),
        (("filter DOCKER-FORWARD",), "", [("warning", "host")]),
        (("nat DOCKER",), ENGINE_SAYS, [("warning", "host")]),
        ((), ENGINE_SAYS, []),
    ],
    ids=["refused recently", "nobody has asked yet", "refused for another chain", "only rules"],
)
def test_chains_that_are_gone_where_other_rules_serve(
    chains: tuple[str, ...], said: str, expected: list[tuple[str, str]]
) -> None:
    made = host_with(recorded_filter("28.5", "healthy"))
    wall = firewall(made, uplinks(made))
    assert isinstance(wall, Firewall)
    repair = RuleRepair(
        command="",
        text="",
        missing=("filter: one",),
        stale=(),
        families=("ip",),
        ruleset=wall.ruleset,
        chains=chains,
    )
    judged = judge(
        "firewall.chains-missing",
        firewall=wall,
        packet_paths=walked(made)[1],
        lost_rules=LostRules(repair),
        log=DaemonLog((LogLine(None, "error", said),), "docker.log"),
    )
    assert rows(judged) == expected


IN_CRONTAB = RuleFlush(
    "/etc/cron.d/firewall", 1, "iptables -F", script="/srv/firewall.sh", is_repeated=True
)
IN_UNIT = RuleFlush("/etc/systemd/system/firewall.service", 5, "nft flush ruleset")
JOBS = {
    "a script of cron": (
        RuleFlushes((IN_CRONTAB,)),
        (
            "; line 1 of /etc/cron.d/firewall runs /srv/firewall.sh, which deletes all rules again "
            "and again (iptables -F)"
        ),
    ),
    "a unit": (
        RuleFlushes((IN_UNIT,)),
        "; line 5 of /etc/systemd/system/firewall.service deletes all rules (nft flush ruleset)",
    ),
    "no job": (RuleFlushes(()), "cannot reach the outside"),
    "unread jobs": (None, "cannot reach the outside"),
}


@pytest.mark.parametrize(("flushes", "end"), JOBS.values(), ids=JOBS)
def test_the_job_that_deletes_the_rules_is_named(flushes: RuleFlushes | None, end: str) -> None:
    made = host_with(recorded_filter("28.5", "filter-flushed"))
    wall = firewall(made, uplinks(made))
    judged = judge(
        "firewall.chains-missing", firewall=wall, packet_paths=walked(made)[1], flushes=flushes
    )
    assert end in judged.findings[0].summary
