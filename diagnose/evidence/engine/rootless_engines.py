"""Rootless engines of users that do not run, on a host whose own engine has no containers."""

from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.items import Items
from diagnose.evidence.machine.passwd import USERS_FILE, user_entries
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_answers import file_text, path_statuses
from diagnose.questions.files import ListFolder, PathStatus
from diagnose.registry import evidence

__all__ = ["RootlessEngine", "RootlessEngines", "rootless_engines"]

FIRST_UID = 1000
LAST_UID = 60_000
"""The range of user ids that distributions give to people and their services."""
MOST_USERS = 50
SYSTEMD = "/var/lib/systemd"
"""Folder without which the starter of users' engines is not known."""
CONTAINERS = ".local/share/docker/containers"
"""The folder below the home of a rootless engine's containers, unless its configuration names
another."""


class RootlessEngine(msgspec.Struct, frozen=True):
    """The engine of one user, which does not run."""

    user: str
    uid: int
    containers: int
    """The number of containers in the engine's data root."""
    lingers: bool
    """Whether systemd runs services of the user who is not logged in."""
    has_session: bool
    """Whether the user's runtime folder is there, without which no engine of the user runs."""

    @property
    def needs_linger(self) -> bool:
        """Whether it cannot run because its user is not logged in."""
        return not self.lingers and not self.has_session


class RootlessEngines(Items[RootlessEngine], frozen=True):
    """The engines that have containers."""


class _User(msgspec.Struct, frozen=True):
    """A person, or a service of a person's."""

    name: str
    uid: int
    home: str

    @property
    def containers(self) -> str:
        return f"{self.home}/{CONTAINERS}"

    @property
    def linger(self) -> str:
        return f"/var/lib/systemd/linger/{self.name}"

    @property
    def runtime(self) -> str:
        return f"/run/user/{self.uid}"


@evidence
def rootless_engines(host: Host, daemon: Daemon, containers: Containers | None) -> RootlessEngines:
    """The rootless engines on this host whose containers may be missed.

    The collector asks only where no engine answers, and the host's own one has left no container.
    Other users' homes are open only to root.
    """
    has_own = containers is not None and (containers.items or containers.unexamined)
    if not daemon.is_down or daemon.endpoint.named or has_own:
        return RootlessEngines()
    stopped = _without_an_engine(host, daemon)
    if not stopped:
        return RootlessEngines()
    paths = [path for user in stopped for path in (user.containers, user.linger, user.runtime)]
    statuses = path_statuses(host, [SYSTEMD, *paths])
    if not _is_there(statuses, SYSTEMD):
        return RootlessEngines()
    stopped_here = [user for user in stopped if _is_there(statuses, user.containers)]
    return RootlessEngines(tuple(_engines(host, stopped_here, statuses)))


def _without_an_engine(host: Host, daemon: Daemon) -> list[_User]:
    """The users of this host whose engine does not run, if they have one."""
    passwd = file_text(host, USERS_FILE)
    users = list(_users(passwd))[:MOST_USERS]
    running = {process.uid for process in daemon.processes.others}
    return [user for user in users if user.uid not in running]


def _users(text: str) -> Iterator[_User]:
    for entry in user_entries(text):
        if FIRST_UID <= entry.uid <= LAST_UID and entry.home.startswith("/"):
            yield _User(entry.name, entry.uid, entry.home.rstrip("/"))


def _engines(
    host: Host, users: list[_User], answer: Mapping[str, PathStatus]
) -> Iterator[RootlessEngine]:
    """The users whose rootless engine has containers in its data folder."""
    for user, folder in host.ask_about(users, lambda user: ListFolder(user.containers)):
        if isinstance(folder, Failed) or not folder.entries:
            continue
        yield RootlessEngine(
            user.name,
            user.uid,
            containers=len(folder.entries),
            lingers=_is_there(answer, user.linger),
            has_session=_is_there(answer, user.runtime),
        )


def _is_there(answer: Mapping[str, PathStatus], path: str) -> bool:
    return path in answer and not answer[path].failed
