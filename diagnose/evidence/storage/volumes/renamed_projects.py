"""Volumes of a compose project's former name, with the data that its containers had before."""

import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.volumes.left_volumes import AFTER_S, RECENT_S, is_alike, last_changes
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes, Volume, compose_label
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

_NOT_OF_A_NAME = LazyPattern(r"[^a-z0-9_-]")
"""Characters that compose leaves out of a folder's name."""
MOST = 20
"""Mounts that are looked at."""


class RenamedProject(msgspec.Struct, frozen=True):
    """A container's volume, and the volume of the same name in a project that is gone."""

    container: Container
    destination: str
    """The mount point of the volume."""
    volume: str
    former: str
    project: str
    entries: tuple[str, ...]
    lived: float
    """Seconds from the former volume's creation to its last change."""
    gap: float
    """From that change to the creation of the container."""


class RenamedProjects(Items[RenamedProject], frozen=True):
    """The renamed projects, at most one for each mount."""


class _Pair(msgspec.Struct, frozen=True):
    """A container's volume, and an unused one of the same name in a project that is gone."""

    container: Container
    mount: Mount
    made: float
    """Unix time at which the container was created."""
    former: Volume

    @property
    def project(self) -> str:
        """The project that is gone."""
        return compose_label(self.former, "project")

    @property
    def are_deployments(self) -> bool:
        """Whether both projects were named on purpose, with one beginning and ends of their own.

        A pipeline names each of its deployments so: review-17, review-18. A project without a given
        name has that of its folder.
        """
        folder = posixpath.basename(self.container.compose_folder)
        names = (self.container.compose_project, self.project)
        begin = posixpath.commonprefix(names)
        begin = begin[: max(begin.rfind("-"), begin.rfind("_")) + 1]
        is_named = _NOT_OF_A_NAME.sub("", folder.lower()) != names[0]
        return is_named and bool(begin) and all(name != begin for name in names)

    @property
    def folder_of_other(self) -> str:
        """The folder beside the project's own where a project of the former name would be.

        "" where that is the project's own folder: it had the name of its folder, and lost it by a
        given name or by another version of compose, which derives another one.
        """
        folder = self.container.compose_folder
        sibling_folder = posixpath.join(posixpath.dirname(folder), self.project) if folder else ""
        return "" if sibling_folder == folder else sibling_folder


@evidence
def renamed_projects(
    host: Host, containers: Containers, unused: UnusedVolumes, clock: Clock
) -> RenamedProjects:
    """The volumes of a project's former name, where its new containers have empty ones.

    Compose puts the project's name before that of a volume: a project that is renamed, or whose
    folder is, starts with empty volumes. The collector looks where a young container of a project
    has a volume, and exactly one other project, of which no container is left, has an unused one of
    that name. A folder that cannot be listed is left out.
    """
    pairs = host.first(
        list(_pairs(containers, unused, clock)), MOST, "volumes of projects that may be renamed"
    )
    if not pairs:
        return RenamedProjects()
    paths = {path for pair in pairs for path in (pair.mount.source, pair.former.mountpoint)}
    names = {
        path: frozenset(answer.names)
        for path, answer in host.ask_about(sorted(paths), ListFolder)
        if not isinstance(answer, Failed)
    }
    similar_pairs = [
        pair
        for pair in pairs
        if is_alike(names.get(pair.mount.source), names.get(pair.former.mountpoint))
    ]
    renamed_pairs = _without_folder(host, similar_pairs)
    changed = last_changes(host, {pair.former.mountpoint for pair in renamed_pairs}, names)
    return RenamedProjects(tuple(_renamed_projects(renamed_pairs, names, changed)))


def _pairs(containers: Containers, unused: UnusedVolumes, clock: Clock) -> Iterator[_Pair]:
    """The volumes of new containers, each with the one volume of a former project of its key."""
    projects = {container.compose_project for container in containers}
    former = _volumes_of_former_projects(unused, projects)
    for container in containers:
        created_at = container.created_at
        project = container.compose_project
        if not project or created_at is None or clock.wall - created_at > RECENT_S:
            continue
        for mount in container.mounts:
            key = mount.name.removeprefix(f"{project}_")
            is_of_project = mount.type == "volume" and key != mount.name
            former_volumes = former.get(key, []) if is_of_project else []
            # many former projects: a host that creates and removes them all the time
            if len(former_volumes) == 1:
                pair = _Pair(container, mount, created_at, former_volumes[0])
                if not pair.are_deployments:
                    yield pair


def _volumes_of_former_projects(
    unused: UnusedVolumes, projects: Collection[str]
) -> dict[str, list[Volume]]:
    """The unused volumes of other projects than these, by the name that the project gave them."""
    return by_key(
        (compose_label(volume, "volume"), volume)
        for volume in unused
        if _is_of_former(volume, projects) and volume.mountpoint
    )


def _is_of_former(volume: Volume, projects: Collection[str]) -> bool:
    project = compose_label(volume, "project")
    return bool(project) and project not in projects


def _without_folder(host: Host, pairs: Sequence[_Pair]) -> list[_Pair]:
    """Pairs whose former project has no folder of its own beside the present one."""
    folders = sorted({pair.folder_of_other for pair in pairs} - {""})
    free = _missing_folders(host, folders) if folders else set()
    return [
        pair
        for pair in pairs
        if pair.container.compose_folder and pair.folder_of_other in free | {""}
    ]


def _missing_folders(host: Host, folders: Sequence[str]) -> set[str]:
    statuses = path_statuses(host, folders)
    return {folder for folder, status in statuses.items() if status.failed == "missing"}


def _renamed_projects(
    pairs: Sequence[_Pair], names: Mapping[str, frozenset[str]], changed: Mapping[str, float]
) -> Iterator[RenamedProject]:
    """The pairs whose former volume was in use until the new container's creation."""
    for pair in pairs:
        at = changed.get(pair.former.mountpoint)
        if at is None or at > pair.made + AFTER_S:
            continue
        shared = tuple(sorted(names[pair.mount.source] & names[pair.former.mountpoint]))
        yield RenamedProject(
            pair.container,
            destination=pair.mount.destination,
            volume=pair.mount.name,
            former=pair.former.name,
            project=pair.project,
            entries=shared,
            lived=at - (unix(pair.former.created_at) or at),
            gap=max(0.0, pair.made - at),
        )
