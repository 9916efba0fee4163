"""Services of compose files, beside the containers that were created from them."""

from collections.abc import Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.mappings import by_key, only
from diagnose.model import (
    NOT_IN_BUNDLE,
    Failed,
    NoEvidenceError,
    PageVariables,
    Unavailable,
    Unexamined,
)
from diagnose.questions import Host
from diagnose.questions.compose import (
    ComposeProject,
    MisreadNumber,
    ReadComposeProject,
    WrittenService,
)
from diagnose.registry import evidence

__all__ = ["MisreadNumber", "WrittenProject", "WrittenProjects", "WrittenService"]

MOST = 100
"""Projects that are read."""
_OF_ALL = (*NOT_IN_BUNDLE, "remote")
"""Reasons why the files of no project can be read."""
TOO_MANY = f"its compose files were not read: more than {MOST} projects"


class WrittenProject(msgspec.Struct, frozen=True, dict=True):
    """A project of this host by its files, and all containers that have its name."""

    name: str
    folder: str
    paths: tuple[str, ...]
    written: ComposeProject
    containers: tuple[Container, ...]

    @property
    def services(self) -> Mapping[str, WrittenService]:
        return {service.name: service for service in self.written.services}

    @property
    def file(self) -> str:
        """The only file; "" for several."""
        return only(self.paths) or ""

    def of(self, container: Container) -> WrittenService | None:
        """The service of a container; None where the files define it only in part."""
        service = self.services.get(container.compose_service)
        return service if service is not None and not service.is_partial else None

    def variables(self, service: str) -> PageVariables:
        """The page variables of `docker compose up` for a service; empty for several files."""
        if not self.file:
            return {}
        return {"compose_file": self.file, "project": self.name, "compose_service": service}


class WrittenProjects(Items[WrittenProject], frozen=True):
    """The projects whose files lie on this host, and can be read."""

    unexamined: tuple[Unexamined, ...] = ()
    unread: tuple[WrittenProject, ...] = ()
    """Those with a file that is not YAML: nothing is known of their services."""


@evidence
def written_projects(host: Host, containers: Containers) -> WrittenProjects:
    """The compose projects on this host, as the files that the newest container names define them.

    Each project takes one question. A project that was started from two folders is left out,
    because the current folder is not known. A project whose files lie elsewhere is left out too, as
    those of a management tool in a container do.
    """
    projects = by_key(
        (container.compose_project, container)
        for container in containers
        if container.compose_project and not container.is_one_off
    )
    unexamined = [
        Unexamined(members[0].subject, TOO_MANY) for members in list(projects.values())[MOST:]
    ]
    with_one_place = [
        members for members in list(projects.values())[:MOST] if _have_one_place(members)
    ]
    items: list[WrittenProject] = []
    unread: list[WrittenProject] = []
    for members, answer in host.ask_in_order(with_one_place, _question):
        if isinstance(answer, Failed):
            if answer.reason in _OF_ALL:
                raise NoEvidenceError(Unavailable.of(answer))
            unexamined.append(
                Unexamined(_newest_container(members).subject, f"its compose files: {answer}")
            )
            continue
        if answer.services:
            items.append(_project(members, answer))
            continue
        why = _why_unread(answer)
        if why:
            unexamined.append(
                Unexamined(_newest_container(members).subject, f"its compose file {why}")
            )
        if answer.faults:
            unread.append(_project(members, answer))
    return WrittenProjects(tuple(items), tuple(unexamined), tuple(unread))


def _why_unread(answer: ComposeProject) -> str:
    """The file that could not be read, and why; "" where each of them could."""
    return f"{answer.closed}: only root may read it" if answer.closed else answer.unread


def _project(members: Sequence[Container], answer: ComposeProject) -> WrittenProject:
    newest = _newest_container(members)
    paths = tuple(newest.compose_files)
    return WrittenProject(
        newest.compose_project, newest.compose_folder, paths, answer, tuple(members)
    )


def _newest_container(members: Sequence[Container]) -> Container:
    return max(members, key=lambda container: container.created_at or 0.0)


def _have_one_place(members: Sequence[Container]) -> bool:
    """Whether all were created from one folder, and the files of the newest are named in full."""
    newest = _newest_container(members)
    paths = newest.compose_files
    is_named = bool(paths) and all(path.startswith("/") for path in (newest.compose_folder, *paths))
    folder = newest.compose_folder
    return is_named and all(container.compose_folder == folder for container in members)


def _question(members: Sequence[Container]) -> ReadComposeProject:
    newest = _newest_container(members)
    return ReadComposeProject(list(newest.compose_files), newest.compose_folder)
