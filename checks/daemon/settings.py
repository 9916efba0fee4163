"""Settings that the engine takes and with which containers cannot start."""

import json
from collections.abc import Mapping

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.missing_runtimes import MissingRuntime, users_of_unknown_runtimes
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import DAEMON, CheckResult, Finding, Json, Severity, Skipped
from diagnose.phrases import joined, named
from diagnose.registry import check

UNKNOWN_RUNTIME = LazyPattern(r"[Uu]nknown (?:or invalid )?runtime|runtime not found in config")
NAMELESS = LazyPattern(r"wrong rlimit value: RLIMIT_(?:$|[^A-Z])")
"""Has no name of a limit behind the underscore, where runc writes one."""


@check("daemon.runtime-missing", severity=Severity.critical, causes=["container.start-refused"])
def runtime_missing(
    daemon: Daemon, info: Info, containers: Containers, log: DaemonLog | None
) -> CheckResult:
    """Containers ask for a runtime that the engine does not have.

    The entry under `runtimes` was lost with an edit of daemon.json, an upgrade, or a move to
    another host. It is critical where a container with this setting is down and the engine gives
    that reason; a warning where it still runs, for its next start will fail. Names that need no
    entry (io.containerd..., a path) are not judged.
    """
    if daemon.is_podman:
        return Skipped("Podman answers here")
    if not info.runtimes:
        return Skipped("the engine does not list its runtimes")
    for name, users in users_of_unknown_runtimes(containers, info.runtimes).items():
        missing = MissingRuntime(name, users, _refusal(name, users, log))
        if missing.affected:
            yield _runtime_finding(missing, sorted(info.runtimes))


def _runtime_finding(missing: MissingRuntime, registered: list[str]) -> Finding:
    name = missing.name
    is_refused = bool(missing.down)
    effect = "cannot start" if is_refused else "will not start again"
    container_names = named("container", names_of(missing.affected))
    cure = {"nvidia": "docker"} if name == "nvidia" else {"runtime": name}
    return Finding(
        subject=DAEMON,
        summary=f'runtime "{name}" is not registered with the engine: {container_names} {effect}',
        evidence={
            "/info Runtimes": registered,
            "HostConfig.Runtime": name,
            **present({"the engine": missing.refusal if is_refused else ""}),
        },
        variables={**present({"down": "\n".join(names_of(missing.down))}), **cure},
        discriminator=name,
        severity=Severity.critical if is_refused else Severity.warning,
        touches=subjects_of(missing.blocked),
    )


def _refusal(name: str, asking: list[Container], log: DaemonLog | None) -> str:
    """The engine's error when it refused a start for lack of this runtime; "" if it did not."""
    texts = [container.state.error for container in asking]
    texts += [line.text for line in reversed(log.lines if log is not None else ())]
    return next((text for text in texts if name in text and UNKNOWN_RUNTIME.search(text)), "")


@check("daemon.ulimits-unnamed", severity=Severity.critical, causes=["container.start-refused"])
def ulimits_unnamed(
    daemon: Daemon, config: DaemonConfig, containers: Containers | None, log: DaemonLog | None
) -> CheckResult:
    """A default limit without a name keeps every container from starting.

    The engine takes `default-ulimits` whose entries lack `Name`, and runc refuses the limit for
    each container (seen on engines 20.10, 26.1 and 28.5). It is critical once that was seen; a
    warning where no container was started since.
    """
    if daemon.is_podman:
        return Skipped("Podman answers here, which reads no daemon.json")
    nameless = _nameless_limits(config)
    if nameless:
        refused = [
            container for container in containers or () if NAMELESS.search(container.state.error)
        ]
        yield _ulimits_finding(config.path, nameless, refused, _logged_refusal(log))


def _ulimits_finding(
    path: str, nameless: dict[str, Json], refused: list[Container], logged: dict[str, str]
) -> Finding:
    """The finding about limits without a name. refused: the containers whose start failed. logged:
    a line of the engine's log about others."""
    refusal = {"State.Error": refused[0].state.error} if refused else logged
    effect = "no container can start"
    if not refusal:
        effect = "no container will start once the engine has read it"
    keys = joined([f'"{key}"' for key in nameless])
    return Finding(
        subject=DAEMON,
        summary=f"default-ulimits {keys} in {path} has no Name: {effect}",
        evidence={
            **{f"{path} default-ulimits.{key}": limit for key, limit in nameless.items()},
            **refusal,
        },
        variables={
            "path": path,
            "limits_json": json.dumps(
                {"default-ulimits": {key: {"Name": key} for key in nameless}}
            ),
            "down": "\n".join(names_of(refused)),
        },
        severity=Severity.critical if refusal else Severity.warning,
        touches=(DAEMON, *subjects_of(refused)),
    )


def _logged_refusal(log: DaemonLog | None) -> dict[str, str]:
    """The newest line of the engine's log about a limit without a name, by its place."""
    lines = reversed(log.lines if log is not None else ())
    line = next((line for line in lines if NAMELESS.search(line.text)), None)
    return log.evidence(line) if log is not None else {}


def _nameless_limits(config: DaemonConfig) -> dict[str, Json]:
    """The limits of the file that lack a name, by their key."""
    limits = config.in_file("default-ulimits")
    entries = sorted(limits.items()) if isinstance(limits, dict) else []
    return {key: limit for key, limit in entries if _has_no_name(limit)}


def _has_no_name(limit: Json) -> bool:
    if not isinstance(limit, Mapping):
        return False
    names = [value for key, value in limit.items() if str(key).lower() == "name"]
    return not any(names)
