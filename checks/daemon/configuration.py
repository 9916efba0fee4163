"""daemon.json and the command line.

What keeps the engine from starting, now or at its next start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from checks.daemon.blame import PROTECTING
from diagnose.evidence.engine.config import RELOADED, DaemonConfig, key_of
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.daemon_json.faults import CONFLICT, ConfigFaults
from diagnose.evidence.engine.daemon_json.syntax import Fault
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock
from diagnose.model import DAEMON, CheckResult, Finding, Json, Severity, Skipped
from diagnose.phrases import agree, and_more, count
from diagnose.registry import check

WHOLE = frozenset(
    {"log-opts", "runtimes", "default-ulimits", "features", "builder", "default-network-opts"}
)
"""Objects that are one setting; what any other object holds is a setting by itself (dockerd's
flattening)."""
NOT_COMPARED = frozenset({"runtimes", "config-file", "validate"})
NO_DAEMON = "Podman answers here, which reads no daemon.json"


def _effect(daemon: Daemon) -> str:
    return "the engine cannot start" if daemon.is_down else "the next start of the engine will fail"


def _severity(daemon: Daemon) -> Severity:
    return Severity.critical if daemon.is_down else Severity.warning


@check("daemon.config-invalid", severity=Severity.critical)
def config_invalid(daemon: Daemon, config: ConfigFaults) -> CheckResult:
    """The engine refuses its configuration file.

    Critical where the engine is dead. Where it lives the file was edited since: a warning that the
    next start will fail. Judged for the installed engine's version: from 23.0 on its own --validate
    is asked, which knows syntax, keys and types, and not what is only found later in a start (log
    options, runtimes, addresses); an empty file and a byte order mark stop 20.10 only. An absent
    file is no fault, nor are keys that stand twice. All faults of one file are one finding: whoever
    edits the file mends them together.
    """
    if daemon.is_podman:
        return Skipped(NO_DAEMON)
    if not config.faults:
        return None
    evidence: dict[str, Json] = {}
    for fault in config.faults:
        evidence[_where(config.path, fault)] = _described(fault)
    if config.refusal:
        evidence[config.source] = config.refusal
    elif config.validated and any(fault.stage != "value" for fault in config.faults):
        evidence["dockerd --validate"] = config.validated
    evidence["judged for engine"] = config.judged_for
    variables = {"path": config.path}
    if config.mending is not None:
        evidence["with these changes this engine takes the file"] = [
            str(edit) for edit in config.mending.edits
        ]
        variables["repairs" if daemon.is_down else "edits"] = config.mending.sed
    elif daemon.is_down and removable_keys(config):
        variables["repair"] = "daemon.config-invalid"
    yield Finding(
        subject=DAEMON,
        summary=f"{_faults_in_short(config.path, config.faults)}; {_effect(daemon)}",
        evidence=evidence,
        variables=variables,
        severity=_severity(daemon),
    )
    return None


def removable_keys(config: ConfigFaults) -> list[str]:
    """The keys without which the engine takes the file; none where a fault is about another thing.

    For faults that take a decision: until then the engine can work without the key.
    """
    keys = {fault.key for fault in config.faults}
    is_known = all(key and "." not in key and key not in PROTECTING for key in keys)
    return sorted(keys) if is_known else []


def _faults_in_short(path: str, faults: Sequence[Fault]) -> str:
    if len(faults) == 1:
        return f"{_where(path, faults[0])}: {_described(faults[0])}"
    names = and_more(fault.key or fault.message for fault in faults)
    return f"{path} has {count(len(faults), 'fault')}: {names}"


def _described(fault: Fault) -> str:
    return f"{fault.key}: {fault.message}" if fault.key else fault.message


def _where(path: str, fault: Fault) -> str:
    column = f" column {fault.column}" if fault.column else ""
    return f"{path} line {fault.line}{column}" if fault.line else path


@check("daemon.config-flag-conflict", severity=Severity.critical)
def config_flag_conflict(
    daemon: Daemon, config: DaemonConfig, log: DaemonLog | None
) -> CheckResult:
    """A setting is both in the configuration file and on dockerd's command line.

    The engine refuses that even for equal values, and for lists and maps too; only runtimes may
    stand in both (seen on engines 20.10, 26.1, 28.5). The classic is `hosts` beside the `-H fd://`
    of the unit. Critical where the engine is dead, otherwise a warning that the next start will
    fail.
    """
    if daemon.is_podman:
        return Skipped(NO_DAEMON)
    last = log.last_failure if log is not None and daemon.is_down else None
    refusal = last if last is not None and CONFLICT in last.text else None
    words = refusal.text if refusal is not None else ""
    keys = keys_in_both(config) or re.findall(r"(?:file: |\), )([a-z0-9-]+): \(from flag", words)
    if not keys:
        return None
    evidence: dict[str, Json] = {
        f"{config.path} {key}": config.in_file(key) for key in keys if key in config.values
    }
    for flag, values in config.flags.items():
        if key_of(flag) in keys:
            evidence[f"dockerd --{flag} ({config.source})"] = ", ".join(values)
    if log is not None:
        evidence |= log.evidence(refusal)
    yield Finding(
        subject=DAEMON,
        summary=f"{', '.join(keys)} in {config.path} and on dockerd's command line; {_effect(daemon)}",
        evidence=evidence,
        variables={
            "path": config.path,
            "dead" if daemon.is_down else "ahead": "daemon.config-flag-conflict",
        },
        severity=_severity(daemon),
    )
    return None


def keys_in_both(config: DaemonConfig) -> list[str]:
    """The settings that the file and the command line both have."""
    flags = {key_of(flag) for flag in config.flags} - NOT_COMPARED
    return sorted(set(_settings(config.values)) & flags)


def _settings(values: Mapping[str, Json]) -> Iterator[str]:
    for key, value in values.items():
        yield key
        if isinstance(value, dict) and key not in WHOLE:
            yield from value


@check("daemon.config-not-applied", severity=Severity.advice)
def config_not_applied(
    daemon: Daemon, config: DaemonConfig, info: Info, clock: Clock
) -> CheckResult:
    """The configuration file was edited, but the engine still has the old values.

    Only values that /info shows are compared, and only where the file is younger than the engine's
    start: a file that was touched and says the same is none. Some settings follow a reload
    (SIGHUP), the others a restart.
    """
    if daemon.is_podman:
        return Skipped(NO_DAEMON)
    if config.mtime is None or config.started is None or config.pid is None:
        return None
    edited_after = config.mtime - (clock.booted + config.started)
    if edited_after <= 1:
        return None
    stale = {key: values for key, values in _differences(config, info) if key not in config.flags}
    if not stale:
        return None
    needs = "a reload" if set(stale) <= RELOADED else "a restart"
    yield Finding(
        subject=DAEMON,
        summary=f"{', '.join(stale)} in {config.path} {agree(stale, 'is', 'are')} not in force",
        evidence=stale | {"needs": needs},
        variables={"path": config.path, "pid": str(config.pid)},
    )
    return None


def _differences(config: DaemonConfig, info: Info) -> Iterator[tuple[str, Json]]:
    """The keys of which file and engine both say something different, with both values."""
    registries = info.registry_config or {}
    in_force: dict[str, Json] = {
        "log-driver": info.logging_driver,
        "live-restore": info.live_restore_enabled,
        "debug": info.debug,
        "default-runtime": info.default_runtime,
        "labels": info.labels or [],
        "data-root": info.docker_root_dir,
        "storage-driver": info.driver,
        "registry-mirrors": [mirror.rstrip("/") for mirror in registries.get("Mirrors") or ()],
    }
    for key, actual in in_force.items():
        wanted = config.in_file(key)
        if isinstance(wanted, list):
            wanted = [str(item).rstrip("/") for item in wanted]
        if isinstance(wanted, str) and key == "data-root":
            wanted = wanted.rstrip("/")
        if wanted is not None and type(wanted) is type(actual) and wanted != actual:
            yield key, {"file": wanted, "engine": actual}
