"""FUSE file systems of the host that only the user who mounted them may enter."""

import shlex
from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.machine.passwd import USERS_FILE, user_entries
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.programs.mount_errors import UNMADE_SOURCE
from diagnose.questions import Host
from diagnose.questions.file_answers import file_text
from diagnose.questions.processes import InspectProcess
from diagnose.registry import evidence

REFUSED_SOURCE = LazyPattern(UNMADE_SOURCE + r"(?:file exists|permission denied)")
"""The engine's error about a source that it may not look at: it reports the source as missing."""
_OWNER = LazyPattern(r"(?:^|,)user_id=(\d+)")
_OPEN = LazyPattern(r"(?:^|,)allow_(?:other|root)\b")
"""Options of fuse(8): without one of these not even root may enter."""
_OPTION = {
    "sshfs": "-o allow_other",
    "bindfs": "-o allow_other",
    "s3fs": "-o allow_other",
    "geesefs": "-o allow_other",
    "gcsfuse": "-o allow_other",
    "rclone": "--allow-other",
}
"""Programs whose command line mounts the file system again, and the option of each that admits
other users."""
_FOREGROUND = frozenset({"-d", "-f", "--debug_fuse", "--foreground"})
"""Options with which the program ends together with its terminal."""
_MOST = 10


class ClosedMount(msgspec.Struct, frozen=True):
    """A FUSE file system that root may not enter."""

    point: str
    uid: int
    user: str = ""
    """The name of the user who has mounted it; "" where the host's own file has none."""
    again: str = ""
    """The command that mounts it again with room for others; "" where that is not known."""


class ClosedMounts(msgspec.Struct, frozen=True):
    """The closed mounts, by the source of one that the engine could not look at."""

    by_source: Mapping[str, ClosedMount] = {}


@evidence
def closed_mounts(
    host: Host, containers: Containers, mounts: Mounts | None, processes: Processes | None
) -> ClosedMounts:
    """The closed FUSE mounts under the source of a mount for which a start failed.

    A process in a container may have any name and any command line: only those of the host are
    asked.
    """
    errors = [container.state.error for container in containers if container.start_failed]
    sources = [match["path"] for match in filter(None, map(REFUSED_SOURCE.search, errors))]
    outside = Processes(tuple(processes.outside)) if processes is not None else None
    closed = {}
    for source in dict.fromkeys(sources):
        mount = mounts.of(source) if mounts is not None else None
        uid = _only_user(mount) if mount is not None else None
        if mount is not None and uid is not None:
            new_command = _command_with_option(host, outside, mount.point, uid)
            closed[source] = ClosedMount(mount.point, uid, _name(host, uid), new_command)
    return ClosedMounts(closed)


def _only_user(mount: Mounted) -> int | None:
    """The only user who may enter a mount; None where others may too, or for root."""
    options = f"{mount.options},{mount.super}"
    owner = _OWNER.search(options)
    is_closed = mount.fstype.startswith("fuse") and not _OPEN.search(options)
    return int(owner[1]) or None if owner is not None and is_closed else None


def _name(host: Host, uid: int) -> str:
    users = file_text(host, USERS_FILE)
    return next((entry.name for entry in user_entries(users) if entry.uid == uid), "")


def _command_with_option(host: Host, processes: Processes | None, point: str, uid: int) -> str:
    """The command line of the program that serves a mount, with the option that lets others in.

    "" for one that stays in the foreground: what follows it would wait for its end.
    """
    servers = [
        process for process in processes or () if process.comm in _OPTION and process.uid == uid
    ]
    for server in servers[:_MOST]:
        detail = host.ask(InspectProcess(server.pid))
        words = [] if isinstance(detail, Failed) else detail.cmdline
        is_kept = _FOREGROUND.isdisjoint(words) and (
            server.comm != "rclone" or not {"--daemon", "--daemon=true"}.isdisjoint(words)
        )
        if is_kept and point in words and not any("redacted" in word for word in words):
            return f"{shlex.join(words)} {_OPTION[server.comm]}"
    return ""
