"""Layers that the engine is fetching now."""

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.images import Download, ListDownloads
from diagnose.registry import evidence

__all__ = ["Download", "Downloads", "downloads"]


class Downloads(Items[Download], frozen=True):
    """Files into which layers are written, and that still grow, or should."""

    taken_at: float = 0.0
    """Unix time of this look."""

    def idle_since(self, seconds: float) -> tuple[Download, ...]:
        """The downloads to which no byte was added for so long, the longest first."""
        idle = [file for file in self if self.taken_at - file.mtime >= seconds]
        return tuple(sorted(idle, key=lambda file: file.mtime))


@evidence
def downloads(host: Host, daemon: Daemon, clock: Clock) -> Downloads | Unavailable:
    """The downloads that still grow, or should, by the open files of the engine and its containerd.

    A complete file is left out.
    """
    if not daemon.same_host:
        return Unavailable("remote", daemon.where)
    processes = (daemon.processes.engine, *(daemon.processes.containerds or ()))
    pids = [process.pid for process in processes if process is not None]
    if daemon.processes.engine is None and daemon.answers:
        return Unavailable("missing", "the engine's process cannot be seen")
    if not pids:
        return Downloads(())
    answer = host.require(ListDownloads(pids))
    growing = tuple(file for file in answer if file.position == file.bytes)
    return Downloads(growing, clock.wall)
