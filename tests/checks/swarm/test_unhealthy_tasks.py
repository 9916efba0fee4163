"""Tasks that swarm ends because their health check fails."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.checks.swarm.evidence import CLOCK, swarm_of
from tests.inspected import container, of
from tests.judging import judge

UNHEALTHY_TASK = {
    "ServiceID": "s",
    "Status": {
        "State": "failed",
        "Err": "task: non-zero exit (137): dockerexec: unhealthy container",
    },
}
REFUSED = "wget: can't connect to remote host (127.0.0.1): Connection refused"
PROBES: dict[str, tuple[str, int, float, str, str]] = {
    "it starts": (REFUSED, 3, 20, f"20 s after its start: {REFUSED}", "start_period"),
    "it has worked": (REFUSED, 3, 3600, f"fails: {REFUSED}", ""),
    "its probe cannot run": ("sh: curl: not found", 3, 20, '"curl", which the container does not', "unprobed"),
    "it prints nothing": ("", 3, 20, "prints nothing and exits with code 1", "start_period"),
    "it takes too long": ("Health check exceeded timeout (1s)", 3, 20, "its probe does not finish within 1 s", "slow"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("output", "streak", "ran", "said", "variable"), PROBES.values(), ids=PROBES
)
def test_tasks_that_are_ended_for_their_health(
    output: str, streak: int, ran: float, said: str, variable: str
) -> None:
    start, end = 1.8e9 - 60 - ran, 1.8e9 - 60
    probes = [
        {
            "Start": _time(end - 5 * number - 1),
            "End": _time(end - 5 * number),
            "ExitCode": -1 if "timeout" in output else 1,
            "Output": output,
        }
        for number in reversed(range(streak))
    ]
    task = container(
        name="web.1.x",
        Config={"Labels": {"com.docker.swarm.service.name": "web"}, "Healthcheck": {"Test": ["CMD-SHELL", "wget -q localhost"], "Interval": 5_000_000_000, "Timeout": 1_000_000_000}},
        State={"Status": "exited", "Running": False, "Pid": 0, "ExitCode": 137, "StartedAt": _time(start), "FinishedAt": _time(end), "Health": {"Status": "unhealthy", "FailingStreak": streak, "Log": probes}},
    )  # fmt: skip
    (finding,) = judge(
        "swarm.service-underreplicated",
        swarm=swarm_of({"Mode": {"Replicated": {"Replicas": 1}}}, [UNHEALTHY_TASK]),
        clock=CLOCK,
        containers=of(task),
    ).findings
    assert said in finding.summary
    assert variable in ("", *finding.variables)
    assert finding.variables.get("longer", "30s") == "30s"
    assert "start_period" not in finding.variables or variable == "start_period"


def test_a_node_elsewhere_knows_only_that_the_health_check_failed() -> None:
    (finding,) = judge(
        "swarm.service-underreplicated",
        swarm=swarm_of({"Mode": {"Replicated": {"Replicas": 1}}}, [UNHEALTHY_TASK]),
        clock=CLOCK,
    ).findings
    assert finding.summary.endswith("each task is ended because its health check fails")


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
