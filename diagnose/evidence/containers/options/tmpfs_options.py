"""File systems in memory (`--tmpfs`): their owners, and the denied one in a log. Pure."""

import re

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.user_numbers import UserNumbers, user_of
from diagnose.file_paths import innermost
from diagnose.lazy_pattern import LazyPattern

_REFUSED = ("permission denied", "eacces", "not permitted", "not writable", "belongs to uid")
_FOR_ALL = frozenset({"/tmp", "/var/tmp", "/dev/shm"})  # noqa: S108
"""Folders that anybody may write in nearly every image, and so in a tmpfs in their place."""
_ANOTHER_OWNER = LazyPattern(r"(?:^|,)(?:uid=|mode=0*1?777)")


def tmpfs_option(container: Container, folder: str, numbers: UserNumbers | None) -> str:
    """The option that gives a container's user a tmpfs at this folder.

    A tmpfs belongs to root, with the mode of the image's folder, unless its options say another
    owner; those that the container has for this folder are kept.
    """
    own_options = (container.host_config.tmpfs or {}).get(folder, "")
    options = [option for option in own_options.split(",") if option]
    user_and_group = user_of(container, numbers)
    user, _, group = user_and_group.partition(":")
    if user.isdigit() and user != "0":
        options = [option for option in options if not option.startswith(("uid=", "gid="))]
        options.append(f"uid={user}")
        if group.isdigit():
            options.append(f"gid={group}")
    return f"--tmpfs={folder}" + (f":{','.join(options)}" if options else "")


def noexec_tmpfs(container: Container, path: str) -> str:
    """The mount point of the noexec tmpfs that holds a path; "" for none.

    Docker mounts each tmpfs noexec, unless its options say exec.
    """
    areas = container.host_config.tmpfs or {}
    point = innermost(areas, path)
    return "" if "exec" in areas.get(point, "").split(",") else point


class DeniedTmpfs(msgspec.Struct, frozen=True):
    """A tmpfs that belongs to root, below which a container is denied a path."""

    folder: str
    line: str
    """The line of the log that names the denied path."""


def denied_tmpfs(container: Container, log_tails: LogTails) -> DeniedTmpfs | None:
    """The tmpfs of root that a container's log names as denied."""
    options_by_folder = container.host_config.tmpfs or {}
    of_root = [
        folder
        for folder, options in options_by_folder.items()
        if not _ANOTHER_OWNER.search(options)
    ]
    # the innermost of nested ones first
    of_root.sort(key=len, reverse=True)
    folders = "|".join(re.escape(folder) for folder in of_root if folder not in _FOR_ALL)
    if not folders:
        return None
    any_folder = re.compile(rf"(?<![\w./-])(?:{folders})(?![\w.-])")
    for line in log_tails.of(container).find_all(*_REFUSED):
        if match := any_folder.search(line):
            return DeniedTmpfs(folder=match[0], line=line)
    return None
