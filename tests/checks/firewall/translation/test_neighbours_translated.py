"""The check in checks/firewall/translation/neighbours_translated.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.network.paths.wanted.wanted_paths import WantedPath, WantedPaths
from diagnose.evidence.network.paths.wanted.wants import Want
from diagnose.firewall.actions import Translate
from diagnose.firewall.flow import Stage, Trace
from diagnose.firewall.packet import Packet
from diagnose.firewall.verdict import PacketVerdict, Step
from tests.checks.network.evidence import network
from tests.inspected import container
from tests.judging import judge, rows

PLACE = {"IPAddress": "172.18.0.3", "Gateway": "172.18.0.1"}
APP = container("app", Id="a" * 64, NetworkSettings={"Networks": {"shop": PLACE}})
DB = container("db", Id="b" * 64, NetworkSettings={"Networks": {"shop": PLACE}})
HIDES = Translate("masquerade")
RULE = Step("ip nat", "POSTROUTING", "-j MASQUERADE")
OWN = Step("ip nat", "DOCKER", "-j MASQUERADE")
REFUSED = "(1130, \"Host '172.18.0.1' is not allowed to connect to this MySQL server\")"
OF_ANOTHER = REFUSED.replace("0.1'", "0.11'")
CASES = {
    "refused by the gateway's address": (RULE, HIDES, REFUSED, [("warning", "app")]),
    "by PostgreSQL": (
        RULE, HIDES, 'FATAL: no pg_hba.conf entry for host "172.18.0.1", user "a"',
        [("warning", "app")],
    ),
    "nobody is refused": (RULE, HIDES, "connected from 172.18.0.1", []),
    "another address is refused": (RULE, HIDES, OF_ANOTHER, []),
    "nothing is translated": (RULE, None, REFUSED, []),
    "the engine's own rule": (OWN, HIDES, REFUSED, []),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "snat", "line", "expected"), CASES.values(), ids=CASES)
def test_neighbours_behind_the_gateways_address(
    rule: Step, snat: Translate | None, line: str, expected: list[tuple[str, str]]
) -> None:
    packet = Packet(iif=None, oif=None, src=None, dst=None)
    verdict = PacketVerdict("accept", by=None, path=(), nat=snat, packet=packet, nat_by=rule)
    traced = Trace("accept", stages=(Stage("request", "postrouting", verdict),), snat=snat)
    want = Want(APP, "db", 3306, "environment", "DB_HOST")
    path = WantedPath(
        "between containers", want, network(), "172.18.0.3", 3306, traced, DB, bridged=True
    )
    result = judge(
        "firewall.neighbours-translated",
        wanted_paths=WantedPaths((path,)),
        recent_logs=RecentLogs({APP.id: (RecentLine(0.0, line),)}),
    )
    assert rows(result) == expected
