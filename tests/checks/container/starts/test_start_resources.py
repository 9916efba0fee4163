"""What a start lacks: device-missing, network-gone, runtime-limit-hit."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.gpu import TOOLKIT, GpuSupport, gpu_support
from diagnose.model import Json
from diagnose.questions import AnyQuestion
from tests.checks.container.evidence import (
    UNKNOWN,
    container_in,
    entrypoint_forbidden,
    entrypoint_missing,
    items,
    start_refused,
    summaries,
)
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

REFUSALS = {
    "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
    'exec: "/x": stat /x: no such file or directory: unknown': "entrypoint_missing",
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
    'unable to start container process: exec: "/x": permission denied': "entrypoint_forbidden",
    'error gathering device information while adding custom device "/dev/x": no such file or directory': "device_missing",
    'could not select device driver "" with capabilities: [[gpu]]': "device_missing",
    "failed to discover GPU vendor from CDI: no known GPU vendor found": "device_missing",
    "network shopnet not found": "network_gone",
    "failed to set up container networking: network shopnet not found": "network_gone",
    "failed to create shim task: OCI runtime create failed: runc create failed: systemd not running on this host, "
    "cannot use systemd cgroups manager: unknown": "runtime_limit_hit",
    "OCI runtime create failed: runc create failed: something new: unknown": "start_refused",
    "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error "
    "during container init: open /proc/sys/net/core/nosuch: no such file or directory: unknown": "start_refused",
    "unable to find user nosuch: no matching entries in passwd file": "start_refused",
    'exec: "docker-init": executable file not found in $PATH': "start_refused",
    "failed to initialize logging driver: invalid size: '-1'": "start_refused",
    "failed to initialize logging driver: dial tcp 127.0.0.1:24224: connect: connection refused": "",
    "driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is already allocated": "",
}


def runtime_limit_hit(containers: Containers) -> list[Any]:
    return items(judge("container.runtime-limit-hit", containers=containers, programs=UNKNOWN))


def device_missing(containers: Containers) -> list[Any]:
    return items(judge("container.device-missing", containers=containers))


def network_gone(containers: Containers) -> list[Any]:
    return items(judge("container.network-gone", containers=containers))


@pytest.mark.parametrize("error", REFUSALS)
@pytest.mark.parametrize("status", ["created", "exited"])
def test_a_refused_start_has_one_name(error: str, status: str):
    container = container_in(status, code=128, Path="/x", State={"Error": error})
    checks = (
        entrypoint_missing,
        entrypoint_forbidden,
        device_missing,
        network_gone,
        runtime_limit_hit,
        start_refused,
    )
    assert [check.__name__ for check in checks if summaries(check(of(container)))] == [
        REFUSALS[error]
    ] * bool(REFUSALS[error])


@pytest.mark.parametrize("ending", ["", ": unknown"])
def test_processors_that_the_host_does_not_have(ending: str):
    error = (
        "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
        'unable to start container process: unable to apply cgroup configuration: failed to write "0-63": write '
        "/sys/fs/cgroup/cpuset/docker/b9da7489abd7/cpuset.cpus: numerical result out of range"
    )
    container = container_in(
        "exited", code=128, State={"Error": error + ending}, HostConfig={"CpusetCpus": "0-63"}
    )
    (finding,) = runtime_limit_hit(of(container))
    assert (
        finding.summary
        == 'container "web" did not start: its cpuset 0-63 names CPUs that this host does not have'
    )
    assert finding.evidence["HostConfig.CpusetCpus"] == "0-63"
    assert summaries(start_refused(of(container))) == []


NVML = "OCI runtime create failed: nvidia-container-cli: initialization error: nvml error: driver/library version mismatch"


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [("critical", "web0")]),
        (2, [("critical", "web0"), ("critical", "web1")]),
        (3, [("critical", "docker")]),
    ],
)
def test_one_start_error_of_many_containers_is_one_finding(
    count: int, expected: list[tuple[str, str]]
):
    containers = [
        container_in("created", code=128, name=f"web{number}", State={"Error": NVML})
        for number in range(count)
    ]
    result = judge("container.device-missing", containers=of(*containers))
    assert rows(result) == expected
    assert all(finding.variables["stale_driver"] == "nvidia" for finding in result.findings)
    assert all("the NVIDIA driver was updated" in finding.summary for finding in result.findings)


NO_TOOLKIT = 'could not select device driver "" with capabilities: [[gpu]]'
GPUS: dict[str, tuple[GpuSupport | None, str, set[str]]] = {
    "a host without a GPU": (GpuSupport(), "no NVIDIA driver either", {"option"}),
    "a driver alone": (GpuSupport(driver=True), "at its start", {"option", "toolkit"}),
    "installed since": (GpuSupport(driver=True, toolkit=True), "installed since", {"unread"}),
    "not known": (None, "at its start", {"option"}),
}


@pytest.mark.parametrize(("gpu", "words", "variables"), GPUS.values(), ids=GPUS)
def test_an_engine_that_cannot_give_gpus(
    gpu: GpuSupport | None, words: str, variables: set[str]
) -> None:
    asks = container_in("created", code=128, name="trainer", State={"Error": NO_TOOLKIT})
    (finding,) = judge("container.device-missing", containers=of(asks), gpu=gpu).findings
    assert finding.summary.endswith(words)
    assert finding.variables.keys() & {"option", "toolkit", "unread"} == variables


def test_what_a_host_has_for_gpus() -> None:
    def stats(question: AnyQuestion) -> Json:
        return {
            path: {"failed": "" if path == TOOLKIT else "missing"}
            for path in question.args["paths"]
        }

    host = Made({"file.stats": stats})
    error = 'could not select device driver "" with capabilities: [[gpu]]'
    refused = of(container_in("created", code=128, State={"Error": error}))
    assert gpu_support(host, refused) == GpuSupport(toolkit=True)


def test_nobody_looks_for_gpus_where_none_was_refused():
    host = Made({})
    assert gpu_support(host, of(container_in("exited", code=1))) == GpuSupport()
    assert not host.asked


def _rule_refused(rule: str, **host_config: Any) -> Any:
    error = (
        "runc create failed: error setting cgroup config for procHooks process: failed to write "
        f'"{rule}": write /sys/fs/cgroup/devices/docker/1/devices.allow: operation not permitted'
    )
    refused = container_in("created", code=128, State={"Error": error}, HostConfig=host_config)
    (finding,) = runtime_limit_hit(of(refused))
    return finding.variables


def test_option_that_asks_for_a_forbidden_device_is_left_out() -> None:
    """An engine in a container: what the runtime gives of itself no option takes away."""
    tun = {"PathOnHost": "/dev/net/tun"}
    assert "limiting" not in _rule_refused("c 10:200 rwm", Devices=[tun])
    assert "limiting" not in _rule_refused("c 10:229 rwm")
    assert _rule_refused("c 10:229 rwm", Devices=[tun])["limiting"] == "device"
    assert _rule_refused("a *:* rwm", Privileged=True)["limiting"] == "privileged"
    assert _rule_refused("a *:* rwm")["rule"] == "a *:* rwm"
