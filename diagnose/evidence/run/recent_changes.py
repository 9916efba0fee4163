"""Changes on the host within the time that the run looks back (`--since`).

If no cause of a failure is known, a person first asks for changes before its begin. Nothing here
says that a change is the cause.
"""

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from diagnose.evidence.containers.compose.compose_files import project_files
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import suspicious
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.package_log import READERS, ChangedPackage, read_logs
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import RecentChange, RecentChanges, Subject
from diagnose.phrases import agree, count, named
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED, ListFolder
from diagnose.registry import evidence

__all__ = ["RecentChanges", "recent_changes"]


class _Step(Protocol):
    """A part of a longer change: a package, a container."""

    @property
    def at(self) -> float:
        """Unix time."""
        ...


Step = TypeVar("Step", bound=_Step)

MOST_PATHS = 200
MOST_FOLDERS = 20
MOST_ENTRIES = 50
"""Files of a mounted folder that are looked at."""
ONE_RUN_S = 120.0
"""Packages that follow each other within so many seconds are one run of their manager, and
containers one deployment."""
_WRITTEN_BY_PEOPLE = LazyPattern(
    r"""(?xi) [^/]*[.](?: conf | cfg | cnf | ini | ya?ml | toml | json | xml | hcl | env | properties
    | rules | list | acl | zone | sh | sql | lua | vcl | tmpl | htpasswd | crt | pem | key | pfx )
    | [.]env[^/]* | [^/.]+ """
)
"""Names of files that programs read and people or their tools write. Programs write logs and
databases again all the time. A name without an ending is one like Caddyfile."""
_LIVE_FOLDERS = ("/var/log/", "/run/", "/var/run/", "/proc/", "/sys/", "/dev/")
"""Folders to which the host itself writes."""
_OF_THE_ENGINE = LazyPattern(
    r"(?i)docker|containerd|runc|crun|podman|netavark|aardvark|iptables|nftables|firewalld|ufw"
    r"|apparmor|selinux|nvidia|linux-image|kernel|systemd|libc6|glibc"
)
"""Packages on which containers depend: they are named first."""


@evidence
def recent_changes(
    host: Host, clock: Clock, options: Options, containers: Containers | None, events: Events | None
) -> RecentChanges:
    """The known changes, oldest first.

    One question asks for the logs of package managers, one for the files that containers use. More
    follow for a log that has changed, and for mounted folders. Containers in trouble come first,
    since the number of files is limited.
    """
    of_interest = sorted(
        (
            container
            for container in containers or ()
            if container.is_running or suspicious(container, clock.wall, options.since_s)
        ),
        key=lambda container: not suspicious(container, clock.wall, options.since_s),
    )
    changes = [
        *_packages(host, clock.wall - options.since_s),
        *_files(host, of_interest),
        *_pulls(of_interest, events),
        *_disconnections(containers, events),
        *_creations(containers),
    ]
    earliest = clock.wall - options.since_s
    return RecentChanges(tuple(sorted(change for change in changes if change.at >= earliest)))


def _packages(host: Host, earliest: float) -> Iterator[RecentChange]:
    statuses = path_statuses(host, list(READERS))
    written = [path for path, status in statuses.items() if (status.mtime or 0.0) >= earliest]
    for packages in read_logs(host, written):
        yield from (_package_run(run) for run in _runs(packages))


def _runs(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """The steps that follow each other, each such run apart. steps: oldest first."""
    run: list[Step] = []
    for step in steps:
        if run and step.at - run[-1].at > ONE_RUN_S:
            yield run
            run = []
        run.append(step)
    if run:
        yield run


def _package_run(run: Sequence[ChangedPackage]) -> RecentChange:
    by_name = {package.name: package for package in run}
    ordered = sorted(by_name.values(), key=lambda package: not _OF_THE_ENGINE.match(package.name))
    more = len(ordered) - 1
    text = f"package {ordered[0]}" + (f" and {count(more, 'other package')}" if more else "")
    return RecentChange(run[-1].at, text, "packages")


def _files(host: Host, containers: Sequence[Container]) -> Iterator[RecentChange]:
    """The changed files that containers use and people write.

    Mounted files, files in mounted folders with settings, and compose files.
    """
    used = [file for container in containers for file in _given_files(container)]
    folders = [file for file in used if file.holds_settings][:MOST_FOLDERS]
    files = [file for file in (*used, *_entries(host, folders)) if _is_by_people(file.path)]
    paths = list(dict.fromkeys(file.path for file in files))[:MOST_PATHS]
    statuses = path_statuses(host, paths, follow=True)
    for file in files:
        status = statuses.get(file.path, NOT_ASKED)
        if status.type == "file" and status.mtime is not None:
            yield RecentChange(status.mtime, f"{file.path} ({file.place})", "file", file.subject)


class _GivenFile(msgspec.Struct, frozen=True):
    """A file or folder of the host that a container uses.

    place: how the container gets it, in words. holds_settings: whether it may be a folder with
    settings, which people write and the program reads.
    """

    subject: Subject
    path: str
    place: str
    holds_settings: bool = False


def _given_files(container: Container) -> Iterator[_GivenFile]:
    for path in project_files(container):
        yield _GivenFile(container.subject, path, "file of its compose project")
    for mount in container.bind_mounts:
        place = f"mounted at {mount.destination}"
        yield _GivenFile(container.subject, mount.source, place, _holds_settings(mount))


def _holds_settings(mount: Mount) -> bool:
    """Whether a folder is read by the program and written by people."""
    return not mount.rw or "conf" in mount.destination or mount.destination.startswith("/etc/")


def _is_by_people(path: str) -> bool:
    """Whether a file is called like one that people write, and does not lie where the host does."""
    name = posixpath.basename(path.rstrip("/"))
    return not path.startswith(_LIVE_FOLDERS) and bool(_WRITTEN_BY_PEOPLE.fullmatch(name))


def _entries(host: Host, folders: Sequence[_GivenFile]) -> Iterator[_GivenFile]:
    """The entries in the order of the folders.

    Their paths make one question, which a recording knows by its paths in this order.
    """
    listings = host.answers_about(
        folders, lambda folder: ListFolder(folder.path, limit=MOST_ENTRIES)
    )
    for folder in folders:
        entries = listings[folder].entries if folder in listings else ()
        for entry in entries:
            path = f"{folder.path.rstrip('/')}/{entry.name}"
            yield _GivenFile(folder.subject, path, f"its folder is {folder.place}")


def _pulls(containers: Iterable[Container], events: Events | None) -> Iterator[RecentChange]:
    """The images that were pulled before a container was created from them."""
    pulls = [event for event in events or () if (event.type, event.action) == ("image", "pull")]
    for container in containers:
        for event in pulls:
            if container.config.image in (event.id, event.name):
                text = f'image "{container.config.image}" was pulled'
                yield RecentChange(event.at, text, "event", container.subject)


def _disconnections(containers: Containers | None, events: Events | None) -> Iterator[RecentChange]:
    """Networks from which a running container was disconnected.

    A container that ends is disconnected too: those events do not count."""
    for event in events or ():
        if (event.type, event.action) != ("network", "disconnect") or containers is None:
            continue
        container = containers.by_id.get(event.attributes.get("container", ""))
        if container is None or not container.is_running or event.at < (container.started_at or 0):
            continue
        text = f'container "{container.name}" was disconnected from network "{event.name}"'
        yield RecentChange(event.at, text, "event", container.subject)


class _Creation(NamedTuple):
    """The Unix time of a container's creation, and its name."""

    at: float
    name: str


def _creations(containers: Containers | None) -> Iterator[RecentChange]:
    """Containers that were created: a new one has other settings or another image than the old."""
    created = sorted(
        _Creation(container.created_at, container.name)
        for container in (containers.running if containers is not None else ())
        if container.created_at is not None and not container.host_config.auto_remove
    )
    for deployment in _runs(created):
        names = [creation.name for creation in deployment]
        text = f"{named('container', names)} {agree(names, 'was', 'were')} created"
        yield RecentChange(deployment[-1].at, text, "created")
