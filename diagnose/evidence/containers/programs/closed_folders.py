"""Folders that a web framework writes at each request, closed to the users of its processes.

A program with this fault answers each request with 500, and gives the reason only in the page that
it shows: its log is in that very folder. The code was copied or mounted with another owner than the
workers have.
"""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.access.file_access import ENTER, WRITE, HostUser
from diagnose.evidence.containers.mounts.access.program_users import (
    ProgramUser,
    none_may,
    program_users,
)
from diagnose.evidence.containers.programs.code_folders import code_folders
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import ByContainer
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.pages.failed_answers import AllFailedAnswers
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.registry import evidence


class _Framework(msgspec.Struct, frozen=True):
    """A web framework, and the paths that its pages write (the documentation of each)."""

    name: str
    mark: str
    """A file that shows that it is there."""
    written: tuple[str, ...]
    """Its folders, the likeliest first."""


_FRAMEWORKS = (
    _Framework(
        "Laravel",
        "artisan",
        ("storage", "storage/logs", "storage/framework/views", "bootstrap/cache"),
    ),
    _Framework("Symfony", "bin/console", ("var", "var/cache", "var/log")),
    _Framework("CakePHP", "bin/cake", ("tmp", "tmp/cache", "logs")),
    _Framework("Yii", "yii", ("runtime", "web/assets")),
    _Framework("CodeIgniter", "spark", ("writable", "writable/cache", "writable/logs")),
    _Framework("Magento", "bin/magento", ("var", "var/cache", "generated")),
)
_OWN_ERROR = 500


class ClosedFolder(msgspec.Struct, frozen=True):
    """A folder inside the container, and the user who may not write to it."""

    path: str
    framework: str
    status: PathStatus
    program: str
    user: HostUser


class ClosedFolders(ByContainer[ClosedFolder], frozen=True):
    """The first closed folder of a container whose requests fail."""


@evidence
def closed_folders(
    host: Host, all_failed_answers: AllFailedAnswers, processes: Processes, info: Info | None
) -> ClosedFolders:
    """The folders that are closed to servers which answer with 500 and do not say why.

    The collector gives nothing where the engine gives users of containers other numbers.
    """
    if info is not None and (info.has_userns_remap or info.is_rootless):
        return ClosedFolders()
    by_id: dict[str, ClosedFolder] = {}
    for failed in all_failed_answers:
        if failed.status != _OWN_ERROR or failed.printed.explains:
            continue
        container = failed.container
        users = program_users(host, processes.inside(container.id))
        closed = _closed_folder(host, container, users) if users else None
        if closed is not None:
            by_id[container.id] = closed
    return ClosedFolders(by_id)


def _closed_folder(
    host: Host, container: Container, users: tuple[ProgramUser, ...]
) -> ClosedFolder | None:
    """The first folder of the container's framework that none of its users may write."""
    root = f"/proc/{container.state.pid}/root"
    places = [(base, framework) for base in code_folders(container) for framework in _FRAMEWORKS]
    paths = {
        f"{root}{base}/{path}"
        for base, framework in places
        for path in (framework.mark, *framework.written)
    }
    statuses = host.ask(StatPaths(sorted(paths), follow=False))
    if isinstance(statuses, Failed):
        return None
    for base, framework in places:
        if statuses[f"{root}{base}/{framework.mark}"].type != "file":
            continue
        for folder in framework.written:
            path = f"{base}/{folder}"
            status = statuses[root + path]
            if status.type == "folder" and none_may(users, status, WRITE | ENTER):
                first = users[0]
                return ClosedFolder(path, framework.name, status, first.program, first.user)
    return None
