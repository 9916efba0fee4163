"""The Docker daemon from outside: its process, socket, pid file, unit, and whether it answers."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from diagnose.evidence.engine.config import DaemonConfig, Rootless
from diagnose.evidence.engine.daemon_processes import DaemonProcesses, daemon_processes
from diagnose.evidence.engine.packaging import USUAL_PROGRAMS, packaging
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host, Question
from diagnose.questions.endpoint import Endpoint, FindEndpoint, FindLocality
from diagnose.questions.engine import PingEngine
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.questions.processes import ProcessDetail
from diagnose.questions.run import Caller, IdentifyCaller
from diagnose.questions.service import ReadUnit, Unit
from diagnose.registry import evidence

__all__ = [
    "HUNG_UP",
    "PODMAN",
    "PROGRAMS",
    "START_S",
    "SYSTEM_CONTAINERD",
    "TRACES",
    "Caller",
    "Daemon",
    "Endpoint",
    "FileState",
    "Installation",
    "ProcessDetail",
    "Unit",
    "daemon",
]

START_S = 60.0
"""So long a start may take on a host with many containers before its silence counts as an outage.
"""
SYSTEM_CONTAINERD = "/run/containerd/containerd.sock"
PROGRAMS = (*USUAL_PROGRAMS, "/snap/bin/dockerd")
TRACES = (*PROGRAMS, "/var/lib/docker", "/etc/docker")
"""What of an installed Docker lies on the disk, where packages put it."""
PODMAN = "/usr/bin/podman"
HUNG_UP = "the connection was closed"
"""How the words begin that stand for an answer which never came."""


class FileState(msgspec.Struct, frozen=True):
    """What stat says of a path."""

    type: str = ""
    mode: int = 0
    """Permission bits with the type's."""
    uid: int = 0
    gid: int = 0
    mtime: float | None = None


class Installation(msgspec.Struct, frozen=True):
    """What of an engine is installed here, and what systemd says of it.

    Units are None where systemd does not say.
    """

    unit: Unit | None = None
    unit_name: str = "docker.service"
    socket_unit: Unit | None = None
    containerd_unit: Unit | None = None
    program: str | None = None
    """The installed dockerd; "" if there is none, None if that is not known."""
    installed: bool | None = None
    """Whether anything of Docker is; None if that could not be looked at."""
    has_podman: bool = False
    """Podman's program is there."""

    @property
    def known_unit(self) -> Unit:
        """docker.service; one that systemd knows nothing of where it does not say."""
        return self.unit or Unit()

    @property
    def has_containerd_unit(self) -> bool:
        return self.containerd_unit is not None and self.containerd_unit.exists


class Daemon(msgspec.Struct, frozen=True, dict=True):
    """The engine's process and the way to it."""

    endpoint: Endpoint
    caller: Caller
    silence: Unavailable | None = None
    """Why /_ping had no answer; None: it answered."""
    same_host: bool = True
    """What is read on this machine is about the engine."""
    where: str = ""
    """Why it is, or why not."""
    socket: FileState | None = None
    """What lies at the socket's path; None if nothing, or not on this machine."""
    is_podman: bool = False
    closed_podman: str = ""
    """The socket of Podman to which this address leads, where the caller may not use it."""
    processes: DaemonProcesses = DaemonProcesses()
    installation: Installation = Installation()

    @property
    def has_containerd(self) -> bool:
        """Whether it is an engine that cannot do without a process named containerd."""
        if self.is_podman:
            return False
        engine = self.processes.engine
        return engine is None or engine.comm in ("dockerd", "dockerd-ce")

    @property
    def uses_system_containerd(self) -> bool:
        """Whether it uses a containerd that it does not start itself."""
        return self.processes.managed is False or self.installation.has_containerd_unit

    @property
    def answers(self) -> bool:
        return self.silence is None

    @property
    def reason(self) -> str:
        """Why /_ping had no answer, as one word of the closed list; empty: it had one."""
        return self.silence.reason if self.silence else ""

    @property
    def is_starting(self) -> bool:
        """It lives, does not answer yet, and was started a moment ago."""
        if self.answers or self.processes.engine is None:
            return False
        return self.processes.age is not None and self.processes.age < START_S

    @property
    def is_socket_activated(self) -> bool:
        """systemd listens for a daemon that does not run: to connect would be to start it."""
        return self.reason == "not allowed"

    @property
    def is_unreachable(self) -> bool:
        """Nothing takes connections at the endpoint."""
        return (
            self.reason in ("refused", "missing", "gone", "not allowed")
            and not self.is_not_an_engine
        )

    @functools.cached_property
    def is_down(self) -> bool:
        """No engine serves this endpoint, and this machine is where it should be.

        An endpoint that the user named and that never was a socket here is a wrong address, no dead
        engine. Where the socket is closed to the caller the process list decides, if it is whole.
        """
        if not self.same_host or self.serves_other_socket or self.installation.installed is False:
            return False
        if not self.is_unreachable and not self._is_absent_behind_a_closed_socket:
            return False
        was_one = self.socket is not None and self.socket.type == "socket"
        return self.endpoint.is_default or not self.endpoint.named or was_one

    @property
    def _is_absent_behind_a_closed_socket(self) -> bool:
        is_open = self.reason != "forbidden"
        if is_open or self.closed_podman or not self.processes.sees_all:
            return False
        return self.processes.engine is None and not self.processes.others

    @property
    def is_not_an_engine(self) -> bool:
        """Something took /_ping, and did not answer as an engine does.

        An error page, another protocol, no word at all.
        """
        if self.silence is None or self.reason == "forbidden":
            return False
        return self.reason == "malformed" or self.silence.detail.startswith(("HTTP ", HUNG_UP))

    @property
    def serves_other_socket(self) -> bool:
        """Whether an engine lives here that serves another socket, and none belongs to this one.

        A user with a rootless engine is not concerned by the engines of others.
        """
        if self.processes.engine is not None or self.socket is not None:
            return False
        if self.installation.known_unit.is_wanted:
            return False
        own = self.endpoint.rootless if self.endpoint.is_default else None
        return any(own is None or other.uid in (own.uid, None) for other in self.processes.others)

    @property
    def address(self) -> str:
        """The path of its socket, or the URL of an engine without one."""
        return self.endpoint.path or self.endpoint.url

    @property
    def has_folder_for_socket(self) -> bool:
        """Whether a folder has taken the place of its socket."""
        return self.socket is not None and self.socket.type == "folder"

    @property
    def is_hung(self) -> bool:
        """It took the connection and gave no answer.

        One that is stopped by a signal needs no waiting for.
        """
        stopped = self.processes.engine is not None and self.processes.engine.is_stopped
        return self.reason == "timed out" or (stopped and self.reason == "budget")


@evidence
def daemon(
    host: Host, clock: Clock | None, config: DaemonConfig | None, processes: Processes | None
) -> Daemon | Unavailable:
    """The engine's process, socket and units.

    All but the ping is read from /proc, files and systemd, so that it is there for a dead
    engine too.
    """
    _ask_at_once(host)
    endpoint = host.require(FindEndpoint())
    identity = host.ask(IdentifyCaller())
    caller = Caller() if isinstance(identity, Failed) else identity
    reply = host.ask(PingEngine())
    if isinstance(reply, Failed):
        known = Daemon(endpoint, caller, Unavailable.of(reply))
    else:
        known = Daemon(endpoint, caller, is_podman=bool(reply.libpod))
    locality = host.ask(FindLocality())
    if isinstance(locality, Failed):
        return msgspec.structs.replace(known, same_host=False, where=str(locality))
    if not locality.same_host:
        return msgspec.structs.replace(known, same_host=False, where=locality.why)
    own = endpoint.rootless
    # the system's units start no user's engine
    kind = packaging(host)
    names = (kind.unit, *_UNITS)
    unit, socket_unit, containerd_unit = (None if own else _unit(host, name) for name in names)
    alive = daemon_processes(
        host, locality.engine_pid, clock, config, processes, containerd_unit, own
    )
    unit_program = unit.program if unit else ""
    named_program = unit_program or kind.program
    stats = {
        **_stats(host, endpoint.path or "/", *TRACES),
        **_stats(host, PODMAN, *filter(None, [named_program])),
    }
    return msgspec.structs.replace(
        known,
        where=locality.why,
        socket=_state(stats, endpoint.path),
        closed_podman=_closed_podman(host, endpoint.path) if known.reason == "forbidden" else "",
        processes=alive,
        installation=Installation(
            unit=unit,
            unit_name=kind.unit,
            socket_unit=socket_unit,
            containerd_unit=containerd_unit,
            program=_program(alive.engine, named_program, stats, own),
            installed=bool((own and own.traces) or kind.program)
            or _is_installed(stats, unit, alive.engine),
            has_podman=_state(stats, PODMAN) is not None,
        ),
    )


def _ask_at_once(host: Host) -> None:
    """Each answer is remembered: together they take as long as the slowest."""
    questions: list[Question[Any]] = [
        FindEndpoint(),
        PingEngine(),
        IdentifyCaller(),
        FindLocality(),
        *(ReadUnit(name) for name in (packaging(host).unit, *_UNITS)),
    ]
    for _ in host.ask_many(questions):
        pass


_UNITS = ("docker.socket", "containerd.service")


def _unit(host: Host, name: str) -> Unit | None:
    unit = host.ask(ReadUnit(name))
    return None if isinstance(unit, Failed) else unit


def _stats(host: Host, *paths: str) -> Mapping[str, PathStatus]:
    """The answers by path; empty where the question as a whole had none."""
    answer = host.ask(StatPaths(paths))
    return {} if isinstance(answer, Failed) else answer


def _state(stats: Mapping[str, PathStatus], path: str) -> FileState | None:
    """What lies at a path, if anything was seen there."""
    status = stats.get(path)
    if status is None or status.failed:
        return None
    return FileState(status.type, status.mode, status.uid, status.gid, status.mtime)


def _closed_podman(host: Host, path: str) -> str:
    """The socket of Podman at this path, or that a link there names (package podman-docker)."""
    answer = host.ask(StatPaths([path], follow=False))
    status = None if isinstance(answer, Failed) else answer.get(path)
    target = (status.link if status is not None else None) or path
    return target if target.endswith("/podman.sock") else ""


def _is_missing(stats: Mapping[str, PathStatus], path: str) -> bool:
    """Whether nothing lies at a path, for certain."""
    return path in stats and stats[path].failed == "missing"


def _program(
    process: ProcessDetail | None, named: str, stats: Mapping[str, PathStatus], own: Rootless | None
) -> str | None:
    """The installed dockerd: what runs, else what the unit starts, else where packages put it.

    None where it is not known, as with a user who may have put it anywhere.
    """
    if process and process.exe:
        return process.exe
    if named and not _is_missing(stats, named):
        return named
    program = next((path for path in PROGRAMS if _state(stats, path)), None)
    return "" if program is None and own is None and _all_missing(stats, PROGRAMS) else program


def _is_installed(
    stats: Mapping[str, PathStatus], unit: Unit | None, process: ProcessDetail | None
) -> bool | None:
    if process or (unit and unit.exists) or any(_state(stats, path) for path in TRACES):
        return True
    return False if _all_missing(stats, TRACES) else None


def _all_missing(stats: Mapping[str, PathStatus], paths: Sequence[str]) -> bool:
    return all(_is_missing(stats, path) for path in paths)
