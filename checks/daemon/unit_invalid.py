"""The files of docker.service and what the unit requires."""

from __future__ import annotations

from diagnose.evidence.engine.daemon import Daemon, Unit
from diagnose.evidence.engine.unit_files import UnitFiles
from diagnose.mappings import present
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped, Unavailable
from diagnose.registry import check


@check("daemon.unit-invalid", severity=Severity.critical)
def unit_invalid(daemon: Daemon, files: UnitFiles) -> CheckResult:
    """systemd refuses the engine's unit because of a drop-in.

    Most often a drop-in has a command of its own, but not the empty line `ExecStart=` before it
    that removes the unit's command; or only that empty line is left. A running engine keeps
    running: its next start fails, at the latest at the next boot.
    """
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    unit = daemon.installation.unit
    if unit is None or not unit.exists:
        return Skipped("this host has no docker.service")
    if not (files.is_refused or files.doubled or files.emptied):
        return None
    path = files.doubled or files.emptied
    yield Finding(
        subject=DAEMON,
        summary=f"{_effect(daemon, files)}: {_why(files, unit)}",
        evidence={
            "docker.service LoadState": unit.load_state,
            **present({"journal docker.service": files.words, "drop-in": path}),
        },
        variables={
            **present({"doubled": files.doubled, "emptied": files.emptied}),
            **({} if path else {"unit": "docker.service"}),
        },
        severity=None if daemon.is_down else Severity.warning,
    )
    return None


def _effect(daemon: Daemon, files: UnitFiles) -> str:
    if daemon.is_down and files.is_refused:
        return "systemd cannot start the engine"
    return "systemd will not be able to start the engine again"


def _why(files: UnitFiles, unit: Unit) -> str:
    if files.doubled:
        return (
            f"{files.doubled} adds a second command to its unit; the line `ExecStart=` that removes "
            "the first one is missing"
        )
    if files.emptied:
        return f"{files.emptied} removes the command of its unit and gives no other"
    return files.words or f"docker.service is {unit.load_state}"
