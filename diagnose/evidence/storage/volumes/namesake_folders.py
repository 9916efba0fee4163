"""Folders that a container should have, while an empty one at another place is mounted.

A name in a compose file is a volume, and with `./` before it a folder; `docker run -v` takes a name
the same way. `~` is the home of the caller of compose. An unset variable leaves only the path
behind it. In each case an empty place is created without any notice.
"""

import itertools
import posixpath
from collections.abc import Iterator, Sequence, Set

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.called_database import is_database
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.volumes.left_volumes import ALIKE, RECENT_S
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing, path_statuses
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.questions.images import ListVolumes, VolumeList
from diagnose.registry import evidence

MOST = 12
"""Mounts that are looked at, the youngest first."""
MOST_HOMES = 8
MOST_ENTRIES = 20
_TOGETHER_S = 60.0
"""A volume was made for a container that is younger by less."""
MOST_CALLERS = 80
"""Folders from which a person may have called docker."""
_OWN = LazyPattern(r"(?i)(?:^|[-_.])(?:assets|cache|dist|logs?|media|public|static|temp|tmp)$")
"""Folders that a project keeps beside the volume of their name: sources of the volume's content."""
_OF_ROOT = LazyPattern(
    r"/(?:bin|boot|dev|etc|home|lib(?:32|64|x32)?|media|mnt|nfs|opt|proc|root|run|s?bin|share|shared|srv|storage"
    r"|sys|tank|tmp|usr|var|volume\d+)(?:/|$)"
)
"""The folders of the root that hosts have."""


class NamesakeFolder(msgspec.Struct, frozen=True):
    """A container's mount, and the folder with the data that was probably intended."""

    container: Container
    mount: Mount
    kind: str
    """volume, run, home, variable or project: the cause of the wrong folder."""
    folder: str
    entries: tuple[str, ...]
    """The entries in it, or in both."""
    is_empty: bool
    """Whether nothing at all is in what is mounted."""


class NamesakeFolders(Items[NamesakeFolder], frozen=True):
    """The folders of the same name, at most one for each mount."""


class _YoungMount(msgspec.Struct, frozen=True):
    """A mount of a container that was created within the last days."""

    container: Container
    mount: Mount


class _Candidate(msgspec.Struct, frozen=True):
    """A folder that a person may have intended for a mount."""

    container: Container
    mount: Mount
    kind: str
    folder: str


@evidence
def namesake_folders(host: Host, containers: Containers, clock: Clock) -> NamesakeFolders:
    """Folders with older data of the same names as in a new container's mount.

    All candidate folders take one question, and each existing one takes two listings. The mounts
    are those of containers that were created within the last days; without compose they are
    volumes, and not of a database, whose volume seldom was meant to be a folder. All files in the
    mount were written since then; the folder was last changed before, nobody mounts it, and most
    entries of the mount are there too.
    """
    all_young = sorted(
        _young_mounts(containers, clock), key=lambda young: -(young.container.created_at or 0.0)
    )
    young_mounts = host.first(all_young, MOST, "mounts of new containers")
    is_any_in_a_home = any(_is_in_a_home(young.mount.source) for young in young_mounts)
    is_any_alone = any(not young.container.compose_folder for young in young_mounts)
    homes = _homes(host) if is_any_in_a_home or is_any_alone else ()
    callers = _folders_of_callers(host, homes) if is_any_alone else ()
    candidates = [
        _unmounted_candidates(young, homes, callers, containers) for young in young_mounts
    ]
    existing = _existing_folders(
        host, {candidate.folder for candidate in itertools.chain(*candidates)}
    )
    folders: list[NamesakeFolder] = []
    for group in candidates:
        matches = (_match(host, candidate) for candidate in group if candidate.folder in existing)
        folder = only(list(filter(None, matches)))
        if folder is not None:
            folders.append(folder)
    return NamesakeFolders(tuple(folders))


def _unmounted_candidates(
    young: _YoungMount, homes: Sequence[str], callers: Sequence[str], containers: Containers
) -> list[_Candidate]:
    """The intended folders of a mount that no container has mounted.

    callers: the folders from which a person may have called docker.
    """
    used = containers.mount_sources
    container, mount = young.container, young.mount
    candidates: Iterator[_Candidate] | list[_Candidate]
    if container.compose_folder:
        candidates = _candidates(container, mount, homes)
    else:
        folders = (f"{folder}/{mount.name}" for folder in callers)
        candidates = [_Candidate(container, mount, "run", folder) for folder in folders]
    return [candidate for candidate in candidates if candidate.folder not in used]


def _existing_folders(host: Host, paths: Set[str]) -> set[str]:
    if not paths:
        return set()
    statuses = path_statuses(host, sorted(paths), follow=False)
    return {path for path, status in statuses.items() if status.type == "folder"}


def _young_mounts(containers: Containers, clock: Clock) -> Iterator[_YoungMount]:
    for container in containers.running:
        if not clock.is_within(container.created_at, RECENT_S) or container.swarm_service:
            continue
        for mount in container.mounts:
            if not mount.rw or not mount.has_host_path or mount.is_anonymous:
                continue
            if container.compose_folder or _may_be_meant_as_folder(container, mount):
                yield _YoungMount(container, mount)


def _may_be_meant_as_folder(container: Container, mount: Mount) -> bool:
    """Whether a container of `docker run` has a volume with the name of a folder."""
    is_plain = mount.type == "volume" and not _OWN.search(mount.name)
    return is_plain and not is_database(container)


def _is_in_a_home(path: str) -> bool:
    return path.startswith(("/root/", "/home/"))


def _homes(host: Host) -> Sequence[str]:
    listing = folder_listing(host, "/home")
    users = [f"/home/{entry.name}" for entry in listing.entries if entry.type == "folder"]
    return ["/root", *users[:MOST_HOMES]]


def _folders_of_callers(host: Host, homes: Sequence[str]) -> Sequence[str]:
    """The folders from which a person may have called docker: a home, or one folder deep in homes,
    /opt and /srv."""
    bases = [*homes, "/opt", "/srv"]
    below = [
        f"{base}/{entry.name}"
        for base in bases
        for entry in folder_listing(host, base).entries
        if entry.type == "folder" and not entry.name.startswith(".")
    ]
    return [*bases, *below][:MOST_CALLERS]


def _candidates(container: Container, mount: Mount, homes: Sequence[str]) -> Iterator[_Candidate]:
    """The folders that a person may have intended, by common mistakes in the mount's path."""
    project = container.compose_project
    folder = container.compose_folder
    source = mount.source
    if mount.type == "volume":
        name = mount.name.removeprefix(f"{project}_")
        if not _OWN.search(name) and "/" not in name:
            yield _Candidate(container, mount, "volume", f"{folder}/{name}")
        return
    parts = source.strip("/").split("/")
    if _is_in_a_home(source):
        rest = "/".join(parts[1:] if parts[0] == "root" else parts[2:])
        for home in homes:
            if rest:
                yield _Candidate(container, mount, "home", f"{home}/{rest}")
    elif not _OF_ROOT.match(source):
        name = posixpath.basename(folder)
        for base in dict.fromkeys((folder, f"/opt/{name}", f"/srv/{name}", f"/home/{name}")):
            yield _Candidate(container, mount, "variable", f"{base}{source}")
    if source.startswith(f"{folder}/"):
        inner = source[len(posixpath.dirname(folder)) :]
        for base in ("/opt", "/srv", "/root", *homes):
            yield _Candidate(container, mount, "project", f"{base}{inner}")


def _match(host: Host, candidate: _Candidate) -> NamesakeFolder | None:
    """The folder, where it holds the data that the mount lacks; else None."""
    created_at = candidate.container.created_at or 0.0
    names_of_mount = _names(host, candidate.mount.source)
    began = _times(host, candidate.mount.source, names_of_mount)
    older = {name for name, at in began.items() if at < created_at - 1.0}
    if older and not _is_new_volume(host, candidate.mount, created_at):
        return None
    # an engine fills a new volume with the files that the image has there
    written = names_of_mount - older
    names_of_folder = _names(host, candidate.folder)
    shared = written & names_of_folder
    if not names_of_folder or len(shared) < ALIKE * len(written):
        return None
    if not written and candidate.mount.type == "volume":
        return None
    ended = _times(host, candidate.folder, names_of_folder).values()
    if not ended or max(ended) >= created_at:
        return None
    return NamesakeFolder(
        candidate.container,
        candidate.mount,
        candidate.kind,
        candidate.folder,
        tuple(sorted(shared or names_of_folder)),
        is_empty=not names_of_mount,
    )


def _is_new_volume(host: Host, mount: Mount, created_at: float) -> bool:
    """Whether a mount is a volume that was created for a container of this age."""
    volumes = host.answer_or(ListVolumes(), VolumeList()).volumes or ()
    made_at = next(
        (unix(volume.created_at) for volume in volumes if volume.name == mount.name), None
    )
    return mount.type == "volume" and made_at is not None and made_at >= created_at - _TOGETHER_S


def _names(host: Host, path: str) -> frozenset[str]:
    listing = folder_listing(host, path)
    return frozenset(listing.names) - {"lost+found", ".gitkeep", ".keep"}


def _times(host: Host, path: str, names: frozenset[str]) -> dict[str, float]:
    """When the entries of a folder were last changed, by their names."""
    question = StatPaths([f"{path}/{name}" for name in sorted(names)[:MOST_ENTRIES]])
    none: dict[str, PathStatus] = {}
    statuses = host.answer_or(question, none) if names else none
    return {
        posixpath.basename(place): status.mtime
        for place, status in statuses.items()
        if status.mtime is not None
    }
