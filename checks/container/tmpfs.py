"""File systems in memory (`--tmpfs`) that a container's user may write."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.container.confirmed import compose_variables, is_broken
from checks.container.helpers import LINE, QUOTED
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Finding

_REFUSED = ("permission denied", "eacces", "not permitted", "not writable", "belongs to uid")
_FOR_ALL = frozenset({"/tmp", "/var/tmp", "/dev/shm"})  # noqa: S108
"""Folders that anybody may write in nearly every image, and so in a tmpfs in their place."""
_ANOTHER_OWNER = LazyPattern(r"(?:^|,)(?:uid=|mode=0*1?777)")


def tmpfs_option(container: Container, folder: str, numbers: UserNumbers | None) -> str:
    """The option that gives a container's user a tmpfs at this folder.

    A tmpfs belongs to root, with the mode of the image's folder, unless its options say another
    owner; those that the container has for this folder are kept.
    """
    given = (container.host_config.tmpfs or {}).get(folder, "")
    options = [option for option in given.split(",") if option]
    known = numbers.of(container) if numbers is not None else container.config.user
    user, _, group = known.partition(":")
    if user.isdigit() and user != "0":
        options = [option for option in options if not option.startswith(("uid=", "gid="))]
        options.append(f"uid={user}")
        if group.isdigit():
            options.append(f"gid={group}")
    return f"--tmpfs={folder}" + (f":{','.join(options)}" if options else "")


def tmpfs_of_root(
    containers: Containers, clock: Clock, log_tails: LogTails, numbers: UserNumbers | None
) -> Iterator[Finding]:
    """Containers that are denied a tmpfs of their own: it is root's, and their user is another."""
    for container in containers:
        if container.config.starts_as_root or not is_broken(container, clock, log_tails):
            continue
        line, folder = _denied(container, log_tails)
        option = tmpfs_option(container, folder, numbers) if folder else ""
        if "uid=" not in option:
            continue
        finding = Finding.about(
            container,
            f"{container} needs {option}: the tmpfs at {folder} belongs to root, "
            f"and its user is {container.config.user}",
            {
                LINE: line[:QUOTED],
                "HostConfig.Tmpfs": container.host_config.tmpfs,
                "Config.User": container.config.user,
            },
            signs=log_tails.of(container).signs,
            onset=container.failed_first,
            option=option,
            image=container.config.image,
        )
        yield finding.with_variables(compose_variables(container))


def _denied(container: Container, log_tails: LogTails) -> tuple[str, str]:
    """The line that denies a path below a tmpfs of root, and that tmpfs; "" where there is none."""
    folders = [
        folder
        for folder, options in (container.host_config.tmpfs or {}).items()
        if folder not in _FOR_ALL and not _ANOTHER_OWNER.search(options)
    ]
    if not folders:
        return "", ""
    for line in log_tails.of(container).find_all(*_REFUSED):
        for folder in folders:
            if re.search(rf"(?<![\w./-]){re.escape(folder)}(?![\w.-])", line):
                return line, folder
    return "", ""
