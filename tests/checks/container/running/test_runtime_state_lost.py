"""container.runtime-state-lost: what runc has in its folder, and what runs."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.runtime_states import RuntimeStates, runtime_states
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import parse
from diagnose.model import Failed, Unavailable
from tests.checks.daemon.evidence import ALIVE
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

RUNS = {"Status": "running", "Running": True, "Pid": 812, "StartedAt": "2026-01-02T03:04:05Z"}
RUNC = {"Runtime": "runc"}
WEB = container("web", Id="a" * 64, State=RUNS, HostConfig=RUNC)
DB = container("db", Id="b" * 64, State=RUNS, HostConfig=RUNC)
ENDED = container("ended", Id="c" * 64, State={"Status": "exited"}, HostConfig=RUNC)
GPU = container("gpu", Id="d" * 64, State=RUNS, HostConfig={"Runtime": "nvidia"})


def folder(*names: str) -> dict[str, Any]:
    return {"entries": [{"name": name, "type": "folder"} for name in names]}


LINE = (
    'time="2026-01-02T03:05:05Z" level=error msg="Error running exec de9acb86 in container: '
    'OCI runtime exec failed: exec failed: container does not exist"'
)
REFUSED = DaemonLog(parse([LINE]), "journal docker.service")
FOLDERS = {
    "both are there": (folder(WEB.id, DB.id), set()),
    "one was removed": (folder(DB.id), {WEB.id}),
    "another engine's folder": (folder("e" * 64), set()),
    "an empty one": (folder(), set()),
    "no such folder": (Failed("missing", ""), set()),
    "closed to this user": (Failed("forbidden", ""), None),
}


@pytest.mark.parametrize(("answer", "lost"), FOLDERS.values(), ids=FOLDERS)
def test_the_records_of_runc(answer: Any, lost: set[str] | None) -> None:
    found = runtime_states(Made({"file.list": answer}), of(WEB, DB, ENDED, GPU), REFUSED)
    if lost is None:
        assert isinstance(found, Unavailable)
    else:
        assert found == RuntimeStates(frozenset(lost))


def test_nothing_is_asked_where_nothing_runs_or_nothing_was_refused() -> None:
    assert runtime_states(Made({}), of(ENDED, GPU), REFUSED) == RuntimeStates()
    assert runtime_states(Made({}), of(WEB, DB), DaemonLog((), "")) == RuntimeStates()
    assert runtime_states(Made({}), of(WEB, DB), None) == RuntimeStates()


def test_the_words_of_a_probe_are_enough() -> None:
    words = "OCI runtime exec failed: exec failed: container does not exist"
    health = {"Status": "unhealthy", "Log": [{"ExitCode": -1, "Output": words}]}
    probed = container("web", Id="a" * 64, State={**RUNS, "Health": health}, HostConfig=RUNC)
    found = runtime_states(Made({"file.list": folder(DB.id)}), of(probed, DB), None)
    assert found == RuntimeStates(frozenset({WEB.id}))


def test_the_container_without_a_record() -> None:
    states = RuntimeStates(frozenset({WEB.id}))
    result = judge(
        "container.runtime-state-lost", containers=of(WEB, DB), states=states, daemon=ALIVE
    )
    assert rows(result) == [("warning", "web")]
    assert result.findings[0].variables["pid"] == "812"
