"""The processes that hold published ports for containers, by their arguments. Pure."""

import itertools
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.processes import Process, Processes

DOCKER_PROXY = "docker-proxy"
_ENGINES = ("dockerd", "rootlesskit", "exe")
"""Parents that a proxy may have; rootlesskit starts its own kind of proxy, and very old engines ran
as "exe"."""


class DockerProxy(msgspec.Struct, frozen=True):
    """A docker-proxy process and the port that it serves."""

    process: Process
    parent: Process | None
    proto: str
    port: str
    target: str

    @property
    def is_of_engine(self) -> bool:
        """Whether an engine started it, and lives."""
        return self.parent is not None and self.parent.comm in _ENGINES

    @property
    def started_by(self) -> str:
        if self.parent is None:
            return f"pid {self.process.ppid}"
        return f"{self.parent.comm} (pid {self.parent.pid})"

    def is_needed(self, containers: Containers) -> bool:
        """Whether a running container publishes its port."""
        return any(
            published.binding.host_port == self.port
            for container in containers.running
            for published in container.published_by(self.proto)
        )


def docker_proxies(processes: Processes) -> Iterator[DockerProxy]:
    """The proxies of the host's engine; those inside containers belong to engines there."""
    for process in processes.outside:
        if process.comm != DOCKER_PROXY:
            continue
        options = dict(itertools.pairwise(process.cmdline or []))
        address = options.get("-container-ip", "?")
        port = options.get("-container-port", "?")
        yield DockerProxy(
            process,
            parent=processes.by_pid.get(process.ppid),
            proto=options.get("-proto", "tcp"),
            port=options.get("-host-port", "0"),
            target=f"{address}:{port}",
        )
