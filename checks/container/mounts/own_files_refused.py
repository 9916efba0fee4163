"""container.own-files-refused: a container's user may not use files of its own image."""

from __future__ import annotations

from typing import NamedTuple

from checks.container.claims import is_broken
from checks.container.helpers import LINE
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.bind_mounts import named_path
from diagnose.evidence.containers.programs.refused_programs import REFUSED
from diagnose.evidence.images.details import ImageDetails
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import quoted
from diagnose.registry import check

_DENIED = ("permission denied", "eacces", "accessdenied")
_PATH = LazyPattern(r"(?<![\w./])/[\w.@+-]+(?:/[\w.@+-]+)*")
_OF_THE_KERNEL = ("/proc", "/sys", "/dev")
CANNOT_EXECUTE = 126


@check("container.own-files-refused", severity=Severity.critical)
def own_files_refused(
    containers: Containers, clock: Clock, log_tails: LogTails, image_details: ImageDetails
) -> CheckResult:
    """A container's user has no access to files of its own image.

    The log of a failed container says that it was denied a path which no mount holds, so that it is
    the image's own. The container was given a user (`--user`, `user:`) that is not the image's,
    whose files belong to the image's user or to root. A container with its image's own user is left
    alone: there the image is at fault, or the program asks for what it may not have.
    """
    for container in containers:
        detail = image_details.by_id.get(container.image)
        if detail is None:
            continue
        own = detail.config.user if detail.config else ""
        configured = container.config.user
        if not configured or _is_same(configured, own):
            continue
        if not is_broken(container, clock, log_tails):
            continue
        if container.state.exit_code == CANNOT_EXECUTE:
            continue
        denied = _denied(container, log_tails)
        if denied is None:
            continue
        planned = f'user "{own}"' if own else "root"
        yield Finding.about(
            container,
            f"{container} may not use {denied.path}, a file of its own image: it runs as "
            f"user {configured}, but the image is made for {planned}",
            {
                LINE: quoted(denied.line),
                "Config.User": configured,
                "the image's user": own or "root (none is set)",
            },
            signs=log_tails.of(container).signs,
            onset=container.failed_first,
            overridden="user",
        )
    return None


def _is_same(given: str, own: str) -> bool:
    """Whether two settings name one user; a group behind it does not count, and root is 0 too."""
    users = [(name.partition(":")[0] or "root") for name in (given, own)]
    return len({"root" if user == "0" else user for user in users}) == 1


class _Denied(NamedTuple):
    """A path in the image, and the line of the log that says it was denied."""

    path: str
    line: str


def _denied(container: Container, log_tails: LogTails) -> _Denied | None:
    for line in log_tails.of(container).find_all(*_DENIED):
        paths = _PATH.findall(line)
        if not paths or REFUSED.search(line) or named_path(container, line) is not None:
            continue
        path = paths[-1]
        if not path.startswith(_OF_THE_KERNEL):
            return _Denied(path, line)
    return None
