"""daemon.json and the command line.

Faults that keep the engine from starting, now or at its next start.
"""

import re
from collections.abc import Iterator, Sequence

from diagnose.evidence.engine.config import RELOADED, DaemonConfig, key_of
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.daemon_json.blame import PROTECTING
from diagnose.evidence.engine.daemon_json.faults import CONFLICT, ConfigFaults
from diagnose.evidence.engine.daemon_json.other_text import SETTINGS
from diagnose.evidence.engine.daemon_json.syntax import Fault
from diagnose.evidence.engine.info import Info, settings_in_force
from diagnose.evidence.engine.log import NO_LOG, DaemonLog, LogLine
from diagnose.evidence.machine.clock import Clock
from diagnose.model import DAEMON, CheckResult, Finding, Json, PageVariables, Severity, Skipped
from diagnose.phrases import agree, and_more, count, joined
from diagnose.registry import check

NO_DAEMON = "Podman answers here, which reads no daemon.json"


def _effect(daemon: Daemon) -> str:
    return "the engine cannot start" if daemon.is_down else "the next start of the engine will fail"


def _severity(daemon: Daemon) -> Severity:
    return Severity.critical if daemon.is_down else Severity.warning


@check("daemon.config-invalid", severity=Severity.critical)
def config_invalid(daemon: Daemon, config: ConfigFaults) -> CheckResult:
    """The engine refuses its configuration file.

    It is critical where the engine is dead. Where the engine runs, the file was edited since: a
    warning that the next start will fail. The installed engine's version counts. From 23.0 on its
    own --validate is asked: it knows syntax, keys and types, and not what a start finds only later
    (log options, runtimes, addresses). An empty file and a byte order mark stop 20.10 only. A
    missing file is not a fault, nor is a key that is there twice. All faults of one file are one
    finding: whoever edits the file corrects them together. A file that is not JSON at all is called
    by what it is: the page of a server in place of a download, a unit of systemd, YAML.
    """
    if daemon.is_podman:
        return Skipped(NO_DAEMON)
    if config.faults:
        yield Finding(
            subject=DAEMON,
            summary=f"{_faults_in_short(config)}; {_effect(daemon)}",
            evidence=_faults(config),
            variables={"path": config.path, **_mending_variables(config, is_down=daemon.is_down)},
            severity=_severity(daemon),
        )


def _faults(config: ConfigFaults) -> dict[str, Json]:
    """Each fault by its place, with dockerd's error, and the edits that correct them all."""
    evidence: dict[str, Json] = {}
    for fault in config.faults:
        evidence[_place_of_fault(config.path, fault)] = _fault_clause(fault)
    if config.refusal:
        evidence[config.source] = config.refusal
    elif config.validated and any(fault.stage != "value" for fault in config.faults):
        evidence["dockerd --validate"] = config.validated
    if config.version is not None:
        evidence["checked against engine"] = config.judged_for
    if config.file_repair is not None:
        edits = [str(edit) for edit in config.file_repair.edits]
        evidence["with these changes this engine takes the file"] = edits
    return evidence


def _mending_variables(config: ConfigFaults, *, is_down: bool) -> PageVariables:
    """The page variables that correct the file; a stopped engine is started after them."""
    if config.rewritten:
        return {"rewritten" if is_down else "rewritten_ahead": "daemon.config-invalid"}
    if config.form in SETTINGS:
        return {"unwritten": config.path}
    if config.form:
        return {"foreign": config.path} if is_down else {}
    if config.file_repair is not None:
        return {"repairs" if is_down else "edits": config.file_repair.sed}
    return {"repair": "daemon.config-invalid"} if is_down and removable_keys(config) else {}


def removable_keys(config: ConfigFaults) -> list[str]:
    """The keys without which the engine accepts the file; none where a fault is about another
    thing.

    For faults that need a decision: until then the engine can work without the key.
    """
    keys = {fault.key for fault in config.faults}
    is_known = all(key and "." not in key and key not in PROTECTING for key in keys)
    return sorted(keys) if is_known else []


def _faults_in_short(config: ConfigFaults) -> str:
    path = config.path
    faults = config.faults
    if config.form:
        return f"{path} is {config.form} and no JSON"
    if len(faults) == 1:
        return f"{_place_of_fault(path, faults[0])}: {_fault_clause(faults[0])}"
    names = and_more(fault.key or fault.message for fault in faults)
    return f"{path} has {count(len(faults), 'fault')}: {names}"


def _fault_clause(fault: Fault) -> str:
    return f"{fault.key}: {fault.message}" if fault.key else fault.message


def _place_of_fault(path: str, fault: Fault) -> str:
    column = f" column {fault.column}" if fault.column else ""
    return f"{path} line {fault.line}{column}" if fault.line else path


@check("daemon.config-flag-conflict", severity=Severity.critical)
def config_flag_conflict(
    daemon: Daemon, config: DaemonConfig, log: DaemonLog | None
) -> CheckResult:
    """A setting is both in the configuration file and on dockerd's command line.

    The engine refuses that even for equal values, and for lists and maps too; only runtimes may
    be in both (seen on engines 20.10, 26.1, 28.5). The classic is `hosts` beside the `-H fd://`
    of the unit. It is critical where the engine is dead, otherwise a warning that the next start
    will fail.
    """
    if daemon.is_podman:
        return Skipped(NO_DAEMON)
    log = NO_LOG if log is None else log
    refusal = conflict_of_last_start(log) if daemon.is_down else None
    keys = config.keys_in_both or refused_keys(refusal)
    if keys:
        is_removable = any(key in config.values for key in keys)
        repair = "dead" if daemon.is_down else "ahead"
        yield Finding(
            subject=DAEMON,
            summary=(
                f"{joined(keys)} {agree(keys, 'is', 'are')} set both in {config.path} and on "
                "dockerd's command line; "
                f"{_effect(daemon)}"
            ),
            evidence={**_both_values(config, keys), **log.evidence(refusal)},
            variables={
                "path": config.path,
                **({repair: "daemon.config-flag-conflict"} if is_removable else {}),
            },
            severity=_severity(daemon),
        )


def conflict_of_last_start(log: DaemonLog) -> LogLine | None:
    """The line with which the engine refused its last start for a setting that file and command
    line both have."""
    last = log.last_failure
    return last if last is not None and CONFLICT in last.text else None


def refused_keys(refusal: LogLine | None) -> list[str]:
    """The settings that the engine names, where the file was edited since."""
    text = refusal.text if refusal is not None else ""
    return re.findall(r"(?:file: |\), )([a-z0-9-]+): \(from flag", text)


def _both_values(config: DaemonConfig, keys: Sequence[str]) -> dict[str, Json]:
    """The values of these keys in the file and on the command line, as evidence."""
    values: dict[str, Json] = {
        f"{config.path} {key}": config.in_file(key) for key in keys if key in config.values
    }
    for flag, values_of_flag in config.flags.items():
        if key_of(flag) in keys:
            values[f"dockerd --{flag} ({config.source})"] = ", ".join(values_of_flag)
    return values


@check("daemon.config-not-applied", severity=Severity.advice)
def config_not_applied(
    daemon: Daemon, config: DaemonConfig, info: Info, clock: Clock
) -> CheckResult:
    """The configuration file was edited, but the engine still has the old values.

    Only values that /info shows are compared, and only where the file is younger than the engine's
    start. A file that was touched and has the same values is not a finding. Some settings follow a
    reload (SIGHUP), the others a restart.
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


def _differences(config: DaemonConfig, info: Info) -> Iterator[tuple[str, Json]]:
    """The keys whose values differ between file and engine, with both values."""
    for key, actual in settings_in_force(info).items():
        written_value = _as_in_force(key, config.in_file(key))
        is_comparable = written_value is not None and type(written_value) is type(actual)
        if is_comparable and written_value != actual:
            yield key, {"file": written_value, "engine": actual}


def _as_in_force(key: str, value: Json) -> Json:
    """A value of the file in the engine's form: without a slash at the end of a place."""
    if isinstance(value, list):
        return [str(place).rstrip("/") for place in value]
    if isinstance(value, str) and key == "data-root":
        return value.rstrip("/")
    return value
