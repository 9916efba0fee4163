"""Devices that a program which runs on cannot use, because its user may not open them.

The libraries of graphics cards seldom say "permission denied": they say that no device was found.
Programs with a serial port try it again and again. Images that take PUID start as root and change
to that user, who has only the groups that the image gives him: only his process shows whether he
may open the device.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from diagnose.evidence.containers.devices.given import (
    DeniedDevice,
    NamedDevice,
    denied_by_mode,
    given_devices,
)
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.mounts.access.dropped_users import named_by_variables
from diagnose.evidence.containers.mounts.access.file_access import HostUser, host_user
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import paired
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

LEAST = 2
"""Minimum number of complaints in the recent lines that show that a program still lacks the device.
"""
GRAPHICS = "/dev/dri"
_NO_GRAPHICS = LazyPattern(
    r"no VA display found for device|as DRM device node|initiali[sz]e VAAPI|vaInitialize failed"
    r"|opening hw device failed|cannot open DRM render node|drm device.{0,80}permission denied",
    re.IGNORECASE,
)
"""Lines of FFmpeg, libva and Plex that cannot open the render node."""
_REFUSED = LazyPattern(r"permission denied|\bEACCES\b|access denied", re.IGNORECASE)
_OF_PATH = LazyPattern(r"(?:[\w/-]|\.(?=\w)){0,200}")
_RENDER_NODE = LazyPattern(r"/dev/dri/renderD\d{1,4}")
_GROUPS = LazyPattern(r"^(?:Gid|Groups):(?P<ids>[\d \t]*)$", re.MULTILINE)


class UnusableDevices(Items[DeniedDevice], frozen=True):
    """The unusable devices, at most one for each container."""

    changed_user: frozenset[str] = frozenset()
    """The ids of containers whose programs began as root and have changed their user."""


@evidence
def unusable_devices(
    host: Host,
    containers: Containers,
    recent_logs: RecentLogs | None,
    processes: Processes | None,
    info: Info | None,
    numbers: UserNumbers | None,
) -> UnusableDevices | Unavailable:
    """The devices that running programs have and cannot use, looked up where a log says so."""
    complaints = list(_complaints(containers, recent_logs))
    if not complaints:
        return UnusableDevices()
    userless = [
        complaint.container
        for complaint in complaints
        if host_user(complaint.container, info, numbers) is None
    ]
    changed = {container.id: user for container, user in paired(userless, named_by_variables)}

    def user_of(container: Container) -> HostUser | None:
        user = changed.get(container.id) or host_user(container, info, numbers)
        processes_inside = processes.inside(container.id) if processes is not None else ()
        return _with_own_groups(host, user, processes_inside)

    denied = denied_by_mode(host, complaints, user_of)
    return UnusableDevices(tuple(denied), frozenset(changed))


def _complaints(containers: Containers, recent_logs: RecentLogs | None) -> Iterator[NamedDevice]:
    """Running containers whose program cannot use a render node, or was refused another device."""
    if recent_logs is None:
        return
    for container in containers.running:
        paths_by_device = given_devices(container)
        lines = (
            [line.text for line in recent_logs.of_this_run(container)] if paths_by_device else []
        )
        refused = next(_refused_devices(container, paths_by_device, lines), None)
        if refused is not None:
            yield refused
        elif device := _complaint_of_graphics(container, lines):
            yield device


def _refused_devices(
    container: Container, paths_by_device: Mapping[str, str], lines: Sequence[str]
) -> Iterator[NamedDevice]:
    """The devices that lines name by their path, each refused several times."""
    refusals = [line for line in lines if _REFUSED.search(line)]
    for inside, path in paths_by_device.items():
        below = [rest for line in refusals if (rest := _rest_of_path(line, inside)) is not None]
        if len(below) >= LEAST:
            device = f"{inside}{below[-1]}"
            refusal = next(line for line in reversed(refusals) if device in line)
            yield NamedDevice(container, device, f"{path}{below[-1]}", refusal)


def _rest_of_path(line: str, path: str) -> str | None:
    """The rest of the path in a line: "" for the path itself, None for another path."""
    _, separator, behind = line.partition(path)
    rest = _OF_PATH.match(behind) if separator else None
    return rest[0] if rest is not None and rest[0][:1] in ("", "/") else None


def _complaint_of_graphics(container: Container, lines: Sequence[str]) -> NamedDevice | None:
    complaints = [line for line in lines if _NO_GRAPHICS.search(line)]
    if len(complaints) < LEAST:
        return None
    render_node = next((match[0] for match in filter(None, map(_RENDER_NODE.search, lines))), "")
    inside = render_node or f"{GRAPHICS}/renderD128"
    for folder, path in _graphics_of(container).items():
        if is_within(inside, folder):
            return NamedDevice(container, inside, f"{path}{inside[len(folder) :]}", complaints[-1])
    return None


def _graphics_of(container: Container) -> dict[str, str]:
    """The graphics devices of the container, or their folder: host path by container path."""
    return {
        inside: path
        for inside, path in given_devices(container).items()
        if inside == GRAPHICS or inside.startswith(f"{GRAPHICS}/")
    }


def _with_own_groups(
    host: Host, user: HostUser | None, processes: Iterable[Process]
) -> HostUser | None:
    """The user with the groups that a process of the container has; None if nothing is known."""
    if user is None or user.unknown:
        return None
    pids = [process.pid for process in processes if process.uid == user.uid]
    if not pids:
        return None
    status = host.ask(ReadFile(f"/proc/{min(pids)}/status"))
    if isinstance(status, Failed):
        return None
    ids = " ".join(match["ids"] for match in _GROUPS.finditer(status.text)).split()
    return HostUser(user.label, owner=user.owner, uid=user.uid, gids=frozenset(map(int, ids)))
