"""Servers of Redis whose working folder is one of the system.

`CONFIG SET dir /etc/cron.d` is how a stranger writes a crontab through a Redis that is open to the
world. No file has that setting, and a restart ends it.
"""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.registry import evidence

MOST = 20
"""Processes whose folder is looked at."""
_SERVERS = frozenset({"keydb-server", "redis-server", "valkey-server"})
_OF_SYSTEM = LazyPattern(
    r"/(?:etc/(?:$|(?:cron|init|ld\.so|pam|profile|ssh|sudoers|systemd)[\w.-]{0,40}/)|boot/|root/\.ssh/"
    r"|home/[\w.-]{1,64}/\.ssh/|var/(?:spool/cron[\w.-]{0,20}|www)/)"
)
"""Folders to which attackers write, and where Redis keeps no data of its own. /usr and /opt hold
programs that start a server beside them, in the same folder."""


class LedServer(msgspec.Struct, frozen=True):
    """A server of Redis that works in a folder of the system."""

    container: Container
    folder: str
    meant: str
    """The folder of its image."""
    open_at: str = ""
    """The address that is published for other machines; "" without one."""


class LedServers(Items[LedServer], frozen=True):
    """The Redis servers with a system folder, at most one for each container."""


@evidence
def led_servers(host: Host, containers: Containers, processes: Processes) -> LedServers:
    """Redis servers whose working folder is one of the system, not one for data.

    The working folders of all servers take one question; no server, no question.
    """
    servers = [
        (container, f"/proc/{process.pid}/cwd")
        for container in containers.running
        for process in processes.inside(container.id)
        if process.comm in _SERVERS
    ]
    chosen = host.first(servers, MOST, "servers of Redis")
    links = path_statuses(host, [path for _, path in chosen], follow=False)
    led: dict[str, LedServer] = {}
    for container, path in chosen:
        status = links.get(path)
        folder = (status.link or "") if status is not None else ""
        is_named = any(folder in word for word in container.config.words)
        is_of_image = is_within(folder, container.config.working_dir.rstrip("/") or "/data")
        is_mounted = any(mount.destination.rstrip("/") == folder for mount in container.mounts)
        is_meant = is_named or is_mounted or is_of_image
        if _OF_SYSTEM.match(f"{folder}/") and not is_meant:
            usual_folder = container.config.working_dir or "/data"
            led.setdefault(
                container.id, LedServer(container, folder, usual_folder, _open_at(container))
            )
    return LedServers(tuple(led.values()))


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
