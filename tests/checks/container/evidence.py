"""Evidence that several files of this family share."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.bind_mounts import BindSources
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.model import Finding, Result, Unavailable, Unexamined
from tests.inspected import container
from tests.judging import judge

NOW = 1_800_000_000.0


CLOCK = Clock(NOW, NOW - 90 * 86400)


OPTIONS = Options()


UNKNOWN = Unavailable("forbidden", "not root")


QUIET = LogTails({}, {})


PROXIED = (
    "2026-11-27 10:00:0{} ERROR (MainThread) [homeassistant.components.http.forwarded] A request from a "
    "reverse proxy was received from 10.0.0.3, but your HTTP integration is not set-up for reverse proxies"
)


def moment(age: float) -> str:
    """The moment `age` seconds ago as the engine writes it."""
    return datetime.fromtimestamp(NOW - age, UTC).isoformat().replace("+00:00", "Z")


def container_in(
    status: str,
    *,
    code: int = 0,
    ran: float = 1.0,
    age: float = 60.0,
    name: str = "web",
    **parts: Any,
) -> Container:
    """A container in this state; it ended `age` seconds ago after `ran` seconds, or runs for `age`
    seconds."""
    running = status in ("running", "paused")
    states: dict[str, Any] = {"Status": status, "Pid": 100 if running else 0, "ExitCode": code}
    states["StartedAt"] = moment(age if running else age + ran)
    states["FinishedAt"] = moment(age)
    states.update(parts.pop("State", {}))
    return container(
        name, State=states, **{"Id": hashlib.sha256(name.encode()).hexdigest(), **parts}
    )


def restart_policy(name: str, most: int = 0) -> dict[str, Any]:
    return {"HostConfig": {"RestartPolicy": {"Name": name, "MaximumRetryCount": most}}}


def events_of(
    container: Container, *rows: tuple[float, str, dict[str, str]], full: bool = False
) -> Events:
    """Events of a container: age in seconds, action, attributes; oldest first."""
    listed = [
        Event(NOW - age, "container", action, "", container.id, attributes)
        for age, action, attributes in rows
    ]
    return Events(tuple(listed), listed[0].at if full else None)


def log_of(container: Container, *lines: str) -> LogTails:
    return LogTails({container.id: LogTail(lines)}, {})


def items(result: Result) -> list[Finding | Unexamined]:
    """The findings of a check, and what it could not examine."""
    return [*result.findings, *result.unexamined]


def summaries(result: Result | list[Finding | Unexamined]) -> list[tuple[str, str]]:
    """(severity, summary) of each finding."""
    found = result if isinstance(result, list) else items(result)
    return [
        (finding.severity.name if finding.severity else "-", finding.summary)
        for finding in found
        if isinstance(finding, Finding)
    ]


def exit_event(age: float, code: int = 3) -> tuple[float, str, dict[str, str]]:
    return (age, "die", {"exitCode": str(code)})


def swarm_task(
    slot: str, number: int, status: str = "exited", code: int = 1, age: float = 60
) -> Container:
    labels = {
        "com.docker.swarm.service.name": "shop_web",
        "com.docker.swarm.task.name": f"{slot}.{number:x}",
    }
    return container_in(
        status, code=code, age=age, name=f"{slot}.{number:x}", Config={"Labels": labels}
    )


COMPOSE = {"com.docker.compose.project": "shop", "com.docker.compose.service": "api"}


EARLY = container_in("exited", code=1)


def start_refused(containers: Containers) -> list[Any]:
    return items(
        judge("container.start-refused", containers=containers, bind_sources=BindSources({}))
    )


def entrypoint_missing(containers: Containers) -> list[Any]:
    return items(
        judge("container.entrypoint-missing", containers=containers, programs=Programs({}))
    )


def entrypoint_forbidden(containers: Containers) -> list[Any]:
    return items(
        judge(
            "container.entrypoint-forbidden",
            containers=containers,
            programs=UNKNOWN,
            mounts=UNKNOWN,
        )
    )


RUNS = container_in("running")


FOUND = [("critical", "web")]


ON_SHOP: dict[str, Any] = {"NetworkSettings": {"Networks": {"shop": {"IPAddress": "172.18.0.2"}}}}


def failed_with_log(*lines: str, **parts: Any) -> tuple[Container, LogTails]:
    """A container that failed a minute ago, and its log."""
    container = container_in("exited", code=1, **parts)
    return container, LogTails({container.id: LogTail(lines)}, {})
