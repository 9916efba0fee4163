"""Settings that the engine takes and with which containers cannot start."""

from __future__ import annotations

import re
from collections.abc import Mapping

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import DaemonLog
from diagnose.model import DAEMON, CheckResult, Finding, Json, Severity, Skipped
from diagnose.phrases import counted, joined
from diagnose.registry import check

ALWAYS_THERE = re.compile(r"io\.containerd\.|/")
"""Names of runtimes that need no entry: shims by their containerd name, and programs by their path (from engine 23.0)."""
UNKNOWN_RUNTIME = re.compile(r"[Uu]nknown (?:or invalid )?runtime|runtime not found in config")
NAMELESS = re.compile(r"wrong rlimit value: RLIMIT_(?:$|[^A-Z])")
"""runc names the limit behind the underscore; here nothing stands there."""


@check("daemon.runtime-missing", severity=Severity.critical, causes=["container.start-refused"])
def runtime_missing(daemon: Daemon, info: Info, containers: Containers, log: DaemonLog | None) -> CheckResult:
    """Containers ask for a runtime that the engine does not have.

    The entry under `runtimes` was lost with an edit of daemon.json, an upgrade, or a move to another host. Critical where such
    a container is down and the engine says so; a warning where it still runs, for its next start will fail. Names that need
    no entry (io.containerd..., a path) are not judged.
    """
    if daemon.is_podman:
        return Skipped("Podman answers here")
    if not info.runtimes:
        return Skipped("the engine does not list its runtimes")
    users: dict[str, list[Container]] = {}
    for container in containers:
        name = container.host_config.runtime
        if name and name not in info.runtimes and not ALWAYS_THERE.match(name):
            users.setdefault(name, []).append(container)
    for name, asking in users.items():
        running = [container for container in asking if container.is_running]
        refusal = _refusal(name, asking, log)
        down = [container for container in asking if refusal and not container.is_running]
        if not down and not running:
            continue
        effect = "cannot start" if down else "will not start again"
        evidence: dict[str, Json] = {
            "/info Runtimes": sorted(info.runtimes),
            "HostConfig.Runtime": name,
            **({"the engine": refusal} if down else {}),
        }
        yield Finding(
            subject=DAEMON,
            summary=f'runtime "{name}" is not registered with the engine: '
            f"{counted('container', [container.name for container in down or running])} {effect}",
            evidence=evidence,
            variables={
                "down": "\n".join(container.name for container in down),
                **({"nvidia": "docker"} if name == "nvidia" else {"runtime": name}),
            },
            discriminator=name,
            severity=Severity.critical if down else Severity.warning,
            touches=tuple(container.subject for container in asking),
        )
    return None


def _refusal(name: str, asking: list[Container], log: DaemonLog | None) -> str:
    """What the engine said when it refused a start for want of this runtime; "" if it did not."""
    texts = [container.state.error for container in asking] + [line.text for line in reversed(log.lines if log else ())]
    return next((text for text in texts if name in text and UNKNOWN_RUNTIME.search(text)), "")


@check("daemon.ulimits-unnamed", severity=Severity.critical, causes=["container.start-refused"])
def ulimits_unnamed(
    daemon: Daemon, config: DaemonConfig, containers: Containers | None, log: DaemonLog | None
) -> CheckResult:
    """A default limit without a name keeps every container from starting.

    The engine takes `default-ulimits` whose entries lack `Name`, and runc refuses the limit for each container (seen on engines 20.10,
    26.1 and 28.5). Critical once that was seen; a warning where no container was started since.
    """
    if daemon.is_podman:
        return Skipped("Podman answers here, which reads no daemon.json")
    limits = config.in_file("default-ulimits")
    nameless = sorted(key for key, limit in limits.items() if _has_no_name(limit)) if isinstance(limits, dict) else []
    if not nameless:
        return None
    refused = [container for container in containers or () if NAMELESS.search(container.state.error)]
    line = next((line for line in reversed(log.lines if log is not None else ()) if NAMELESS.search(line.text)), None)
    evidence: dict[str, Json] = {f"{config.path} default-ulimits.{key}": limits[key] for key in nameless}
    if refused:
        evidence["State.Error"] = refused[0].state.error
    elif line is not None and log is not None:
        evidence[f"{log.source} {line.place}".strip()] = line.text
    seen = bool(refused) or line is not None
    effect = "no container can start" if seen else "no container will start once the engine has read it"
    keys = joined([f'"{key}"' for key in nameless])
    yield Finding(
        subject=DAEMON,
        summary=f"default-ulimits {keys} in {config.path} has no Name: {effect}",
        evidence=evidence,
        variables={"path": config.path, "down": "\n".join(container.name for container in refused)},
        severity=Severity.critical if seen else Severity.warning,
        touches=tuple(container.subject for container in refused),
    )
    return None


def _has_no_name(limit: Json) -> bool:
    return isinstance(limit, Mapping) and not any(str(key).lower() == "name" and value for key, value in limit.items())
