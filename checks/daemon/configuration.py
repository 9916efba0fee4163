"""daemon.json and the command line: what keeps the engine from starting, now or at its next start."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from diagnose.evidence.engine.config import DaemonConfig, key_of
from diagnose.evidence.engine.config_faults import CONFLICT, ConfigFaults
from diagnose.evidence.engine.config_keys import Fault
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock
from diagnose.model import DAEMON, Finding, Json, Severity, Skipped, Unavailable
from diagnose.registry import check

WHOLE = frozenset({"log-opts", "runtimes", "default-ulimits", "features", "builder", "default-network-opts"})
"""Objects that are one setting; what stands in any other object is a setting by itself (dockerd's flattening)."""
NOT_COMPARED = frozenset({"runtimes", "config-file", "validate"})
RELOADED = frozenset(
    {
        "debug", "labels", "live-restore", "insecure-registries", "registry-mirrors", "default-runtime", "runtimes", "features",
        "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "shutdown-timeout",
    }
)  # fmt: skip
"""What a SIGHUP applies; all else needs a restart."""
NO_DAEMON = "Podman answers here, which reads no daemon.json"


@check("daemon.config-invalid", severity=Severity.critical)
def config_invalid(daemon: Daemon, config: ConfigFaults) -> Iterable[Finding] | Skipped:
    """The engine refuses its configuration file.

    Critical where the engine is dead. Where it lives the file was edited since: a warning that the next start will
    fail. Judged for the installed engine's version: from 23.0 on its own --validate is asked, which knows syntax, keys
    and types, and not what is only found later in a start (log options, runtimes, addresses); an empty file and a
    byte order mark stop 20.10 only. An absent file is no fault, nor are keys that stand twice.
    """
    return Skipped(NO_DAEMON) if daemon.is_podman else _invalid(daemon, config)


def _invalid(daemon: Daemon, config: ConfigFaults) -> Iterator[Finding]:
    for fault in config.faults:
        where = _where(config.path, fault)
        evidence: dict[str, Json] = {where: fault.message}
        if config.said:
            evidence[config.source] = config.said
        elif config.validated and fault.stage != "value":
            evidence["dockerd --validate"] = config.validated
        evidence["judged for engine"] = config.version or "any version"
        effect = "the engine cannot start" if daemon.is_down else "the next start of the engine will fail"
        name = f"{fault.key}: " if fault.key else ""
        yield Finding(
            subject=DAEMON,
            summary=f"{where}: {name}{fault.message}; {effect}",
            evidence=evidence,
            variables={"path": config.path},
            discriminator=fault.key,
            severity=Severity.critical if daemon.is_down else Severity.warning,
        )


def _where(path: str, fault: Fault) -> str:
    column = f" column {fault.column}" if fault.column else ""
    return f"{path} line {fault.line}{column}" if fault.line else path


@check("daemon.config-flag-conflict", severity=Severity.critical)
def config_flag_conflict(daemon: Daemon, config: DaemonConfig, log: DaemonLog | Unavailable) -> Iterable[Finding]:
    """A setting is both in the configuration file and on dockerd's command line.

    The engine refuses that even for equal values, and for lists and maps too; only runtimes may stand in both (seen
    on engines 20.10, 26.1, 28.5). The classic is `hosts` beside the `-H fd://` of the unit. Critical where the engine
    is dead, otherwise a warning that the next start will fail.
    """
    if daemon.is_podman:
        return
    both = sorted(set(_settings(config.values)) & {key_of(flag) for flag in config.flags} - NOT_COMPARED)
    said = log.last_failure if isinstance(log, DaemonLog) and daemon.is_down else None
    words = said.text if said and CONFLICT in said.text else ""
    both = both or re.findall(r"(?:file: |\), )([a-z0-9-]+): \(from flag", words)
    if not both:
        return
    evidence: dict[str, Json] = {f"{config.path} {key}": config.in_file(key) for key in both if key in config.values}
    evidence |= {
        f"dockerd --{flag} ({config.source})": ", ".join(values)
        for flag, values in config.flags.items()
        if key_of(flag) in both
    }
    if words and said is not None and isinstance(log, DaemonLog):
        evidence[f"{log.source} {said.place}".strip()] = words
    effect = "the engine cannot start" if daemon.is_down else "the next start of the engine will fail"
    yield Finding(
        subject=DAEMON,
        summary=f"{', '.join(both)} in {config.path} and on dockerd's command line; {effect}",
        evidence=evidence,
        variables={"path": config.path},
        severity=Severity.critical if daemon.is_down else Severity.warning,
    )


def _settings(values: Mapping[str, Json]) -> Iterator[str]:
    for key, value in values.items():
        yield key
        if isinstance(value, dict) and key not in WHOLE:
            yield from value


@check("daemon.config-not-applied", severity=Severity.advice)
def config_not_applied(daemon: Daemon, config: DaemonConfig, info: Info, clock: Clock) -> Iterable[Finding] | Skipped:
    """The configuration file was edited, but the engine still has the old values.

    Only values that /info shows are compared, and only where the file is younger than the engine's start: a file
    that was touched and says the same is none. Some settings follow a reload (SIGHUP), the others a restart.
    """
    return Skipped(NO_DAEMON) if daemon.is_podman else _not_applied(config, info, clock)


def _not_applied(config: DaemonConfig, info: Info, clock: Clock) -> Iterator[Finding]:
    if config.mtime is None or config.started is None or config.pid is None:
        return
    edited_after = config.mtime - (clock.booted + config.started)
    if edited_after <= 1:
        return
    old = [(key, wanted, real) for key, wanted, real in _differences(config, info) if key not in config.flags]
    if not old:
        return
    keys = [key for key, _, _ in old]
    yield Finding(
        subject=DAEMON,
        summary=f"{', '.join(keys)} in {config.path} {'is' if len(keys) == 1 else 'are'} not in force",
        evidence={f"{key}": {"file": wanted, "engine": real} for key, wanted, real in old}
        | {"needs": "a reload" if set(keys) <= RELOADED else "a restart"},
        variables={"path": config.path, "pid": str(config.pid)},
    )


def _differences(config: DaemonConfig, info: Info) -> Iterator[tuple[str, Json, Json]]:
    """(key, what the file says, what the engine says) where both say something and it differs."""
    registries = info.registry_config or {}
    own = {
        "log-driver": info.logging_driver,
        "live-restore": info.live_restore_enabled,
        "debug": info.debug,
        "default-runtime": info.default_runtime,
        "labels": info.labels or [],
        "data-root": info.docker_root_dir,
        "storage-driver": info.driver,
        "registry-mirrors": [each.rstrip("/") for each in registries.get("Mirrors") or ()],
    }
    for key, real in own.items():
        wanted = config.in_file(key)
        if isinstance(wanted, list):
            wanted = [str(each).rstrip("/") for each in wanted]
        if isinstance(wanted, str) and key == "data-root":
            wanted = wanted.rstrip("/")
        if wanted is not None and type(wanted) is type(real) and wanted != real:
            yield key, wanted, real
