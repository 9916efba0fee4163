"""What `ask` tells of containers that a question names and no finding is about."""

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Severity
from diagnose.symptoms.named_containers import facts_of, named_in, quiet
from diagnose.symptoms.user_question import read
from tests.inspected import container
from tests.reports import found

NOW = 1_795_000_000.0
CLOCK = Clock(wall=NOW, booted=0.0)
PLAYER = container(
    "media-player-1",
    State={
        "Status": "running",
        "Running": True,
        "StartedAt": "2026-11-18T08:26:40Z",
        "Health": {"Status": "healthy"},
    },
    NetworkSettings={
        "Ports": {"8096/tcp": [{"HostPort": "8096"}]},
        "Networks": {"media": {"Aliases": ["player"]}},
    },
)
BATCH = container(
    "batch", State={"Status": "exited", "Running": False, "FinishedAt": "2026-11-18T08:26:30Z"}
)


def test_a_service_is_known_by_its_name() -> None:
    assert named_in(read("player does not play"), [PLAYER, BATCH]) == (PLAYER,)
    assert named_in(read("the players do not play"), [PLAYER, BATCH]) == ()


@pytest.mark.parametrize(("severity", "is_told"), [("advice", True), ("warning", False)])
def test_a_container_with_a_loud_finding_needs_no_facts(severity: str, *, is_told: bool) -> None:
    finding = found("container.unhealthy", PLAYER.subject, severity=Severity[severity])
    assert bool(quiet([PLAYER], [finding])) == is_told


LOGS = {
    "complains": (["ready", "ERROR: cannot open /media: Input/output error"], "1 line of"),
    "works": (["GET /web 200", "GET /web 200"], "no line of its log of the last 5 min complains"),
    "silent": ([], "its log has no line of the last 5 min"),
}


@pytest.mark.parametrize(("texts", "expected"), LOGS.values(), ids=LOGS)
def test_what_its_log_says_now(texts: list[str], expected: str) -> None:
    lines = tuple(RecentLine(NOW - 20, text) for text in texts)
    facts = list(facts_of(PLAYER, RecentLogs({PLAYER.id: lines}), CLOCK))
    assert facts[0].startswith('container "media-player-1" has run for ')
    assert facts[0].endswith(", is healthy and publishes 8096/tcp")
    assert expected in facts[1]
    assert facts[2].endswith("docker logs --timestamps --since 24h media-player-1 | tail -50")


def test_one_that_has_ended_says_so_with_its_last_lines() -> None:
    facts = list(facts_of(BATCH, None, CLOCK))
    assert facts[0].startswith('container "batch" does not run: exited, ')
    assert facts[1] == "its last lines: docker logs --timestamps --tail 50 batch"


def test_a_log_that_was_not_read_is_not_called_quiet() -> None:
    logs = RecentLogs(unread={PLAYER.id: "timeout"})
    assert len(list(facts_of(PLAYER, logs, CLOCK))) == 1
