"""Settings in the `.env` of a compose project that none of its containers gets."""

import posixpath
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.compose.written_projects import WrittenProject, WrittenProjects
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.items import Items
from diagnose.file_paths import COMPOSE_FILES, is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

_OF_HOST = LazyPattern(
    r"(?:BUILDKIT|COMPOSE|DOCKER)_\w+|(?:\w+_)?(?:BACKUP|BRANCH|COMMIT|DIR|FOLDER|GID|HASH|IMAGE|PATH"
    r"|PGID|PROJECT|PUID|REGISTRY|RELEASE|ROOT|STACK|TAG|TZ|UID|USER|VERSION|VOLUME)(?:_\w+)?"
)
"""Names that compose itself, a script of the host or a deployment reads."""


class UnpassedKeys(msgspec.Struct, frozen=True):
    """A project with settings that reach no container."""

    project: WrittenProject
    container: Container
    """The container that most likely wants them: one that is published, else the first."""
    names: tuple[str, ...]

    @property
    def path(self) -> str:
        """The file with the settings."""
        return posixpath.join(self.project.folder, ".env")

    @property
    def override(self) -> str:
        """The file that compose reads beside the project's own, and that can name the file with the
        settings; "" where several services could be meant, or compose would not read it."""
        name = posixpath.basename(self.project.file)
        is_in_folder = posixpath.dirname(self.project.file) == self.project.folder
        if len(self.project.services) != 1 or not is_in_folder or name not in COMPOSE_FILES:
            return ""
        stem, ending = posixpath.splitext(self.project.file)
        return f"{stem}.override{ending}"


class UnpassedKeysOfProjects(Items[UnpassedKeys], frozen=True):
    """The projects with such settings."""


@evidence
def unpassed_keys(written_projects: WrittenProjects) -> UnpassedKeysOfProjects:
    """The settings of projects whose files are all known, and whose programs come from elsewhere.

    A program that is built here may have the file in its image, and one that mounts it reads it
    itself.
    """
    projects = [project for project in written_projects if _is_judged(project)]
    return UnpassedKeysOfProjects(
        tuple(unpassed for project in projects for unpassed in _keys_of_project(project))
    )


def _is_judged(project: WrittenProject) -> bool:
    services = project.written.services
    has_more = project.written.includes or any(service.is_partial for service in services)
    return not has_more and not any(service.builds for service in services)


def _keys_of_project(project: WrittenProject) -> Iterator[UnpassedKeys]:
    """The settings of a project that none of its containers has, as one entry; nothing for none."""
    running = [container for container in project.containers if container.is_running]
    dotenv = posixpath.join(project.folder, ".env")
    is_mounted = any(
        is_within(dotenv, mount.source)
        for container in project.containers
        for mount in container.bind_mounts
    )
    names = tuple(
        name
        for name in project.written.unused_keys
        if not _OF_HOST.fullmatch(name) and not _reaches_a_container(project, name)
    )
    if running and names and not is_mounted:
        published = [container for container in running if container.wanted_ports]
        yield UnpassedKeys(project, [*published, *running][0], names)


def _reaches_a_container(project: WrittenProject, name: str) -> bool:
    return any(container.config.sets(name) for container in project.containers)
