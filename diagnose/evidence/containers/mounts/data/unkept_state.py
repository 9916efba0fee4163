"""Data that programs keep outside mounts, beside their main data: queued mails, jobs, certificates.

Their folder is known, and no mount holds it: a recreate removes what is there.
"""

import itertools
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import paired
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED, FolderEntry, ListFolder
from diagnose.registry import evidence

MOST = 12
"""Containers that are looked into."""
_MOST_FOLDERS = 20
_BY_HAND_S = 120.0
"""Start scripts write crontabs within so many seconds of a container's start."""


class StatePlace(msgspec.Struct, frozen=True):
    """A folder with state of one program."""

    noun: str
    """The name of one entry."""
    programs: frozenset[str]
    """The names of its processes."""
    folder: str
    """The folder that needs a volume."""
    below: tuple[str, ...]
    """The folders of the entries below it."""
    entry: LazyPattern
    is_deep: bool = False
    """Whether the entries are in folders there."""
    is_made_at_start: bool = False
    """Whether start scripts may write them: then only later ones count."""


_POSTFIX = frozenset({"master", "qmgr"})
_EXIM = frozenset({"exim", "exim4"})
_CRON = frozenset({"cron", "crond"})
_TLS = frozenset(
    {"apache2", "certbot", "haproxy", "httpd", "nginx", "crond", "cron", "supercronic"}
)
_MESSAGE = LazyPattern(r"[0-9A-Za-z]{6,24}")
_PLACES = (
    StatePlace(
        "waiting mail", _POSTFIX, "/var/spool/postfix", ("deferred", "hold"), _MESSAGE, is_deep=True
    ),
    StatePlace("waiting mail", _EXIM, "/var/spool/exim4", ("input",), LazyPattern(r".{4,80}-H")),
    StatePlace("waiting mail", _EXIM, "/var/spool/exim", ("input",), LazyPattern(r".{4,80}-H")),
    StatePlace(
        "crontab",
        _CRON,
        "/var/spool/cron/crontabs",
        ("",),
        LazyPattern(r"[a-z_][\w-]{0,31}"),
        is_made_at_start=True,
    ),
    StatePlace(
        "crontab",
        _CRON,
        "/etc/crontabs",
        ("",),
        LazyPattern(r"[a-z_][\w-]{0,31}"),
        is_made_at_start=True,
    ),
    StatePlace(
        "certificate", _TLS, "/etc/letsencrypt", ("live",), LazyPattern(r"^[\w-]+(?:\.[\w-]+)+")
    ),
)
"""Postfix moves a mail that it could not hand over into `deferred`, in folders by its first
letter; of a mail in Exim's queue the file with its headers ends with -H."""


class UnkeptState(msgspec.Struct, frozen=True):
    """State of a program in the container's writable layer."""

    container: Container
    place: StatePlace
    where: str
    """The folder with the entries."""
    number: int


class UnkeptStates(Items[UnkeptState], frozen=True):
    """The unkept states, at most one for each folder."""


@evidence
def unkept_states(host: Host, containers: Containers, processes: Processes) -> UnkeptStates:
    """Unmounted state folders of containers that restart always, with the number of entries.

    All folders take one question, and each existing one takes a listing.
    """
    restarting = (container for container in containers.running if container.restarts_always)
    candidates = list(paired(restarting, lambda container: [*_places(container, processes)]))
    looked_at = host.first(candidates, MOST, "containers with mails or crontabs")
    folders = [
        _Folder(container, place, below)
        for container, places in looked_at
        for place in places
        for below in place.below
    ]
    paths = [folder.on_host for folder in folders]
    statuses = path_statuses(host, paths, follow=False)
    states: dict[tuple[str, str], UnkeptState] = {}
    for folder in folders:
        is_there = statuses.get(folder.on_host, NOT_ASKED).type == "folder"
        number = _count(host, folder) if is_there else 0
        if number:
            state = UnkeptState(folder.container, folder.place, folder.path, number)
            states.setdefault((folder.container.id, folder.place.folder), state)
    return UnkeptStates(tuple(states.values()))


class _Folder(msgspec.Struct, frozen=True):
    """A folder of a running container that may have entries of a kind."""

    container: Container
    place: StatePlace
    below: str

    @property
    def path(self) -> str:
        return f"{self.place.folder}/{self.below}".rstrip("/")

    @property
    def root(self) -> str:
        return f"/proc/{self.container.state.pid}/root"

    @property
    def on_host(self) -> str:
        return f"{self.root}{self.path}"


def _places(container: Container, processes: Processes) -> Iterator[StatePlace]:
    """The folders of a container's programs that no mount holds."""
    names = processes.names_inside(container.id)
    for place in _PLACES:
        paths = [f"{place.folder}/{below}".rstrip("/") for below in place.below]
        is_mounted = any(innermost_mount(container.mounts, path) is not None for path in paths)
        if not is_mounted and not place.programs.isdisjoint(names):
            yield place


def _count(host: Host, folder: _Folder) -> int:
    """The number of entries that neither the image nor a start script has created."""
    entries = _entries(host, folder.root, folder.path)
    if folder.place.is_deep:
        return _number_in_folders(host, folder, entries)
    names = [entry.name for entry in entries if folder.place.entry.fullmatch(entry.name)]
    return _number_changed(host, folder, names) if names else 0


def _number_in_folders(host: Host, folder: _Folder, entries: list[FolderEntry]) -> int:
    """The number of its files, with those in the first folders below it."""
    inner = [entry.name for entry in entries if entry.type == "folder"][:_MOST_FOLDERS]
    below = [_entries(host, folder.root, f"{folder.path}/{name}") for name in inner]
    files = [entry for entry in itertools.chain(entries, *below) if entry.type == "file"]
    return sum(folder.place.entry.fullmatch(file.name) is not None for file in files)


def _number_changed(host: Host, folder: _Folder, names: list[str]) -> int:
    """The number of its entries that were changed after the container was made, or started."""
    paths = [f"{folder.on_host}/{name}" for name in names]
    statuses = path_statuses(host, paths, follow=False)
    since = folder.container.created_at or 0.0
    if folder.place.is_made_at_start:
        since = (folder.container.started_at or 0.0) + _BY_HAND_S
    return sum((status.mtime or 0.0) > since for status in statuses.values())


def _entries(host: Host, root: str, folder: str) -> list[FolderEntry]:
    listing = host.ask(ListFolder(folder, root=root))
    return [] if isinstance(listing, Failed) else listing.entries
