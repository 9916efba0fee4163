"""Servers of Redis whose working folder is one of the system.

`CONFIG SET dir /etc/cron.d` is how a stranger writes a crontab through a Redis that is open to the
world. No file has that setting, and a restart ends it.
"""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.questions.files import StatPaths
from diagnose.registry import evidence

MOST = 20
"""Processes whose folder is looked at."""
_SERVERS = frozenset({"keydb-server", "redis-server", "valkey-server"})
_OF_SYSTEM = LazyPattern(
    r"/(?:etc|bin|sbin|usr|lib\w{0,6}|boot|root/\.ssh|home/[\w.-]{1,64}/\.ssh|var/(?:spool|www))(?:/|$)"
)
"""Where Redis keeps no data of its own."""


class LedServer(msgspec.Struct, frozen=True):
    """A server of Redis that works in a folder of the system."""

    container: Container
    folder: str
    meant: str
    """The folder of its image."""
    open_at: str = ""
    """Where it is published for other machines; "" for nowhere."""


class LedServers(Items[LedServer], frozen=True):
    """At most one of each container."""


@evidence
def led_servers(host: Host, containers: Containers, processes: Processes) -> LedServers:
    """One question about the working folders of all such servers; none where there is none."""
    servers = [
        (container, f"/proc/{process.pid}/cwd")
        for container in containers.running
        for process in processes.inside(container.id)
        if process.comm in _SERVERS
    ]
    asked = host.first(servers, MOST, "servers of Redis")
    links = host.answer_or(StatPaths([path for _, path in asked], follow=False), {})
    found: dict[str, LedServer] = {}
    for container, path in asked:
        status = links.get(path)
        folder = (status.link or "") if status is not None else ""
        is_named = any(folder in word for word in container.config.words)
        is_mounted = any(mount.destination.rstrip("/") == folder for mount in container.mounts)
        if _OF_SYSTEM.match(folder) and not is_named and not is_mounted:
            meant = container.config.working_dir or "/data"
            found.setdefault(container.id, LedServer(container, folder, meant, _open_at(container)))
    return LedServers(tuple(found.values()))


def _open_at(container: Container) -> str:
    """The first place of the host where its port is published for others."""
    return next(
        (
            f"{binding.host_ip or '*'}:{binding.host_port}"
            for binding in container.published_by("tcp")
            if not binding.host_ip.startswith("127.")
        ),
        "",
    )
