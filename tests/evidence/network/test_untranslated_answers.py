"""Answers over UDP that come to the host, and that no call of a container explains."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.containers import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.container_netns import Socket
from diagnose.evidence.network.sockets.untranslated_answers import untranslated_answers
from diagnose.evidence.network.uplinks import Uplink, Uplinks
from diagnose.model import Json
from diagnose.questions import Question
from tests.checks.network.evidence import container, links, namespaces_of
from tests.hosts import Made

NETBOOT = container("netboot")
OPEN = Socket("udp", "0.0.0.0", 50000)


def flow(src: str, dst: str, sport: int, dport: int, **more: Any) -> dict[str, Any]:
    return {
        "src": src, "dst": dst, "sport": sport, "dport": dport, "reply_src": dst, "status": [],
    } | more  # fmt: skip


CALL = flow("172.18.0.2", "192.0.2.80", 50000, 69)
ANSWER = flow("192.0.2.80", "192.0.2.10", 41000, 50000)
LOST = "ERROR tftp 192.0.2.80: request for pxelinux.0 timed out"
CASES: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], str, int | None]] = {
    "TFTP": ([ANSWER], [CALL], LOST, 69),
    "the call is forgotten": ([ANSWER], [], LOST, 0),
    "of a stranger": ([ANSWER | {"src": "198.51.100.9"}], [CALL], LOST, None),
    "to another port": ([ANSWER | {"dport": 50001}], [CALL], LOST, None),
    "answered": ([ANSWER | {"status": ["seen_reply"]}], [CALL], LOST, None),
    "of the host": ([ANSWER | {"src": "192.0.2.10"}], [CALL], LOST, None),
    "nobody complains": ([ANSWER], [CALL], "INFO waiting", None),
}


@pytest.mark.parametrize(("came", "called", "line", "port"), CASES.values(), ids=CASES)
def test_answers(
    came: list[dict[str, Any]], called: list[dict[str, Any]], line: str, port: int | None
) -> None:
    def table(question: Question[Any]) -> Json:
        of_host = question.args.get("dst") == "192.0.2.10"
        of_server = question.args.get("protocol") == "udp"
        of_server = of_server and question.args.get("dst") == "192.0.2.80"
        return {"loaded": True, "entries": came if of_host else called if of_server else []}

    logged = tuple(RecentLine(1000.0 + at, line) for at in range(3))
    found = untranslated_answers(
        Made({"conntrack": table}),
        Containers((NETBOOT,)),
        RecentLogs({NETBOOT.id: logged}),
        Clock(1010.0, 0.0),
        namespaces_of(NETBOOT, OPEN),
        links(),
        Uplinks((Uplink("eth0", "192.0.2.10"),)),
        None,
    )
    assert [answers.called_port for answers in found] == ([] if port is None else [port])
