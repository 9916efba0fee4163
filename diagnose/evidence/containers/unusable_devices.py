"""Devices that a program which runs on cannot use, because its user may not open them.

The libraries of graphics cards and serial ports seldom say "permission denied": they say that no
device was found. Images that take PUID start as root and change to that user, who has only the
groups that the image gives him: whether he may open the device, his process alone shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.mounts.dropped_users import named_by_variables
from diagnose.evidence.containers.mounts.file_access import HostUser, host_user
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, ReadFile, StatPaths
from diagnose.registry import evidence

LEAST = 2
"""So many complaints among its recent lines show that a program lacks the device still."""
READ_AND_WRITE = 6
GRAPHICS = "/dev/dri"
_NO_GRAPHICS = LazyPattern(
    r"no VA display found for device|as DRM device node|initiali[sz]e VAAPI|vaInitialize failed"
    r"|opening hw device failed|cannot open DRM render node|drm device.{0,80}permission denied",
    re.IGNORECASE,
)
"""What FFmpeg, libva and Plex say whose render node cannot be opened."""
_RENDER_NODE = LazyPattern(r"/dev/dri/renderD\d{1,4}")
_GROUPS = LazyPattern(r"^(?:Gid|Groups):(?P<ids>[\d \t]*)$", re.MULTILINE)


class UnusableDevice(msgspec.Struct, frozen=True):
    """A device that a running container was given and that its program's user may not open."""

    container: Container
    user: HostUser
    inside: str
    """The device's path in the container."""
    path: str
    """On the host."""
    source: PathStatus
    line: str
    """What the log says."""
    changed_user: bool
    """The program began as root and has changed its user."""


class UnusableDevices(Items[UnusableDevice], frozen=True):
    """At most one for each container."""


class _Complaint(msgspec.Struct, frozen=True):
    """What a program says of a device that its container was given."""

    container: Container
    inside: str
    path: str
    line: str


@evidence
def unusable_devices(
    host: Host,
    containers: Containers,
    recent_logs: RecentLogs | None,
    processes: Processes | None,
    info: Info | None,
    numbers: UserNumbers | None,
) -> UnusableDevices:
    """Looked up only where a running program complains of its graphics device."""
    complaints = list(_complaints(containers, recent_logs))
    if not complaints:
        return UnusableDevices()
    answer = host.ask(StatPaths(sorted({complaint.path for complaint in complaints})))
    if isinstance(answer, Failed):
        return UnusableDevices()
    found = []
    for complaint in complaints:
        status = answer.get(complaint.path)
        user, changed = _user_of(host, complaint.container, processes, info, numbers)
        if status is None or status.failed or user is None:
            continue
        if user.may(status, READ_AND_WRITE) is False:
            found.append(
                UnusableDevice(
                    complaint.container,
                    user=user,
                    inside=complaint.inside,
                    path=complaint.path,
                    source=status,
                    line=complaint.line,
                    changed_user=changed,
                )
            )
    return UnusableDevices(tuple(found))


def _complaints(containers: Containers, recent_logs: RecentLogs | None) -> Iterator[_Complaint]:
    """Running containers with a render node whose program says that it cannot use one."""
    for container in containers.running if recent_logs is not None else ():
        given = _graphics_of(container)
        if not given or recent_logs is None:
            continue
        lines = [line.text for line in recent_logs.of_this_run(container)]
        said = [line for line in lines if _NO_GRAPHICS.search(line)]
        if len(said) < LEAST:
            continue
        named = next((match[0] for line in lines if (match := _RENDER_NODE.search(line))), "")
        inside = named or f"{GRAPHICS}/renderD128"
        for folder, path in given.items():
            if inside == folder or inside.startswith(f"{folder}/"):
                yield _Complaint(container, inside, f"{path}{inside[len(folder) :]}", said[-1])
                break


def _graphics_of(container: Container) -> dict[str, str]:
    """The graphics devices, or the folder of them, that the container was given.

    By their path in it: the path on the host.
    """
    devices = {
        str(device.get("PathInContainer")): str(device.get("PathOnHost"))
        for device in container.host_config.devices or ()
        if device.get("PathOnHost")
    }
    return {
        inside: path
        for inside, path in devices.items()
        if inside == GRAPHICS or inside.startswith(f"{GRAPHICS}/")
    }


def _user_of(
    host: Host,
    container: Container,
    processes: Processes | None,
    info: Info | None,
    numbers: UserNumbers | None,
) -> tuple[HostUser | None, bool]:
    """Whose the program is, with the groups that its process has, and whether it changed to him."""
    configured = host_user(container, info, numbers)
    changed = named_by_variables(container) if configured is None else None
    user = changed or configured
    if user is None or user.unknown or processes is None:
        return None, False
    pids = [
        process.pid
        for process in processes
        if process.container == container.id and process.uid == user.uid
    ]
    if not pids:
        return None, False
    status = host.ask(ReadFile(f"/proc/{min(pids)}/status"))
    if isinstance(status, Failed):
        return None, False
    ids = " ".join(match["ids"] for match in _GROUPS.finditer(status.text)).split()
    own = HostUser(user.label, owner=user.owner, uid=user.uid, gids=frozenset(map(int, ids)))
    return own, changed is not None
