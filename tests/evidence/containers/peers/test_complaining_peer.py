"""What a server says while the program that calls it fails."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.repeated_errors import RepeatedError
from diagnose.evidence.containers.peers.complaining_peer import complaining_peer
from diagnose.programs.log_message import ERROR, INFO
from diagnose.programs.telling_line import TellingLine
from tests.checks.container.evidence import container_in

LINE = (
    "ERROR Number of alive brokers '1' does not meet the required replication factor '3' "
    "(configured via 'transaction.state.log.replication.factor')"
)
OTHERS = ["KAFKA_BROKER_ID=1", "KAFKA_LISTENERS=x", "KAFKA_ZOOKEEPER_CONNECT=y"]
WANTED = "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR"


@pytest.mark.parametrize(
    ("env", "variable"),
    [(OTHERS, WANTED), ([*OTHERS, f"{WANTED}=3"], ""), (OTHERS[:2], "")],
    ids=["not set", "set", "no image that makes settings of its variables"],
)
def test_the_variable_of_a_key_in_the_line(env: list[str], variable: str) -> None:
    broker = container_in("running", name="broker", Config={"Env": env})
    error = RepeatedError(broker, TellingLine(LINE), times=4, of=9, level=ERROR)
    complaint = complaining_peer((broker,), (error,))
    assert complaint is not None
    assert complaint.variable == variable
    assert 'container "broker", which it calls, says' in complaint.clause


@pytest.mark.parametrize(
    "line",
    [
        "ERROR Connection to node 1 (broker.shop.internal:9092) could not be established",
        "ERROR dial tcp: lookup broker.shop.internal: no such host",
    ],
)
def test_a_host_is_no_key_of_settings(line: str) -> None:
    broker = container_in("running", name="broker", Config={"Env": OTHERS})
    error = RepeatedError(broker, TellingLine(line), times=4, of=9, level=ERROR)
    complaint = complaining_peer((broker,), (error,))
    assert complaint is not None
    assert complaint.variable == ""


def test_who_says_nothing_of_the_kind() -> None:
    broker, other = (container_in("running", name=name) for name in ("broker", "other"))
    calm = RepeatedError(broker, TellingLine("all is well"), times=4, of=9, level=INFO)
    strange = RepeatedError(other, TellingLine(LINE), times=4, of=9, level=ERROR)
    assert complaining_peer((broker,), (calm, strange)) is None
    assert complaining_peer((), (strange,)) is None
