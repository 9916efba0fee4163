"""Files of compose that were changed after a failed container was created from them."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import suspicious
from diagnose.evidence.items import ByContainer
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.mappings import only
from diagnose.model import Unavailable
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.registry import evidence

SLACK_S = 5.0
"""A file that was written so soon after the container may be what made it."""
MOST = 20
"""Files of one project that are looked at."""


class ChangedFile(msgspec.Struct, frozen=True):
    """A file of a container's compose project that is newer than the container."""

    path: str
    after_s: float
    """Seconds between the two."""
    file: str
    """The one file of the project's configuration, "" where there are several."""


class ComposeFiles(ByContainer[ChangedFile], frozen=True):
    """The newest file that was changed after the creation of a failed container."""


@evidence
def compose_files(
    host: Host, containers: Containers, clock: Clock, options: Options
) -> ComposeFiles | Unavailable:
    """Compose files of failed containers that are newer than the container.

    Compose applies a change of its file or of `.env` to a container only when it recreates the
    container: a restart keeps the old settings.
    """
    files = {
        container.id: project_files(container)
        for container in containers
        if suspicious(container, clock.wall, options.since_s)
    }
    paths_of_all = {path for paths in files.values() for path in paths}
    if not paths_of_all:
        return ComposeFiles()
    statuses = host.require(StatPaths(sorted(paths_of_all), follow=True))
    by_id = {}
    for container in containers:
        newer = list(_newer_files(container, files.get(container.id, ()), statuses))
        if newer:
            by_id[container.id] = max(newer, key=lambda changed: changed.after_s)
    return ComposeFiles(by_id)


def _newer_files(
    container: Container, files: Iterable[str], statuses: Mapping[str, PathStatus]
) -> Iterator[ChangedFile]:
    """The files that were changed after the container's creation."""
    created = unix(container.created)
    if created is None:
        return
    for path in files:
        at = statuses[path].mtime or 0.0
        if at > created + SLACK_S:
            yield ChangedFile(path, at - created, only_file(container))


def project_files(container: Container) -> tuple[str, ...]:
    """The project's files as compose wrote them down, and the one with its variables."""
    folder = container.compose_folder
    paths = [path for path in container.compose_files[:MOST] if path.startswith("/")]
    return (*paths, f"{folder}/.env") if folder.startswith("/") and paths else ()


def only_file(container: Container) -> str:
    """The one file of its compose project; empty where there are several, or none."""
    return only(container.compose_files) or ""
