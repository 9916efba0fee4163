"""Jobs of the host that call containers: the checks job-names-nobody and stopped-by-unit."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from diagnose.evidence.machine.cron_calls import (
    DockerUnit,
    DockerUnits,
    JobCall,
    JobCalls,
    NamedRun,
    NamedRuns,
)
from tests.checks.container.written import made
from tests.inspected import container, of
from tests.judging import judge, rows

FOUND = [("warning", "shop-web-1")]
NAMES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "underscores": ("shop_web_1", FOUND),
    "other letters": ("Shop-Web-1", FOUND),
    "the service": ("web", FOUND),
    "the name": ("shop-web-1", []),
    "another one": ("shop_cache_1", []),
}


@pytest.mark.parametrize(("target", "expected"), NAMES.values(), ids=NAMES)
def test_names(target: str, expected: list[tuple[str, str]]) -> None:
    call = JobCall("/etc/cron.d/shop", 3, "exec", target)
    result = judge(
        "container.job-names-nobody",
        job_calls=JobCalls((call,)),
        containers=of(made("web"), made("db")),
    )
    assert rows(result) == expected
    for finding in result.findings:
        assert finding.variables["edit"].startswith("3s/")


def test_two_containers_of_a_service() -> None:
    call = JobCall("/etc/cron.d/shop", 3, "exec", "web")
    second = container("shop-web-2", Config={"Labels": made("web").labels})
    result = judge(
        "container.job-names-nobody",
        job_calls=JobCalls((call,)),
        containers=of(made("web"), second),
    )
    assert rows(result) == []


BEGIN, LATER = "2026-01-01T10:00:00Z", "2026-01-01T12:00:00Z"
DOWN = {"Status": "exited", "Pid": 0, "ExitCode": 143, "StartedAt": BEGIN}
AT_ONCE = {**DOWN, "FinishedAt": "2026-01-01T10:00:10Z"}
UNIT = DockerUnit("/etc/systemd/system/web.service", "docker start web", "docker stop web", "web")
PROJECT = DockerUnit(
    "/etc/systemd/system/shop.service", "docker compose up -d", "docker compose down"
)


def test_units() -> None:
    def found(unit: DockerUnit, *containers: object) -> list[tuple[str, str]]:
        units, all_of = DockerUnits((unit,)), of(*containers)  # type: ignore[arg-type]
        return rows(judge("container.stopped-by-unit", docker_units=units, containers=all_of))

    assert found(UNIT, container("web", State=AT_ONCE)) == [("warning", "web")]
    assert found(UNIT, container("web", State={**DOWN, "FinishedAt": LATER})) == []
    assert found(UNIT, container("web")) == []
    assert found(UNIT) == found(PROJECT) == []
    assert found(replace(UNIT, is_enabled=True)) == [("warning", "host")]
    assert found(replace(PROJECT, is_enabled=True)) == [("warning", "host")]
    assert found(replace(PROJECT, is_enabled=True), made("web")) == []


TAKEN = NamedRun("/etc/systemd/system/core.service", "core", is_enabled=True)


def test_runs_under_a_name_that_is_taken() -> None:
    def found(run: NamedRun, *containers: object) -> list[tuple[str, str]]:
        runs, all_of = NamedRuns((run,)), of(*containers)  # type: ignore[arg-type]
        return rows(judge("container.run-name-taken", named_runs=runs, containers=all_of))

    left_behind = container("core", State=AT_ONCE)
    restarted = container("core", State=AT_ONCE, HostConfig={"RestartPolicy": {"Name": "always"}})
    assert found(TAKEN, left_behind) == [("warning", "core")]
    assert found(replace(TAKEN, is_enabled=False), left_behind) == [("advice", "core")]
    assert found(TAKEN, restarted) == [("advice", "core")]
    assert found(replace(TAKEN, path="/etc/cron.d/a", line=3), left_behind) == [("warning", "core")]
    assert found(TAKEN, container("core")) == found(TAKEN) == []
    assert found(replace(TAKEN, name="shop-core-1"), made("core", State=AT_ONCE)) == []
