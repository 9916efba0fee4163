"""The files of docker.service and what the unit requires."""

from diagnose.evidence.engine.daemon import Daemon, Unit
from diagnose.evidence.engine.installed.installation import CONTAINERD_UNIT
from diagnose.evidence.engine.starting.unit_files import UnitFiles
from diagnose.evidence.engine.starting.unit_programs import UnstartableProgram, UnstartablePrograms
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped, Unavailable
from diagnose.model.subjects import DAEMON
from diagnose.registry import check


@check("daemon.unit-invalid", severity=Severity.critical)
def unit_invalid(
    daemon: Daemon, files: UnitFiles, programs: UnstartablePrograms | None
) -> CheckResult:
    """systemd cannot use the unit of the engine, or that of its containerd.

    Most often a drop-in has a command of its own, but not the empty line `ExecStart=` before it
    that removes the unit's command; or only that empty line is left. A running engine keeps
    running: its next start fails, at the latest at the next boot. Or the unit of an engine or of a
    containerd that is down names a program that is not there, as after an installation by hand
    whose unit was written for another folder (status 203/EXEC).
    """
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    unit = daemon.installation.unit
    if unit is None or not unit.exists:
        return Skipped("this host has no docker.service")
    if files.is_refused or files.doubled or files.emptied:
        yield _files_finding(daemon, files, unit)
    for program in programs or ():
        if program.found or program.unit == CONTAINERD_UNIT:
            yield _program_finding(program)


def _files_finding(daemon: Daemon, files: UnitFiles, unit: Unit) -> Finding:
    """The finding about a unit that systemd does not load, or will not load at the next reload."""
    path = files.doubled or files.emptied
    return Finding(
        subject=DAEMON,
        summary=f"{_effect(daemon, files)}: {_defect_clause(files, unit)}",
        evidence={
            "docker.service LoadState": unit.load_state,
            **present({"journal docker.service": files.words, "drop-in": path}),
        },
        variables={
            **present({"doubled": files.doubled, "emptied": files.emptied}),
            **present({"unit": "" if path else "docker.service"}),
        },
        severity=None if daemon.is_down else Severity.warning,
    )


def _program_finding(program: UnstartableProgram) -> Finding:
    """The finding about a unit whose program systemd cannot start."""
    name = "containerd" if program.unit == CONTAINERD_UNIT else "the engine"
    found_clause = f"; there is {program.found}" if program.found else ""
    return Finding(
        subject=DAEMON,
        summary=f"systemd cannot start {name}: its unit names the program {program.path}, which is "
        f"{_state(program)}{found_clause}",
        evidence={f"{program.unit} ExecStart": program.path, program.path: program.state},
        variables={**_program_cure(program), "owner": program.unit},
        discriminator=program.unit,
    )


def _state(program: UnstartableProgram) -> str:
    is_of_no_use = program.state in ("missing", "not executable")
    return program.state if is_of_no_use else f"a {program.state}"


def _program_cure(program: UnstartableProgram) -> PageVariables:
    if program.state == "not executable":
        return {"bare": program.path}
    if program.found and program.state == "missing":
        return {"absent": program.path, "found": program.found}
    return {"misplaced": program.path}


def _effect(daemon: Daemon, files: UnitFiles) -> str:
    if daemon.is_down and files.is_refused:
        return "systemd cannot start the engine"
    return "systemd will not be able to start the engine again"


def _defect_clause(files: UnitFiles, unit: Unit) -> str:
    if files.doubled:
        return (
            f"{files.doubled} adds a second command to its unit; the line `ExecStart=` that removes "
            "the first one is missing"
        )
    if files.emptied:
        return f"{files.emptied} removes the command of its unit and gives no other"
    return files.words or f"docker.service is {unit.load_state}"
