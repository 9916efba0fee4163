"""The end of a stopped engine, and its remains."""

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.engine.starting.socket_failure import SocketFailure
from diagnose.evidence.engine.starting.start_blockers import StartBlockers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.kernel_log import KernelLog, OomKill
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.evidence.storage.mounts import Mounts
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import distinct
from diagnose.model import EvidenceGroup, Subject, Unavailable
from diagnose.registry import evidence

CLOCKS_APART_S = 5.0
"""Tolerated difference in seconds between kernel log and engine log timestamps."""
_TAKEN = LazyPattern(r"listen tcp\S* (\S+:\d+): bind: address already in use")
_SIGNAL = LazyPattern(r"Processing signal '(\w+)'")
_PATH = LazyPattern(r"(?<![\w.])/[\w./-]+")


class EngineEnd(msgspec.Struct, frozen=True):
    """The evidence of a stopped engine beside its process and its socket."""

    log: DaemonLog | None = None
    no_log: str = ""
    """The reason why the log is not known."""
    socket_failure: SocketFailure = SocketFailure()
    blockers: StartBlockers = StartBlockers()
    """Units for which systemd does not start it."""
    killed: OomKill | None = None
    """The end of its last process, if the kernel made it."""
    taken: str = ""
    """The address that was in use when the engine wanted it, while a program listens there."""
    taken_by: str = ""
    """The program that listens there now."""
    folder_makers: tuple[str, ...] = ()
    """Containers that mount the socket's path. The engine creates a folder for a missing source
    when one of them starts."""
    alive: tuple[str, ...] | None = None
    """The names of the containers whose shim lives, short ids where no name is known.

    None where nobody could look.
    """
    written: tuple[Subject, ...] = ()
    """The file systems of the paths that the last failure names; the data root's where it names
    none."""
    root: DataRoot | None = None
    config: DaemonConfig | None = None

    @property
    def last_failure(self) -> LogLine | None:
        """The line with which the newest start attempt ended."""
        return self.log.last_failure if self.log is not None else None

    @property
    def failure_text(self) -> str:
        """The text of the last failure; "" without one."""
        return self.last_failure.text if self.last_failure is not None else ""

    @property
    def came_up(self) -> bool:
        """Whether the newest start attempt ended with an engine that listens."""
        return self.log is not None and self.log.came_up

    @property
    def stop_request(self) -> LogLine | None:
        """The first line of the last run that names a signal to stop; None without one."""
        lines = self.log.last_start if self.log is not None else ()
        return next((line for line in lines if _SIGNAL.search(line.message)), None)

    @property
    def signal(self) -> str:
        """The signal that asked the engine to stop; "" without one in its log."""
        match = _SIGNAL.search(self.stop_request.message) if self.stop_request else None
        return match[1] if match else ""


class StartRecords(EvidenceGroup, frozen=True):
    """The engine's log, the kernel log and the clock, which show how the engine ended."""

    log: DaemonLog | Unavailable
    kernel: KernelLog | None
    clock: Clock | None

    @property
    def own_log(self) -> DaemonLog | None:
        """The engine's log, if it is of this boot."""
        return self.log if isinstance(self.log, DaemonLog) and not self.why_no_log else None

    @property
    def why_no_log(self) -> str:
        """The reason why the log is not known; "" for a known log."""
        if isinstance(self.log, Unavailable):
            return self.log.detail
        booted = self.clock.booted if self.clock is not None else 0.0
        is_older = (self.log.mtime or booted) < booted
        return f"{self.log.source} is from before this host's boot" if is_older else ""


class StartPlace(EvidenceGroup, frozen=True):
    """The surroundings of the engine's start: data root, mounts, configuration, listeners."""

    root: DataRoot | None
    mounts: Mounts | None
    config: DaemonConfig | None
    listeners: Listeners | None


@evidence
def engine_end(
    daemon: Daemon,
    containers: Containers | None,
    records: StartRecords,
    place: StartPlace,
    socket_failure: SocketFailure | None,
    blockers: StartBlockers | None,
) -> EngineEnd:
    """The end of a stopped engine; empty where the engine is not down."""
    if not daemon.is_down:
        return EngineEnd()
    own_log = records.own_log
    failure = own_log.last_failure if own_log is not None else None
    text = failure.text if failure is not None else ""
    taken_address = _taken_address(text, place.listeners)
    return EngineEnd(
        log=own_log,
        no_log=records.why_no_log,
        socket_failure=socket_failure or SocketFailure(),
        blockers=blockers or StartBlockers(),
        killed=_oom_kill_of(records.kernel, own_log),
        taken=taken_address.address,
        taken_by=taken_address.holder,
        folder_makers=_folder_makers(daemon, containers),
        alive=_running_containers(daemon, containers),
        written=_written_filesystems(text, place.mounts, place.root),
        root=place.root,
        config=place.config,
    )


def _oom_kill_of(kernel: KernelLog | None, log: DaemonLog | None) -> OomKill | None:
    """The kernel's last kill of the engine.

    An engine that was started since died of something else.
    """
    kills = kernel.oom_kills if kernel is not None else ()
    of_engine = [kill for kill in kills if kill.task == "dockerd"]
    if not of_engine:
        return None
    last = of_engine[-1]
    began = log.last_start[0].at if log is not None and log.lines else None
    if began is None or last.at > began - CLOCKS_APART_S:
        return last
    return None


class _TakenAddress(msgspec.Struct, frozen=True):
    """An address that was in use, and its present listener."""

    address: str = ""
    holder: str = ""


def _taken_address(text: str, listeners: Listeners | None) -> _TakenAddress:
    """The address in use and its holder; empty where nothing listens there now."""
    address = _TAKEN.search(text)
    if address is None or listeners is None:
        return _TakenAddress()
    host, _, port = address[1].rpartition(":")
    holders = listeners.on("tcp", host, int(port))
    return _TakenAddress(address[1], holders[0].holder) if holders else _TakenAddress()


def _folder_makers(daemon: Daemon, containers: Containers | None) -> tuple[str, ...]:
    if not daemon.has_folder_for_socket:
        return ()
    path = _path_in_run(daemon.endpoint.path)
    mounts = ((container, mount) for container in containers or () for mount in container.mounts)
    makers = (container.name for container, mount in mounts if _path_in_run(mount.source) == path)
    return distinct(makers)


def _running_containers(daemon: Daemon, containers: Containers | None) -> tuple[str, ...] | None:
    """Beside another engine only those that this one's files name are its own.

    Those of a user's engine are its user's.
    """
    if daemon.processes.shims is None:
        return None
    rootless_engine = daemon.endpoint.rootless
    names = {container.id: container.name for container in containers or ()}
    return tuple(
        sorted(
            names.get(id, id[:12])
            for id, shim in daemon.processes.shims.items()
            if id in names
            or (shim.uid == rootless_engine.uid if rootless_engine else not daemon.processes.others)
        )
    )


def _written_filesystems(
    text: str, mounts: Mounts | None, root: DataRoot | None
) -> tuple[Subject, ...]:
    if mounts is None:
        return ()
    root_paths = [root.path] if root is not None else []
    paths = [_path_in_run(path) for path in _PATH.findall(text)]
    points = dict.fromkeys(mounts.point_of(path) for path in paths or root_paths)
    return tuple(Subject("filesystem", point) for point in points if point)


def _path_in_run(path: str) -> str:
    """/var/run is a link to /run."""
    return path.replace("/var/run/", "/run/", 1)
