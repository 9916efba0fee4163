"""Crontabs inside containers that cron skips, or reads with another meaning.

Cron reports that to syslog, which a container does not have.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs.cron_jobs import PROGRAMS, SPOOL, SYSTEM, names_of_tables
from diagnose.evidence.images.listing import Images
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.cron_calls import JobCalls
from diagnose.evidence.machine.passwd import USERS_FILE, user_entries
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import FileText, ReadFile
from diagnose.registry import evidence

MOST = 12
"""Containers with cron that are looked into."""
MOST_TABLES = 12
"""Crontabs of one container."""
_SYSTEM_TABLE = "/etc/crontab"
_OF_HOST = ("/etc/cron", "/var/spool/cron")
_FOLDERS = ("/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly")
_READ_NAME = LazyPattern(r"[A-Za-z0-9_-]+")
"""Debian's cron and run-parts read files with such names alone."""
_JOB_ENDS = (".sh", ".cron", ".crontab", ".txt", ".conf", ".job", ".py")
"""Ends of names that people give to a job; others are of copies and of packages."""
_OTHERS_WRITE = 0o022
_OF_USERS = 0o600
_SCHEDULES = LazyPattern(r"cron|sched|ofelia|jobber|supervis|systemd|runsv|s6-|\bat?d$")
"""Programs that run jobs by a crontab or a schedule, or that may start cron later."""
_CALLED_CRON = LazyPattern(r"(?:^|[-_./])cron(?:tab|jobs?)?(?:$|[-_.:\d])")
_LABELLED_JOBS = frozenset({"chadburn", "deck-chores", "ofelia"})
"""Schedulers that read their jobs from the labels of containers, as the labels begin."""
_SETTLED_S = 10.0
"""Start scripts have started cron by then."""


class CrontabDefect(msgspec.Struct, frozen=True):
    """A crontab that a running cron does not use as intended."""

    container: Container
    path: str
    kind: str
    """daemon, name, mode, owner, open, command, user, percent or return."""
    line: int = 0
    """The line number, 0 for the whole file."""
    word: str = ""
    """The defective word: the mode, the owner, the first word of the line."""
    is_asked_for: bool = True
    """Whether a person wants this container to run the jobs: images bring crontabs for others."""


class CrontabDefects(Items[CrontabDefect], frozen=True):
    """The first defect of each crontab."""


@evidence
def crontab_defects(
    host: Host,
    containers: Containers,
    processes: Processes,
    images: Images | None,
    clock: Clock,
    job_calls: JobCalls | None,
) -> CrontabDefects:
    """The defects of crontabs in containers with cron.

    A few small files are read of each container in which cron runs, or which was created to run it;
    most hosts have none. Debian's cron is called `cron`, and refuses whole files. Other ones
    (`crond`) read different formats: only lines that all of them read the same way count.
    """
    with_cron = [
        container
        for container in containers.running
        if processes.names_inside(container.id) & PROGRAMS
    ]
    defects: list[CrontabDefect] = []
    for container in host.first(with_cron, MOST, "containers with cron"):
        is_debian = "cron" in processes.names_inside(container.id)
        defects += _defects_of_container(host, container, is_debian=is_debian)
    without = _without_scheduler(containers, processes, images, job_calls)
    for container in host.first(without, MOST, "containers with a crontab and no cron"):
        if clock.has_passed(container.started_at, _SETTLED_S):
            defects += _table_without_a_cron(host, container)
    return CrontabDefects(tuple(defects))


def _without_scheduler(
    containers: Containers, processes: Processes, images: Images | None, job_calls: JobCalls | None
) -> list[Container]:
    """The containers that should run their crontab, and in which no scheduler runs."""
    idle = [own for own in containers.running if _runs_no_scheduler(own, processes)]
    idle_ids = {own.id for own in idle}
    busy = [own for own in containers.running if own.id not in idle_ids]
    called = {call.target for call in job_calls or ()}
    unserved = [
        container
        for container in idle
        if not _is_served(container, busy) and not _has_jobs_of_others(container, called)
    ]
    return [
        container
        for container in unserved
        if _is_asked_to_run_it(container) or _is_built_here(container, images)
    ]


def _is_asked_to_run_it(container: Container) -> bool:
    """Whether a crontab is mounted, or the container has the name of cron."""
    names = (container.name, container.compose_service)
    return bool(_mounted_crontabs(container)) or any(map(_CALLED_CRON.search, names))


def _is_built_here(container: Container, images: Images | None) -> bool:
    """Whether the image came from no registry.

    Those of others ship crontabs that a second container of theirs is for; so may the image that
    this one was built on.
    """
    image = images.of(container) if images is not None else None
    return image is not None and not image.digests


def _is_served(container: Container, busy: Sequence[Container]) -> bool:
    """Whether a container that runs jobs has the same crontabs: those mounted, or the image's.

    Two services of a project are often built from one Dockerfile.
    """
    sources = {mount.source for mount in _mounted_crontabs(container)}
    if sources:
        return any(other.mounts_from(*sources) for other in busy)
    project = container.compose_project
    return any(
        other.image == container.image or (project and other.compose_project == project)
        for other in busy
    )


def _has_jobs_of_others(container: Container, called: Collection[str]) -> bool:
    """Whether a scheduler outside runs jobs in a container: the host's cron, or one that reads its
    labels. called: the containers that jobs of the host name."""
    labels = (label.partition(".")[0] for label in container.labels)
    return container.name in called or not _LABELLED_JOBS.isdisjoint(labels)


def _runs_no_scheduler(container: Container, processes: Processes) -> bool:
    """Whether no process of a container may be cron, or start it later."""
    inside = processes.inside(container.id)
    return bool(inside) and not any(_SCHEDULES.search(task.program) for task in inside)


def _mounted_crontabs(container: Container) -> list[Mount]:
    """The mounted crontabs, or folders of crontabs, without the host's own."""
    return [
        mount
        for mount in container.bind_mounts
        if not mount.source.startswith(_OF_HOST)
        and (
            mount.destination.startswith((f"{SYSTEM}/", f"{SPOOL}/", "/etc/crontabs/"))
            or mount.destination.rstrip("/") in (SYSTEM, SPOOL, _SYSTEM_TABLE, "/etc/crontabs")
        )
    ]


def _table_without_a_cron(host: Host, container: Container) -> Iterator[CrontabDefect]:
    """The first crontab with a job of its own, in a container that runs no cron."""
    root = f"/proc/{container.state.pid}/root"
    mounted = [
        mount.destination
        for mount in _mounted_crontabs(container)
        if mount.destination.startswith((f"{SYSTEM}/", SPOOL))
    ]
    spool = [f"{SPOOL}/{name}" for name in names_of_tables(host, root, SPOOL)]
    system = [f"{SYSTEM}/{name}" for name in names_of_tables(host, root, SYSTEM)]
    for path in dict.fromkeys([*mounted, *spool, *system][:MOST_TABLES]):
        file = host.answer_or(ReadFile(path, root=root, parts="crontab"), FileText(""))
        if file.text.startswith("jobs "):
            is_asked_for = _is_asked_to_run_it(container)
            yield CrontabDefect(container, path, "daemon", is_asked_for=is_asked_for)
            return


def _defects_of_container(
    host: Host, container: Container, *, is_debian: bool
) -> Iterator[CrontabDefect]:
    """The first defect of each crontab in the container, and the scripts that cron passes over."""
    root = f"/proc/{container.state.pid}/root"
    spool = [f"{SPOOL}/{name}" for name in names_of_tables(host, root, SPOOL)]
    system = (
        [f"{SYSTEM}/{name}" for name in names_of_tables(host, root, SYSTEM)] if is_debian else []
    )
    users = _users(host, root) if spool or is_debian else _Users()
    tables = [*spool, *system, *([_SYSTEM_TABLE] if is_debian else [])]
    for path in tables[:MOST_TABLES]:
        file = host.ask(ReadFile(path, root=root, parts="crontab"))
        if isinstance(file, Failed) or not file.text.strip():
            continue
        defect = _first_defect(container, path, file, users, is_debian=is_debian)
        if defect is not None:
            yield defect
    if is_debian:
        yield from _unread_scripts(host, root, container)


def _unread_scripts(host: Host, root: str, container: Container) -> Iterator[CrontabDefect]:
    """The scripts for run-parts with a dot in their names."""
    for folder in _FOLDERS:
        for name in names_of_tables(host, root, folder):
            if name.endswith(_JOB_ENDS):
                yield CrontabDefect(container, f"{folder}/{name}", "name", word=name)


class _Users(msgspec.Struct, frozen=True):
    """The users of a container."""

    numbers: Mapping[str, int] = {}
    is_host_root: bool = False
    """Whether its root is that of the host: otherwise the host sees other numbers than cron."""


def _users(host: Host, root: str) -> _Users:
    passwd = host.answer_or(ReadFile(USERS_FILE, root=root), FileText(""))
    numbers = {entry.name: entry.uid for entry in user_entries(passwd.text)}
    return _Users(numbers, is_host_root=passwd.uid == 0)


def _first_defect(
    container: Container, path: str, file: FileText, users: _Users, *, is_debian: bool
) -> CrontabDefect | None:
    """The defect for which cron refuses the file, else the first line with another effect."""
    is_system = not path.startswith(SPOOL)
    if is_debian:
        refused = _defect_of_file(path, file, users)
        if refused is not None:
            kind, word = refused
            return CrontabDefect(container, path, kind, word=word)
    for line in file.text.splitlines():
        kind, number, *rest = line.split(" ", 2)
        if _is_defect(kind, "".join(rest), users.numbers, is_system=is_system, is_debian=is_debian):
            return CrontabDefect(container, path, kind, int(number), "".join(rest))
    return None


def _defect_of_file(path: str, file: FileText, users: _Users) -> tuple[str, str] | None:
    """The defect for which Debian's cron reads no line of a crontab, with its value; or None."""
    name = path.rpartition("/")[2]
    if path.startswith(f"{SYSTEM}/") and not _READ_NAME.fullmatch(name):
        return ("name", name) if name.endswith(_JOB_ENDS) else None
    if file.mode is None or file.uid is None or not users.is_host_root:
        return None
    if not path.startswith(SPOOL):
        if file.uid != 0:
            return "owner", str(file.uid)
        return ("mode", f"{file.mode:o}") if file.mode & _OTHERS_WRITE else None
    if name in users.numbers and file.uid not in (users.numbers[name], 0):
        return "owner", str(file.uid)
    return ("mode", f"{file.mode:o}") if file.mode != _OF_USERS else None


def _is_defect(
    kind: str, word: str, users: Mapping[str, int], *, is_system: bool, is_debian: bool
) -> bool:
    """Whether the content of a line is a defect for the cron of this container."""
    if kind == "jobs":
        return False
    if kind == "command":
        return is_system and is_debian and word not in users
    if kind == "user":
        return not is_system and word in users
    return kind == "return" or is_debian
