"""resources.pids-exhausted: the engine at the limit of tasks of its own unit."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.cgroups import Pids
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.limits.host_limits import HostLimits, host_limits
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.run.options import Options
from diagnose.model import Failed, Json
from diagnose.questions import Question
from diagnose.questions.processes import Process
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

NOW = 1_800_000_000.0
CLOCK = Clock(NOW, 0.0)


@pytest.mark.parametrize(
    ("pids", "expected"),
    [
        (Pids(current=99, max=100, events_max=3), [("critical", "docker")]),
        (Pids(current=95, max=100, events_max=0), [("warning", "docker")]),
        (Pids(current=40, max=100, events_max=3), []),
        (Pids(current=24, max=31, events_max=3), [("critical", "docker")]),
        (Pids(current=24, max=31, events_max=0), []),
        (Pids(current=40, max=None), []),
    ],
)
def test_the_engine_at_the_limit_of_its_unit(pids: Pids, expected: object) -> None:
    limits = HostLimits(
        tasks=None, tasks_max=None, files=None, files_max=None, engines=(), engine_tasks=pids
    )
    result = judge(
        "resources.pids-exhausted",
        containers=of(),
        clock=CLOCK,
        options=Options(),
        host_limits=limits,
    )
    assert rows(result) == expected


@pytest.mark.parametrize(
    ("membership", "folder"),
    [
        ("9:memory:/a\n8:pids:/engine\n0::/\n", "/sys/fs/cgroup/pids/engine"),
        ("0::/system.slice/docker.service\n", "/sys/fs/cgroup/system.slice/docker.service"),
    ],
)
def test_the_tasks_of_the_engines_group_are_read(membership: str, folder: str) -> None:
    files = {
        "/proc/loadavg": "0 0 0 1/90 7",
        "/proc/70/cgroup": membership,
        f"{folder}/pids.current": "19\n",
        f"{folder}/pids.max": "25\n",
        f"{folder}/pids.events": "max 2\n",
    }

    def read(question: Question[Json]) -> Json | Failed:
        text = files.get(question.args["path"])
        return Failed("missing") if text is None else {"text": text}

    host = Made({"sysctl": {}, "file.read": read, "process": {"pid": 70, "comm": "dockerd"}})
    processes = Processes((Process(pid=70, comm="dockerd"),))
    limits = host_limits(host, processes)
    assert isinstance(limits, HostLimits)
    assert limits.engine_tasks == Pids(19, 25, 2)
