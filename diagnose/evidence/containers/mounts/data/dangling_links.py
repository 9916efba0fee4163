"""Links in the data of failed containers whose target does not exist.

PostgreSQL's pg_wal, a tablespace, a folder of uploads: the data is in a mount, and a part of it
behind a link into the layer of a former container, which was removed.
"""

import posixpath
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.link_ends import LinkEnd, link_end
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

MOST = 8
"""Containers whose links are looked at."""
_MOST_LINKS = 12
_MOST_FORMER = 4
_ABSENT = (
    "no such file",
    "not exist",
    "not found",
    "could not open",
    "cannot open",
    "could not stat",
    "cannot stat",
    "missing",
)
"""Errors of programs about a missing file, in small letters."""
_WORD = LazyPattern(r"[\w.-]{3,80}")


class DanglingLink(msgspec.Struct, frozen=True):
    """A link in a mount whose target is nowhere in the container."""

    container: Container
    line: str
    """The line in the container's log."""
    mount: Mount
    path_inside: str
    """The link, as the container calls it."""
    target: str
    """The target, as the container sees it."""
    variable: str = ""
    """The variable with the folder of the target; "" for none."""
    former: Container | None = None
    """Another container, which does not run, and has the target in its writable layer."""


class DanglingLinks(Items[DanglingLink], frozen=True):
    """The dangling links, at most one for each container."""


@evidence
def dangling_links(host: Host, containers: Containers, log_tails: LogTails) -> DanglingLinks:
    """The dangling links in data folders that lines of failed containers name.

    The collector asks only where such a log reports a missing file.
    """
    failed = []
    for container in containers:
        lines = log_tails.of(container).find_all(*_ABSENT)
        if lines and container.id in log_tails.by_id:
            failed.append((container, lines))
    links = []
    for container, lines in host.first(failed, MOST, "containers that miss a file"):
        link = next(_links(host, container, lines), None)
        if link is not None:
            former = _former_holder(host, link, containers)
            links.append(msgspec.structs.replace(link, former=former))
    return DanglingLinks(tuple(links))


def _links(host: Host, container: Container, lines: list[str]) -> Iterator[DanglingLink]:
    """The links that the lines name, and whose target is nowhere."""
    words = {word.strip(".") for line in lines for word in _WORD.findall(line)}
    for mount, folder in _folders(container):
        listing = host.ask(ListFolder(folder, root=mount.source))
        if isinstance(listing, Failed):
            continue
        links = [entry.name for entry in listing.entries if entry.type == "link"]
        folder_inside = posixpath.normpath(posixpath.join(mount.destination, folder.strip("/")))
        for name in [name for name in links if name in words][:_MOST_LINKS]:
            end = link_end(host, container, f"{folder_inside}/{name}")
            if end is not None and _is_nowhere(host, container, end):
                line = next(line for line in lines if name in line)
                variable = _variable_of(container, end.path_inside)
                yield DanglingLink(
                    container,
                    line,
                    mount,
                    f"{folder_inside}/{name}",
                    target=end.path_inside,
                    variable=variable,
                )


def _folders(container: Container) -> Iterator[tuple[Mount, str]]:
    """The mounts for data, and the folder below one that PGDATA names."""
    data = container.config.value_of("PGDATA").rstrip("/")
    for mount in container.mounts:
        if mount.has_host_path and mount.type in ("bind", "volume"):
            yield mount, "/"
            below = data.removeprefix(mount.destination.rstrip("/"))
            if data.startswith(f"{mount.destination.rstrip('/')}/"):
                yield mount, below


def _is_nowhere(host: Host, container: Container, end: LinkEnd) -> bool:
    """Whether neither a mount nor the container's layer or image has the end of a link."""
    if end.is_there:
        return False
    if end.on_host:
        return True
    answer = host.ask(ReadContainerFile(container.id, end.path_inside, bytes=0))
    return isinstance(answer, Failed) and answer.reason == "gone"


def _variable_of(container: Container, target: str) -> str:
    """The variable whose value is the target of a link, or a folder above it."""
    for name, value in container.config.environment:
        folder = value.rstrip("/")
        if folder.count("/") and (target == folder or target.startswith(f"{folder}/")):
            return name
    return ""


def _former_holder(host: Host, link: DanglingLink, containers: Containers) -> Container | None:
    """A container that does not run, is of the same image, and has the target."""
    linking = link.container
    stopped = [other for other in containers if not other.is_running and other.id != linking.id]
    former = [other for other in stopped if other.config.image == linking.config.image]
    for container in former[:_MOST_FORMER]:
        answer = host.ask(ReadContainerFile(container.id, link.target, bytes=0))
        if not isinstance(answer, Failed):
            return container
    return None
