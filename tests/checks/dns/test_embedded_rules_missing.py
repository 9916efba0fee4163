"""The checks in checks/dns/embedded_rules_missing.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose import registry
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.daemon import Caller, Daemon, Endpoint
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces, Socket
from diagnose.model import DAEMON, Finding, Unavailable
from tests.checks.dns.evidence import (
    ANSWERS,
    UNKNOWN,
    V26,
    container,
    dns_host,
    subjects_and_severities,
)
from tests.judging import judge

DEAD = Daemon(Endpoint("unix:///var/run/docker.sock", "unix"), Caller(), Unavailable("refused", ""))


@pytest.mark.parametrize(
    ("who", "reply", "expected"),
    [
        (container("web", "shop"), "refused", ["container:web"]),
        (container("web", "shop"), "NOERROR", []),
        (container("web", "shop"), "silent", []),
        (container("web", "shop", HostConfig={"Runtime": "runsc"}), "refused", []),
    ],
    ids=["refused", "answers", "silent", "gVisor"],
)
def test_embedded_rules_missing(who: Container, reply: str, expected: list[str]) -> None:
    containers, _, answer, _ = dns_host((who, V26), replies={("127.0.0.11", False): reply})
    told = subjects_and_severities(
        judge(
            "dns.embedded-rules-missing", containers=containers, lookups=answer, daemon=ANSWERS
        ).findings
    )
    assert [subject for subject, _ in told] == expected


LISTENER = Socket("udp", "127.0.0.11", 41001)


TCP_ONLY = Socket("tcp", "127.0.0.11", 41001)


@pytest.mark.parametrize(
    ("sockets", "daemon", "words", "of_engine"),
    [
        ((LISTENER,), ANSWERS, "the rules that lead them to the engine", False),
        ((LISTENER,), DEAD, "the rules that lead them to the engine", False),
        ((), DEAD, "the engine's resolver does not listen there", True),
        ((), ANSWERS, "the engine's resolver does not listen there", True),
        ((TCP_ONLY,), ANSWERS, "the engine's resolver does not listen there", True),
        (None, ANSWERS, "the rules that lead them to the engine", False),
        (None, DEAD, "does not answer", True),
        (None, UNKNOWN, "does not answer", True),
    ],
)
def test_refused_without_a_listener_is_no_word_on_rules(
    sockets: tuple[Socket, ...] | None, daemon: Daemon | Unavailable, words: str, of_engine: bool
) -> None:
    who = container("web", "shop")
    containers, _, answer, _ = dns_host((who, V26), replies={("127.0.0.11", False): "refused"})
    known: dict[str, Any] = {} if isinstance(daemon, Unavailable) else {"daemon": daemon}
    if sockets is not None:
        known["namespaces"] = Namespaces(
            {who.id: ContainerNetns(who, 1, links=(), addresses=(), routes=(), listeners=sockets)}
        )
    (finding,) = judge(
        "dns.embedded-rules-missing", containers=containers, lookups=answer, **known
    ).findings
    assert isinstance(finding, Finding)
    assert words in finding.summary
    assert (DAEMON in finding.touches) == of_engine


def test_a_dead_engine_explains_resolvers_that_do_not_listen() -> None:
    check = registry.load()["dns.embedded-rules-missing"]
    assert {"daemon.not-running", "daemon.hung"} <= set(check.caused_by)
