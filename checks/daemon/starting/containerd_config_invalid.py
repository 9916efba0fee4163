"""The configuration file of containerd."""

from collections.abc import Mapping

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.log_lines import LogLine
from diagnose.evidence.engine.starting.containerd_config import ContainerdConfig
from diagnose.evidence.engine.starting.containerd_log import ContainerdLog
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped, Unavailable
from diagnose.registry import check

REFUSED = LazyPattern(
    r"failed to (?:load|unmarshal) TOML|unsupported config version|containerd config version"
)
"""Errors of containerd about a file that it cannot use (1.6.20, 1.7.24 and 2.1.9)."""


@check("daemon.containerd-config-invalid", severity=Severity.critical)
def containerd_config_invalid(
    daemon: Daemon, config: ContainerdConfig, log: ContainerdLog | None
) -> CheckResult:
    """containerd cannot read its configuration file.

    A bracket that is missing, a path without quotes, a table that is there twice, a version
    that this containerd does not know. A containerd that runs has read the file as it was: the next
    start of it or of the host fails. One that dockerd starts itself has another file.
    """
    why_not = _reason_not_to_judge(daemon)
    if why_not is not None:
        return why_not
    if daemon.processes.containerds:
        if config.error:
            yield _latent_fault_finding(config)
        return None
    refusal = _refusal(config, log)
    if refusal is not None or config.error:
        yield _refused_file_finding(config, refusal, {} if log is None else log.evidence(refusal))


def _reason_not_to_judge(daemon: Daemon) -> Skipped | Unavailable | None:
    """The reason why the file of containerd does not count here, or cannot be judged; None where
    it counts."""
    if not daemon.has_containerd:
        return Skipped("this engine has no containerd")
    if daemon.processes.managed is None and not daemon.uses_system_containerd:
        return Unavailable("missing", "dockerd's command line is not known")
    if not daemon.uses_system_containerd:
        return Skipped("dockerd starts its containerd itself, and writes its file")
    if daemon.processes.containerds is None:
        return Unavailable("missing", "the processes of this host cannot be seen")
    return None


def _refusal(config: ContainerdConfig, log: ContainerdLog | None) -> LogLine | None:
    """The line with which the last start refused the file, if the file is unchanged since."""
    last = log.last_failure if log is not None else None
    if last is None or not REFUSED.search(last.text) or config.is_mended_since(last.at):
        return None
    return last


def _refused_file_finding(
    config: ContainerdConfig, refusal: LogLine | None, log_line: Mapping[str, str]
) -> Finding:
    return Finding(
        subject=DAEMON,
        summary=f"containerd does not start: it cannot read {config.path}{_defect_clause(config, refusal)}",
        evidence={**log_line, **_as_read(config)},
        variables={"path": config.path, "refused": config.path},
    )


def _latent_fault_finding(config: ContainerdConfig) -> Finding:
    return Finding(
        subject=DAEMON,
        summary=f"containerd will not start again: it cannot read {config.path}{_defect_clause(config, None)}",
        evidence=_as_read(config),
        variables={"path": config.path, "line": str(config.line or 1)},
        severity=Severity.warning,
    )


def _defect_clause(config: ContainerdConfig, refusal: LogLine | None) -> str:
    """The clause about the defect of the file: its line and the error; "" where neither is
    known."""
    if config.error:
        return f": line {config.line}: {config.error}" if config.line else f": {config.error}"
    return f": {refusal.text.rpartition(': ')[2]}" if refusal is not None else ""


def _as_read(config: ContainerdConfig) -> dict[str, str]:
    return {f"{config.path} line {config.line}": config.error} if config.error else {}
