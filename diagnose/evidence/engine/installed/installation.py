"""The engine's installed parts on this host, and their units in systemd."""

import msgspec

from diagnose.evidence.engine.config import Rootless
from diagnose.evidence.engine.installed.packaging import USUAL_PROGRAMS, packaging
from diagnose.evidence.engine.starting.path_states import PathStates, path_states
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.processes import ProcessDetail
from diagnose.questions.service import ReadUnit, Unit

PROGRAMS = (*USUAL_PROGRAMS, "/snap/bin/dockerd")
TRACES = (*PROGRAMS, "/var/lib/docker", "/etc/docker")
"""Paths of an installed Docker, where packages put them."""
PODMAN = "/usr/bin/podman"
SOCKET_UNIT = "docker.socket"
CONTAINERD_UNIT = "containerd.service"


class Installation(msgspec.Struct, frozen=True):
    """The engine's installed parts on this host, and their units in systemd.

    Units are None where systemd does not answer.
    """

    unit: Unit | None = None
    unit_name: str = "docker.service"
    socket_unit: Unit | None = None
    containerd_unit: Unit | None = None
    program: str | None = None
    """The installed dockerd; "" if there is none, None if that is not known."""
    installed: bool | None = None
    """Whether any part of Docker is; None if that could not be looked at."""
    has_podman: bool = False
    """Podman's program is there."""

    @property
    def known_unit(self) -> Unit:
        """docker.service; a unit without any facts where systemd does not answer."""
        return self.unit or Unit()

    @property
    def has_containerd_unit(self) -> bool:
        return self.containerd_unit is not None and self.containerd_unit.exists


def installation(
    host: Host, states: PathStates, engine: ProcessDetail | None, rootless_engine: Rootless | None
) -> Installation:
    """The installed engine: program, units and packaging.

    states: the status of the paths in TRACES.

    rootless_engine: that of the caller, which no unit of the system starts.
    """
    kind = packaging(host)
    unit = system_unit(host, kind.unit, rootless_engine)
    program = (unit.program if unit else "") or kind.program
    more = path_states(host, PODMAN, *filter(None, [program]))
    states = PathStates({**states.by_path, **more.by_path})
    has_own = bool((rootless_engine and rootless_engine.traces) or kind.program)
    return Installation(
        unit=unit,
        unit_name=kind.unit,
        socket_unit=system_unit(host, SOCKET_UNIT, rootless_engine),
        containerd_unit=system_unit(host, CONTAINERD_UNIT, rootless_engine),
        program=_program(engine, program, states, rootless_engine),
        installed=has_own or _is_installed(states, unit, engine),
        has_podman=states.at(PODMAN) is not None,
    )


def unit_names(host: Host) -> tuple[str, ...]:
    """The units that start an engine of this host, and the units that it needs."""
    return (packaging(host).unit, SOCKET_UNIT, CONTAINERD_UNIT)


def system_unit(host: Host, name: str, rootless_engine: Rootless | None) -> Unit | None:
    """A unit of the system; None beside a rootless engine, which none of them starts."""
    if rootless_engine:
        return None
    unit = host.ask(ReadUnit(name))
    return None if isinstance(unit, Failed) else unit


def _program(
    engine: ProcessDetail | None, name: str, states: PathStates, rootless_engine: Rootless | None
) -> str | None:
    """The installed dockerd: the running one, else the unit's, else the packages' path.

    None where it is not known, as with a user who may have put it anywhere.
    """
    if engine and engine.exe:
        return engine.exe
    if name and not states.is_missing(name):
        return name
    program = next(filter(states.at, PROGRAMS), None)
    return "" if program is None and rootless_engine is None and states.lack(PROGRAMS) else program


def _is_installed(
    states: PathStates, unit: Unit | None, engine: ProcessDetail | None
) -> bool | None:
    """Whether anything of Docker is on this host; None if that could not be looked at."""
    has_unit = unit is not None and unit.exists
    if engine or has_unit or any(map(states.at, TRACES)):
        return True
    return False if states.lack(TRACES) else None
