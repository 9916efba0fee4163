"""container.runtime-limit-hit: processors that the host does not have, and quotas of keys."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.engine.daemon import Caller, Daemon, ProcessDetail
from diagnose.evidence.engine.daemon_processes import DaemonProcesses
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.limits.kernel_keys import KernelKeys, KeyQuota, parse_quotas
from diagnose.evidence.machine.processor import OnlineProcessors, processor_numbers
from diagnose.evidence.machine.real_time import RealTime, RealTimeEngine, real_time
from diagnose.model import Failed
from tests.checks.daemon.evidence import NAMED
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

DOWN: dict[str, Any] = {"State": {"Status": "exited", "Pid": 0, "ExitCode": 0}}


ALWAYS: dict[str, Any] = {"RestartPolicy": {"Name": "always"}}


@pytest.mark.parametrize(
    ("host", "state", "expected"),
    [
        pytest.param({"CpusetCpus": "0-7", **ALWAYS}, DOWN, [("critical", "web")], id="cpuset"),
        pytest.param({"CpusetCpus": "0-7"}, DOWN, [("advice", "web")], id="kept"),
        pytest.param({"CpusetCpus": "0,1", **ALWAYS}, DOWN, [], id="cpuset that fits"),
        pytest.param({"CpusetCpus": "0-7", **ALWAYS}, {}, [], id="it runs"),
        pytest.param({"NanoCpus": 4_000_000_000, **ALWAYS}, DOWN, [("critical", "web")], id="cpus"),
        pytest.param({"NanoCpus": 2_000_000_000, **ALWAYS}, DOWN, [], id="cpus that fit"),
    ],
)
def test_processors_that_are_not_there(
    host: dict[str, Any], state: dict[str, Any], expected: object
) -> None:
    result = judge(
        "container.runtime-limit-hit",
        containers=of(container("web", HostConfig=host, **state)),
        online=OnlineProcessors(processor_numbers("0-1"), "0-1"),
        info=Info(ncpu=2),
    )
    assert rows(result) == expected


def test_numbers_of_processors() -> None:
    assert processor_numbers("0-3,8\n") == {0, 1, 2, 3, 8}
    assert processor_numbers("") == frozenset()
    assert len(processor_numbers("0-99999999")) < 10_000


REAL_TIME = RealTimeEngine(76, 69, "SCHED_RR", "/sys/fs/cgroup/cpu/docker/cpu.rt_runtime_us", "0")
REFUSED: dict[str, Any] = {
    "Status": "created",
    "Pid": 0,
    "ExitCode": 128,
    "Error": "failed to create task for container: OCI runtime create failed: runc create failed: "
    "unable to apply cgroup configuration: write /sys/fs/cgroup/cpu/docker/3758/cgroup.procs: "
    "invalid argument",
}


@pytest.mark.parametrize(
    ("state", "engine", "expected", "variables"),
    [
        (DOWN, RealTime(REAL_TIME), [("critical", "docker")], {"idle_engine", "idle_containerd"}),
        ({}, RealTime(REAL_TIME), [], set()),
        (
            {"State": REFUSED},
            RealTime(REAL_TIME),
            [("critical", "docker")],
            {"real_time_engine", "real_time", "refused"},
        ),
        ({"State": REFUSED}, RealTime(), [("critical", "web")], {"container", "retry"}),
        ({}, RealTime(), [], set()),
    ],
    ids=[
        "before any start",
        "it starts containers all the same",
        "a refused start",
        "refused for another reason",
        "healthy",
    ],
)
def test_real_time_engine(
    state: dict[str, Any], engine: RealTime, expected: list[tuple[str, str]], variables: set[str]
) -> None:
    result = judge(
        "container.runtime-limit-hit", containers=of(container("web", **state)), real_time=engine
    )
    assert rows(result) == expected
    assert {name for finding in result.findings for name in finding.variables} == variables


def _engine(policy: int | None) -> Daemon:
    return Daemon(
        NAMED,
        Caller(),
        processes=DaemonProcesses(
            engine=ProcessDetail(pid=69), containerds=(ProcessDetail(pid=76, policy=policy),)
        ),
    )


@pytest.mark.parametrize(
    ("policy", "shares", "found"),
    [
        (2, {"docker"}, REAL_TIME),
        (0, {"docker"}, None),
        (0x40000002, {"docker"}, None),
        (None, {"docker"}, None),
        (2, set(), None),
    ],
    ids=["inherited", "ordinary", "not handed on", "not known", "kernel without shares"],
)
def test_policy_of_containerd(
    policy: int | None, shares: set[str], found: RealTimeEngine | None
) -> None:
    files = {f"/sys/fs/cgroup/cpu/{group}/cpu.rt_runtime_us": {"text": "0\n"} for group in shares}
    missing = Failed("missing", "no such file")
    host = Made({"file.read": lambda question: files.get(getattr(question, "path", ""), missing)})
    assert real_time(host, _engine(policy)).engine == found


KEY_USERS = """    0:   146 145/145 106/1000000 2270/25000000
100000:   201 201/201 200/200 2800/20000
"""


def test_quotas_of_keys() -> None:
    root, remapped = parse_quotas(KEY_USERS)
    assert root == KeyQuota(0, 106, 1_000_000, 2270, 25_000_000)
    assert (root.is_used_up, remapped.is_used_up) == (False, True)


def test_a_quota_of_keys_that_is_used_up() -> None:
    error = (
        "OCI runtime create failed: unable to join session keyring: unable to create session key: "
        "disk quota exceeded"
    )
    refused = container("web", State={"Status": "created", "ExitCode": 128, "Error": error, "Pid": 0, "StartedAt": ""})  # fmt: skip
    result = judge(
        "container.runtime-limit-hit",
        containers=of(refused),
        keys=KernelKeys(parse_quotas(KEY_USERS)[1:]),
    )
    (finding,) = result.findings
    assert finding.variables["keys"] == "kernel.keys.maxkeys=2000"
    assert finding.evidence["/proc/key-users"] == [
        "uid 100000: 200 of 200 keys, 2800 of 20000 bytes"
    ]


NO_KEY = "OCI runtime exec failed: unable to create session key: disk quota exceeded"


@pytest.mark.parametrize("is_refused", [False, True], ids=["probes alone", "a start too"])
def test_probes_that_are_refused_a_key(is_refused: bool) -> None:
    """The cure of a probe that fails is a restart, after which this container would be down."""
    probes = {
        "Status": "unhealthy",
        "FailingStreak": 3,
        "Log": [{"ExitCode": -1, "Output": NO_KEY}],
    }
    probed = [
        container(name, State={"Status": "running", "Pid": 7, "Health": probes})
        for name in ("api", "web")
    ]
    state = {"Status": "created", "ExitCode": 128, "Error": NO_KEY, "Pid": 0, "StartedAt": ""}
    refused = [container("job", State=state)] if is_refused else []
    result = judge(
        "container.runtime-limit-hit",
        containers=of(*refused, *probed),
        keys=KernelKeys(parse_quotas(KEY_USERS)[1:]),
    )
    (finding,) = result.findings
    told = {finding.subject.name, *(subject.name for subject in finding.touches)}
    assert {"api", "web"} <= told
    assert finding.variables["key_bytes"] == "kernel.keys.maxbytes=200000"


UNCLEAR = (
    "failed to create task for container: OCI runtime create failed: runc create failed: unable to "
    "start container process: error setting rlimits for ready process: error setting rlimit type "
    "{}: operation not permitted"
)
LIMITS = [
    {"Name": "nofile", "Hard": 65536, "Soft": 65536},
    {"Name": "memlock", "Hard": -1, "Soft": -1},
]
ULIMITS = {
    "unlimited memory to lock": (8, "the ulimit memlock (unlimited)", "ulimit=memlock"),
    "open files": (7, "the ulimit nofile (65536)", "ulimit=nofile"),
    "none of its own": (6, "a higher ulimit than the engine", "ulimit"),
}


@pytest.mark.parametrize(("number", "part", "limiting"), ULIMITS.values(), ids=ULIMITS)
def test_a_refused_ulimit_has_its_name(number: int, part: str, limiting: str) -> None:
    state = REFUSED | {"Error": UNCLEAR.format(number)}
    refused = container("web", State=state, HostConfig={"Ulimits": LIMITS})
    (finding,) = judge("container.runtime-limit-hit", containers=of(refused)).findings
    assert part in finding.summary
    assert finding.variables["limiting"] == limiting
