"""The check in checks/container/peers/service_not_started.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.ends.removals import Removal, Removals
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.phrases import unix
from diagnose.questions.compose import WrittenService
from tests.checks.container.written import made, project
from tests.inspected import of
from tests.judging import judge, rows

WORKER = WrittenService("worker", path="/srv/shop/compose.yaml", profiles=["full"])
CRITICAL, ADVICE = [("critical", "shop-worker-1")], [("advice", "shop-worker-1")]
GONE = Removal("shop-worker-1", labels={
    "com.docker.compose.project.working_dir": "/srv/shop", "com.docker.compose.service": "worker",
})  # fmt: skip
CASES: dict[str, tuple[list[str], bool, tuple[Removal, ...], list[tuple[str, str]]]] = {
    "its name fails": ([], True, (), CRITICAL),
    "an address": (["URL=http://worker:8080/"], False, (), ADVICE),
    "an address with a user": (["URL=amqp://a:b@worker/"], False, (), ADVICE),
    "a port": (["HOSTS=a:1,worker:8080"], False, (), ADVICE),
    "a word": (["ROLE=worker"], False, (), []),
    "a part of a name": (["URL=http://worker.example:80/ co-worker:8080"], False, (), []),
    "nobody": ([], False, (), []),
    "removed": ([], True, (GONE,), []),
}


def _judge(
    env: list[str], fails: bool, gone: tuple[Removal, ...], service: WrittenService = WORKER
) -> Any:
    web = made("web", Config={"Env": env})
    names = {web.id: (FailedName("worker", "bad address"),)} if fails else {}
    return judge(
        "container.service-not-started",
        written_projects=project(web, services=[WrittenService("web"), service]),
        containers=of(web),
        failed_names=FailedNames(names),
        removals=Removals(gone),
    )


@pytest.mark.parametrize(("env", "fails", "gone", "expected"), CASES.values(), ids=CASES)
def test_absent_service(
    env: list[str], fails: bool, gone: tuple[Removal, ...], expected: list[tuple[str, str]]
) -> None:
    assert rows(_judge(env, fails, gone)) == expected


def test_why_it_has_no_container() -> None:
    (finding,) = _judge(env=[], fails=True, gone=()).findings
    assert 'only with profile "full"' in finding.summary
    (finding,) = _judge(
        env=[], fails=True, gone=(), service=WrittenService("worker", scale="0")
    ).findings
    assert "is 0" in finding.summary
    (finding,) = _judge(env=[], fails=True, gone=(), service=WrittenService("worker")).findings
    assert "never started" in finding.summary


def test_a_service_that_is_off_on_purpose_is_quiet() -> None:
    env = ["URL=http://worker:8080/"]
    for service, is_quiet in (
        (WORKER, True),
        (WrittenService("worker", scale="0"), True),
        (WrittenService("worker"), False),
    ):
        (finding,) = _judge(env, fails=False, gone=(), service=service).findings
        assert finding.is_quiet is is_quiet
        (finding,) = _judge(env, fails=True, gone=(), service=service).findings
        assert not finding.is_quiet


WAITING = {"Status": "created", "Pid": 0}
HOUR, WEEK = "2026-01-01T11:00:00Z", "2025-12-25T11:00:00Z"
QUEUE, IDLE = WrittenService("queue"), WrittenService("queue", profiles=["full"])
GIVEN_UP: dict[str, tuple[WrittenService, dict[str, Any], list[tuple[str, str]]]] = {
    "none was started": (QUEUE, {"State": WAITING, "Created": HOUR}, [("warning", "shop-queue-1")]),
    "one runs": (QUEUE, {"Created": HOUR}, []),
    "long ago": (QUEUE, {"State": WAITING, "Created": WEEK}, []),
    "its number is a variable": (
        WrittenService("queue", scale="${QUEUES}"), {"State": WAITING, "Created": HOUR}, [],
    ),
    "it is off": (IDLE, {"State": WAITING, "Created": HOUR}, []),
}  # fmt: skip


@pytest.mark.parametrize(("service", "parts", "expected"), GIVEN_UP.values(), ids=GIVEN_UP)
def test_a_project_of_which_nothing_was_started(
    service: WrittenService, parts: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    web, db = made("web", **parts), made("db", State=WAITING, Created=HOUR)
    services = [WrittenService("web"), WrittenService("db"), service]
    result = judge(
        "container.service-not-started",
        written_projects=project(web, db, services=services),
        containers=of(web, db),
        clock=Clock(wall=unix("2026-01-01T12:00:00Z") or 0.0, booted=0.0),
    )
    assert rows(result) == expected


LIMITS: dict[str, tuple[WrittenService, int, list[tuple[str, str]]]] = {
    "more CPUs": (WrittenService("queue", cpus="4.0"), 2, [("warning", "shop-queue-1")]),
    "all CPUs": (WrittenService("queue", cpus="2"), 2, []),
    "CPUs of an unknown host": (WrittenService("queue", cpus="4.0"), 0, []),
    "a variable": (WrittenService("queue", cpus="${CPUS}", memory="${MEMORY}"), 2, []),
    "memory without a unit": (WrittenService("queue", memory="512"), 2, [("warning", "shop-queue-1")]),
    "memory": (WrittenService("queue", memory="512MB"), 2, []),
    "no limit of memory": (WrittenService("queue", memory="0"), 2, []),
    "a profile": (WrittenService("queue", cpus="4.0", profiles=["full"]), 2, []),
    "it runs": (WrittenService("web", cpus="4.0"), 2, []),
}  # fmt: skip


@pytest.mark.parametrize(("service", "cpus", "expected"), LIMITS.values(), ids=LIMITS)
def test_limits_that_no_engine_of_this_host_takes(
    service: WrittenService, cpus: int, expected: list[tuple[str, str]]
) -> None:
    web = made("web", Config={"Env": ["QUEUE=http://queue:8080/"]})
    services = [service] if service.name == "web" else [WrittenService("web"), service]
    result = judge(
        "container.service-not-started",
        written_projects=project(web, services=services),
        containers=of(web),
        info=Info(ncpu=cpus),
    )
    found = [row for row in rows(result) if row[0] != "advice"]
    assert found == expected


_CREATED = unix(HOUR) or 0.0
LARGER: dict[str, tuple[WrittenService, float, list[tuple[str, str]]]] = {
    "left out": (WrittenService("train", cpus="64"), _CREATED - 60, [("advice", "shop-train-1")]),
    "added": (WrittenService("train", cpus="64"), _CREATED + 60, [("warning", "shop-train-1")]),
    "refused by each host": (WrittenService("train", memory="512"), _CREATED - 60, [("warning", "shop-train-1")]),
}  # fmt: skip


@pytest.mark.parametrize(("service", "changed", "expected"), LARGER.values(), ids=LARGER)
def test_a_service_for_larger_hosts_that_nobody_calls(
    service: WrittenService, changed: float, expected: list[tuple[str, str]]
) -> None:
    web = made("web", Created=HOUR)
    changes = {"/srv/shop/compose.yaml": changed}
    result = judge(
        "container.service-not-started",
        written_projects=project(web, services=[WrittenService("web"), service], changed=changes),
        containers=of(web),
        info=Info(ncpu=2),
    )
    assert rows(result) == expected


def test_a_container_that_has_the_name() -> None:
    web = made("web", Config={"Env": ["URL=http://worker:8080/"]})
    worker = made("worker")
    projects = project(web, worker, services=[WrittenService("web"), WORKER])
    result = judge(
        "container.service-not-started", written_projects=projects, containers=of(web, worker)
    )
    assert rows(result) == []
