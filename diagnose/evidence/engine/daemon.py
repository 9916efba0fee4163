"""The Docker daemon from outside: its process, socket, pid file, unit, and whether it answers."""

import functools
from typing import Any

import msgspec

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon_processes import DaemonProcesses, daemon_processes
from diagnose.evidence.engine.installed.installation import (
    CONTAINERD_UNIT,
    TRACES,
    Installation,
    installation,
    system_unit,
    unit_names,
)
from diagnose.evidence.engine.starting.path_states import FileState, path_states
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host, Question
from diagnose.questions.endpoint import DEFAULT_SOCKETS, Endpoint, FindEndpoint, FindLocality
from diagnose.questions.engine import PingEngine
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED
from diagnose.questions.processes import ProcessDetail
from diagnose.questions.run import Caller, IdentifyCaller
from diagnose.questions.service import ReadUnit, Unit
from diagnose.registry import evidence

__all__ = ["Caller", "Daemon", "Endpoint", "ProcessDetail", "Unit", "daemon"]

START_S = 60.0
"""Seconds that a start may take on a host with many containers before silence counts as an outage.
"""
HUNG_UP = "the connection was closed"
"""Prefix of the detail text when the peer closed the connection without a reply."""


class Daemon(msgspec.Struct, frozen=True, dict=True):
    """The engine's process and the way to it."""

    endpoint: Endpoint
    caller: Caller
    silence: Unavailable | None = None
    """The reason why /_ping had no answer; None if it had one."""
    same_host: bool = True
    """Whether files and processes of this machine are those of the engine."""
    where: str = ""
    """The reason for that."""
    socket: FileState | None = None
    """The state of the socket's path; None without a file, or on another machine."""
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
        """The reason why /_ping had no answer, as one word of the closed list; "" if it had one."""
        return self.silence.reason if self.silence else ""

    @property
    def is_starting(self) -> bool:
        """Whether the engine was started a moment ago, lives, and does not answer yet."""
        if self.answers or self.processes.engine is None:
            return False
        return self.processes.age is not None and self.processes.age < START_S

    @property
    def is_socket_activated(self) -> bool:
        """Whether systemd listens for a stopped engine: to connect would be to start it."""
        return self.reason == "not allowed"

    @property
    def is_unreachable(self) -> bool:
        """Whether nothing takes connections at the endpoint."""
        return (
            self.reason in ("refused", "missing", "gone", "not allowed")
            and not self.is_not_an_engine
        )

    @functools.cached_property
    def is_down(self) -> bool:
        """Whether no engine serves this endpoint, and this machine is where it should be.

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
        """Whether something took /_ping, and did not answer as an engine does.

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
        rootless_engine = self.endpoint.rootless if self.endpoint.is_default else None
        return any(
            rootless_engine is None or other.uid in (rootless_engine.uid, None)
            for other in self.processes.others
        )

    @property
    def is_of_host(self) -> bool:
        """Whether commands of the host's cron and units reach this engine of their own accord."""
        endpoint = self.endpoint
        is_of_system = endpoint.rootless is None and endpoint.path in DEFAULT_SOCKETS
        return is_of_system and not self.is_podman

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
        """Whether the engine took the connection and gave no answer.

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
    pinged = _pinged_daemon(host)
    locality = host.ask(FindLocality())
    if isinstance(locality, Failed):
        return msgspec.structs.replace(pinged, same_host=False, where=str(locality))
    if not locality.same_host:
        return msgspec.structs.replace(pinged, same_host=False, where=locality.why)
    path = pinged.endpoint.path
    rootless_engine = pinged.endpoint.rootless
    containerd_unit = system_unit(host, CONTAINERD_UNIT, rootless_engine)
    alive = daemon_processes(
        host,
        locality.engine_pid,
        clock=clock,
        config=config,
        processes=processes,
        containerd_unit=containerd_unit,
        rootless_engine=rootless_engine,
    )
    states = path_states(host, path or "/", *TRACES)
    return msgspec.structs.replace(
        pinged,
        where=locality.why,
        socket=states.at(path),
        closed_podman=_closed_podman(host, path) if pinged.reason == "forbidden" else "",
        processes=alive,
        installation=installation(host, states, alive.engine, rootless_engine),
    )


def _ask_at_once(host: Host) -> None:
    """Each answer is remembered: together they take as long as the slowest."""
    questions: list[Question[Any]] = [
        FindEndpoint(),
        PingEngine(),
        IdentifyCaller(),
        FindLocality(),
        *map(ReadUnit, unit_names(host)),
    ]
    for _ in host.ask_many(questions):
        pass


def _pinged_daemon(host: Host) -> Daemon:
    """The path to the engine, and whether it answers there: no more is known of a remote one."""
    endpoint = host.require(FindEndpoint())
    identity = host.ask(IdentifyCaller())
    caller = Caller() if isinstance(identity, Failed) else identity
    reply = host.ask(PingEngine())
    if isinstance(reply, Failed):
        return Daemon(endpoint, caller, Unavailable.of(reply))
    return Daemon(endpoint, caller, is_podman=bool(reply.libpod))


def _closed_podman(host: Host, path: str) -> str:
    """The socket of Podman at this path, or that a link there names (package podman-docker)."""
    statuses = path_statuses(host, [path], follow=False)
    target = statuses.get(path, NOT_ASKED).link or path
    return target if target.endswith("/podman.sock") else ""
