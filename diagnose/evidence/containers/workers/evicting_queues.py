"""Servers of Redis that drop any key when they are full, and hold a queue or sessions."""

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.inspect import host_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.mounts.mounted_files import mounted_file
from diagnose.evidence.containers.workers.session_keepers import keeps_sessions_in
from diagnose.evidence.containers.workers.worker_roles import is_background, keeps_jobs_in
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.registry import evidence

BYTES = 128 * 1024
"""The example of Redis's own settings has 110 KiB."""
_REDIS = LazyPattern(r"(?:^|[/ ])(?:redis|valkey|keydb)-server(?:$| )")
_POLICY = LazyPattern(r"(?:^|[\s\"'-])maxmemory-policy[ =\"]{1,8}(?P<policy>allkeys-\w{2,12})")
_LIMIT = LazyPattern(r"(?:^|[\s\"'-])maxmemory[ =\"]{1,8}(?P<limit>[1-9]\d{0,15}[a-zA-Z]{0,2})\b")
_COMPLAINT = LazyPattern(
    r"Eviction policy is (?P<policy>allkeys-\w{2,12})|current policy: '(?P<other>allkeys-\w{2,12})'"
)
"""The lines of BullMQ and Sidekiq at their start."""


class EvictingQueue(msgspec.Struct, frozen=True):
    """A server of Redis, its policy, and the programs whose jobs or sessions it may drop."""

    server: Container
    policy: str
    limit: str
    """The limit as it is written: 64mb; "" where only a program reports the policy."""
    workers: tuple[Container, ...] = ()
    keepers: tuple[Container, ...] = ()
    """The programs that keep sessions there."""
    line: str = ""
    """The line of a program about the policy."""
    file: str = ""
    """The file of the host that sets the policy, where that file alone is mounted."""


class EvictingQueues(Items[EvictingQueue], frozen=True):
    """The evicting queues, at most one for each server."""


@evidence
def evicting_queues(
    host: Host, containers: Containers, recent_logs: RecentLogs | None
) -> EvictingQueues:
    """The Redis servers whose policy drops jobs of workers, or sessions of programs.

    A file of settings is read only of a server that one of these names, and whose command names
    the file. Without a limit Redis drops nothing. A program that complains is believed.
    """
    servers = [
        container for container in containers.running if _REDIS.search(" ".join(container.command))
    ]
    queues = []
    for server in servers:
        near = _neighbours(server, containers)
        workers = tuple(worker for worker in near if _uses(worker, server))
        keepers = tuple(program for program in near if keeps_sessions_in(host, program, server))
        queue = _evicting_queue(host, server, workers, recent_logs) if workers or keepers else None
        if queue is not None:
            queues.append(replace(queue, keepers=keepers))
    return EvictingQueues(tuple(queues))


def _neighbours(server: Container, containers: Containers) -> list[Container]:
    """The other running containers on the networks of a server."""
    return [
        other
        for other in containers.running
        if other.id != server.id and other.shared_networks(server)
    ]


def _evicting_queue(
    host: Host, server: Container, workers: tuple[Container, ...], recent_logs: RecentLogs | None
) -> EvictingQueue | None:
    """The server, if it drops keys by its command, by its file of settings, or by a complaint."""
    complaint = _complaint(workers, recent_logs)
    command = " ".join(server.command)
    policy = _POLICY.search(command)
    limit = _LIMIT.search(command)
    file = ""
    if not complaint.policy and (policy is None or limit is None):
        settings = _settings(host, server)
        file = settings.path if policy is None else ""
        policy = policy or _POLICY.search(settings.text)
        limit = limit or _LIMIT.search(settings.text)
        if policy is None or limit is None:
            return None
    return EvictingQueue(
        server,
        policy["policy"] if policy is not None else complaint.policy,
        limit=limit["limit"] if limit is not None else "",
        workers=workers,
        line=complaint.line,
        file=file,
    )


def _uses(worker: Container, server: Container) -> bool:
    """Whether a program keeps its jobs in the server."""
    return is_background(worker) and keeps_jobs_in(worker, server)


class _Complaint(msgspec.Struct, frozen=True):
    """The line in which a worker objects to the eviction policy of its server, and the policy."""

    line: str = ""
    policy: str = ""


def _complaint(workers: tuple[Container, ...], recent_logs: RecentLogs | None) -> _Complaint:
    if recent_logs is None:
        return _Complaint()
    for worker in workers:
        for line in recent_logs.of_this_run(worker):
            if match := _COMPLAINT.search(line.text):
                return _Complaint(line.text, match["policy"] or match["other"])
    return _Complaint()


class _Settings(msgspec.Struct, frozen=True):
    """The file of settings that a server's command names."""

    text: str = ""
    """Without comments."""
    path: str = ""
    """On the host, where the file alone is mounted: no program of the container can put a link
    there."""


def _settings(host: Host, server: Container) -> _Settings:
    """Empty where the command names no file that can be read."""
    for word in server.command[1:]:
        mount = host_mount(server.mounts, word) if word.endswith(".conf") else None
        if mount is None:
            continue
        file = host.ask(mounted_file(mount, word, max_bytes=BYTES))
        if not isinstance(file, Failed):
            lines = (line for line in file.text.splitlines() if not line.lstrip().startswith("#"))
            path = mount.source if mount.destination == word else ""
            return _Settings("\n".join(lines), path)
    return _Settings()
