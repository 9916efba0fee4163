"""The programs that the units of the engine and of its containerd start, where they cannot be."""

import posixpath
from collections.abc import Mapping

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.installed.installation import CONTAINERD_UNIT
from diagnose.evidence.engine.starting.unfound_programs import FOLDERS
from diagnose.evidence.items import Items
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.questions.service import Unit
from diagnose.registry import evidence

_EXECUTABLE = 0o111


class UnstartableProgram(msgspec.Struct, frozen=True):
    """The program of a unit that systemd cannot start."""

    unit: str
    path: str
    """The path in the unit."""
    state: str
    """The state of the path: "missing", "not executable", or the type of what is not a file."""
    found: str = ""
    """The path of a program of that name; "" where the usual folders have none."""


class UnstartablePrograms(Items[UnstartableProgram], frozen=True):
    """The programs that systemd cannot start, one for each unit; empty where all programs run."""


@evidence
def unit_programs(host: Host, daemon: Daemon) -> UnstartablePrograms | Unavailable:
    """The programs of units that systemd cannot start, where the engine or containerd is down.

    One question for each unit. A dangling link is missing: systemd follows it.
    """
    programs = []
    for name, unit in _units_down(daemon).items():
        file = posixpath.basename(unit.program)
        paths = [f"{folder}/{file}" for folder in FOLDERS]
        answer = host.ask(StatPaths([unit.program, *paths]))
        if isinstance(answer, Failed):
            return Unavailable.of(answer)
        state = _why_unstartable(answer.get(unit.program))
        if state:
            programs.append(UnstartableProgram(name, unit.program, state, _program(paths, answer)))
    return UnstartablePrograms(tuple(programs))


def _units_down(daemon: Daemon) -> dict[str, Unit]:
    """By name, the units that systemd has read, whose process does not live."""
    installation = daemon.installation
    processes = daemon.processes
    units = {}
    if daemon.is_down and processes.engine is None:
        units[installation.unit_name] = installation.unit
    if processes.containerds == () and daemon.uses_system_containerd:
        units[CONTAINERD_UNIT] = installation.containerd_unit
    return {
        name: unit
        for name, unit in units.items()
        if unit is not None and unit.exists and unit.program.startswith("/")
    }


def _why_unstartable(status: PathStatus | None) -> str:
    """The reason why systemd cannot start the file; "" where it can, or where that is not known."""
    if status is None or status.failed:
        return "missing" if status is not None and status.failed == "missing" else ""
    if status.type != "file":
        return status.type
    return "" if status.mode & _EXECUTABLE else "not executable"


def _program(paths: list[str], statuses: Mapping[str, PathStatus]) -> str:
    """The first of these that is a program."""
    fit = (path for path in paths if path in statuses and not statuses[path].failed)
    return next((path for path in fit if not _why_unstartable(statuses[path])), "")
