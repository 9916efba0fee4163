"""Folders of compose that have one project name, so that each takes the other's containers.

Compose names a project after its folder where nothing else names it, and finds its containers by
the names of the project and the service. `docker compose up` in a second folder of that name
recreates the services that both have, by the second folder's file, without any notice (2.40.3).
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.inspected_container import COMPOSE
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.mappings import by_key, only
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import StatPaths
from diagnose.questions.images import ListVolumes
from diagnose.registry import evidence

ORPHAN_S = 120.0
"""`docker compose up --remove-orphans` removes within so many seconds of what it creates."""
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9_-]")


class ComposeFolder(msgspec.Struct, frozen=True):
    """The folder of a compose project, and its compose files."""

    path: str
    files: tuple[str, ...]
    """Absolute; empty where compose did not write them down."""

    @property
    def file(self) -> str:
        """The only file; "" for several, or for none that is known."""
        return only(self.files) or ""


class TakenContainer(msgspec.Struct, frozen=True):
    """A removed container of the former folder, as the engine's event describes it."""

    name: str
    service: str
    image: str
    at: float
    """Unix time of its end."""
    folder: ComposeFolder
    successor: Container | None = None
    """The container of the newer folder that has its service now."""


class ProjectClash(msgspec.Struct, frozen=True):
    """Two folders whose projects have one name."""

    project: str
    former: ComposeFolder
    newer: ComposeFolder
    taken: tuple[TakenContainer, ...]
    """The containers that went away for the newer folder, as far as the engine's memory of events
    reaches: replaced ones first, then those removed as orphans."""
    left: tuple[Container, ...]
    """The containers of the former folder that are still there."""
    containers: tuple[Container, ...]
    """Those of the newer folder."""
    has_volumes: bool = True
    """Whether a volume carries the project's name, so that both systems keep data in it."""

    @property
    def newer_name(self) -> str:
        """A project name for the newer folder alone."""
        return self._name_of(self.newer)

    @property
    def former_name(self) -> str:
        """A project name for the former folder alone."""
        return self._name_of(self.former)

    def _name_of(self, folder: ComposeFolder) -> str:
        """The project's name with the name of the folder above."""
        above = _as_name(posixpath.basename(posixpath.dirname(folder.path)))
        return f"{self.project}-{above or 'second'}"


class ProjectClashes(Items[ProjectClash], frozen=True):
    """The clashes, only between folders that both still have their files."""


@evidence
def project_clashes(
    host: Host, containers: Containers, events: Events | None
) -> ProjectClashes | Unavailable:
    """Project names that two folders use, while the former folder still has a compose file.

    The files of all former folders take one question; no clash, no question. A folder that was
    moved, or a release in a new folder, leaves labels of another folder too: a moved folder has no
    file any more, and a release is seldom named like its project.
    """
    clashes = list(_clashes(containers, events))
    files = sorted({path for clash in clashes for path in clash.former.files})
    if not files:
        return ProjectClashes()
    statuses = host.require(StatPaths(files, follow=True))
    is_there = {path for path, status in statuses.items() if not status.failed}
    with_volumes = _projects_with_volumes(host)
    return ProjectClashes(
        tuple(
            replace(clash, has_volumes=with_volumes is None or clash.project in with_volumes)
            for clash in clashes
            if is_there & set(clash.former.files)
        )
    )


def _projects_with_volumes(host: Host) -> set[str] | None:
    """The projects that have volumes, by the labels of compose; None where nobody could look."""
    listed = host.ask(ListVolumes())
    if isinstance(listed, Failed):
        return None
    return {_project_name(volume.labels or {}) for volume in listed.volumes or ()}


def _clashes(containers: Containers, events: Events | None) -> Iterator[ProjectClash]:
    """The folders of each project, against the one that its newest container is from."""
    removals = by_key((_project_name(event.attributes), event) for event in _removals(events))
    named_by_folder = (
        container for container in containers if _is_named_by_folder(container.labels)
    )
    for name, members in by_key(
        (container.compose_project, container) for container in named_by_folder
    ).items():
        project = _project(members, removals.get(name, ()))
        for former in project.former_folders:
            remaining = project.of(former)
            present = [other for other in containers if other.compose_folder == former.path]
            lost = _replaced_containers(project, present, project.removed_from(former))
            if remaining or lost:
                yield ProjectClash(
                    name,
                    former,
                    newer=project.newer,
                    taken=tuple(lost),
                    left=remaining,
                    containers=project.current,
                )


class _Project(msgspec.Struct, frozen=True):
    """The containers of one project name, and the containers of it that were removed."""

    members: Sequence[Container]
    newer: ComposeFolder
    """The folder of the container that was created last."""
    removed: Sequence[TakenContainer]

    def of(self, folder: ComposeFolder) -> tuple[Container, ...]:
        """The containers of one folder."""
        return tuple(member for member in self.members if member.compose_folder == folder.path)

    @property
    def current(self) -> tuple[Container, ...]:
        return self.of(self.newer)

    @property
    def former_folders(self) -> list[ComposeFolder]:
        """All other folders, of containers and of removed ones."""
        folders = {member.compose_folder: _folder(member.labels) for member in self.members}
        folders |= {removed.folder.path: removed.folder for removed in self.removed}
        return [folder for path, folder in folders.items() if path != self.newer.path]

    def removed_from(self, folder: ComposeFolder) -> list[TakenContainer]:
        return [removed for removed in self.removed if removed.folder == folder]

    def taken_back(self, removed_containers: Iterable[TakenContainer]) -> set[str]:
        """The services that were first removed from the newer folder, and that it has again."""
        first: dict[str, float] = {}
        for removed in removed_containers:
            first[removed.service] = min(removed.at, first.get(removed.service, removed.at))
        removed_services = self.removed_from(self.newer)
        return {
            removed.service
            for removed in removed_services
            if removed.at < first.get(removed.service, 0.0)
        }


def _project(members: Sequence[Container], removals: Iterable[Event]) -> _Project:
    newest = max(members, key=lambda member: member.created_at or 0.0)
    newer = _folder(newest.labels)
    current = [member for member in members if member.compose_folder == newer.path]
    return _Project(members, newer, [_taken_container(event, current) for event in removals])


def _removals(events: Events | None) -> Iterator[Event]:
    """The removals of services whose project is called after its folder."""
    for event in events or ():
        is_removal = (event.type, event.action) == ("container", "destroy")
        is_job = event.attributes.get(f"{COMPOSE}oneoff", "").lower() == "true"
        if is_removal and not is_job and _is_named_by_folder(event.attributes):
            yield event


def _replaced_containers(
    project: _Project, present: Iterable[Container], removed_containers: Iterable[TakenContainer]
) -> list[TakenContainer]:
    """Removed containers that current ones replaced, by name, then those removed as orphans.

    present: the containers of the former folder, also under another project name. A service that
    the former folder has recreated since is not lost, and a service is not lost either that took
    the place of the newer folder's own service before.
    """
    restored = {container.compose_service for container in present}
    restored |= project.taken_back(removed_containers)
    created = [container.created_at or 0.0 for container in project.current]
    lost = {}
    for removed in removed_containers:
        is_orphan = any(abs(moment - removed.at) < ORPHAN_S for moment in created)
        if removed.service not in restored and (removed.successor is not None or is_orphan):
            lost[removed.service] = removed
    return sorted(lost.values(), key=lambda removed: (removed.successor is None, removed.name))


def _taken_container(event: Event, current: Iterable[Container]) -> TakenContainer:
    """A removed service, as its event describes it; current: the containers of the newer folder."""
    labels = event.attributes
    service = labels.get(f"{COMPOSE}service", "")
    successors = (container for container in current if container.compose_service == service)
    return TakenContainer(
        event.name,
        service,
        image=labels.get("image", ""),
        at=event.at,
        folder=_folder(labels),
        successor=next(successors, None),
    )


def _project_name(labels: dict[str, str]) -> str:
    return labels.get(f"{COMPOSE}project", "")


def _folder(labels: dict[str, str]) -> ComposeFolder:
    path = labels.get(f"{COMPOSE}project.working_dir", "")
    files = filter(None, labels.get(f"{COMPOSE}project.config_files", "").split(","))
    return ComposeFolder(path, tuple(posixpath.join(path, file) for file in files))


def _is_named_by_folder(labels: dict[str, str]) -> bool:
    """Whether compose derived the project's name, as it does where no file or option gives one."""
    path = labels.get(f"{COMPOSE}project.working_dir", "")
    project = _project_name(labels)
    return path.startswith("/") and bool(project) and _as_name(posixpath.basename(path)) == project


def _as_name(folder: str) -> str:
    """The project name that compose derives from a folder's: its small letters, digits, _ and -."""
    return _NOT_IN_A_NAME.sub("", folder.lower()).lstrip("_-")
