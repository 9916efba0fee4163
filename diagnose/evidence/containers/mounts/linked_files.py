"""Files below a mount that a link leads to: one place in the container, another on the host.

A container may write such links itself, and name their targets in its log. No command that changes
a file of the host is offered for them: it would change a file to which the container has no right.
"""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.bind_mounts import DEEPEST, NamedPath, named_files
from diagnose.model import Failed, Finding, PageVariables
from diagnose.questions import Host
from diagnose.questions.files import ReadFile, StatPaths
from diagnose.registry import evidence

LINK = "link"
"""The type of a path that is one."""


class LinkedFiles(msgspec.Struct, frozen=True):
    """The paths on the host to which a log or a command leads through a link."""

    paths: frozenset[str] = frozenset()

    def without(self, variables: PageVariables) -> PageVariables:
        """The variables of a page without those that are such a path."""
        if not self.paths:
            return variables
        return {name: value for name, value in variables.items() if value not in self.paths}

    def out_of(self, finding: Finding) -> Finding:
        """The finding without such variables of its page."""
        if not self.paths.intersection(finding.variables.values()):
            return finding
        return replace(finding, variables=self.without(dict(finding.variables)))


@evidence
def linked_files(
    host: Host, containers: Containers, log_tails: LogTails, repeated_errors: RepeatedErrors | None
) -> LinkedFiles:
    """The files of mounts that log lines name through links.

    All files take one question; a file that cannot be looked at counts.
    """
    lines_by_id = {error.container.id: error.line.whole for error in repeated_errors or ()}
    named_paths = (
        place
        for container in containers
        for place in _named_files(container, log_tails, lines_by_id.get(container.id, ""))
    )
    steps = {place.on_host[-1]: place.on_host[1:] for place in named_paths}
    return LinkedFiles(linked_paths(host, steps))


def linked_paths(host: Host, steps: dict[str, tuple[str, ...]]) -> frozenset[str]:
    """The paths with a link, or an unreadable step, among their steps.

    Recordings of former versions do not say. steps: each path, with the paths from its mount down
    to it. A way up leaves the mount.
    """
    upward = frozenset(path for path in steps if ".." in path.split("/"))
    all_steps = sorted({step for path in steps.keys() - upward for step in steps[path]})
    if not all_steps:
        return upward
    answer = host.ask(StatPaths(all_steps, follow=False))
    if isinstance(answer, Failed):
        return frozenset() if answer.reason == "not recorded" else frozenset(steps)
    links = {path for path, status in answer.items() if status.type == LINK}
    return upward.union(path for path, below in steps.items() if links.intersection(below))


def is_behind_link(host: Host, file: ReadFile) -> bool:
    """Whether a link below the mount leads to a file that was read there.

    A mounted file is the one that its user named.
    """
    if not file.root:
        return False
    path = f"{file.root}{file.path}"
    return bool(linked_paths(host, {path: steps_from(file.root, path)}))


def steps_below(mount: Mount, inside: str) -> tuple[str, ...]:
    """The paths on the host from below a mount down to a path of the container."""
    return steps_from(mount.source, mount.on_host(inside))


def steps_from(top: str, path: str) -> tuple[str, ...]:
    """The paths from below a folder down to a path."""
    parts = path.removeprefix(top.rstrip("/")).strip("/").split("/")
    above = top.rstrip("/")
    return tuple("/".join((above, *parts[: depth + 1])) for depth in range(len(parts)) if parts[0])


def _named_files(container: Container, log_tails: LogTails, repeated: str) -> Iterator[NamedPath]:
    """The files of mounts that the explanation of a failure, or the command, names."""
    for line in (*_lines(container, log_tails), repeated):
        places = named_files(container, line) if line else ()
        for place in places:
            is_below = bool(place.rest) and place.mount.has_host_path
            if is_below and len(place.rest) <= DEEPEST:
                yield place


def _lines(container: Container, log_tails: LogTails) -> Iterable[str]:
    """The lines that explain its failure, and the paths of its command, as they are quoted."""
    tail = log_tails.of(container)
    if tail.telling is None and tail.failure is None:
        return
    yield tail.telling_text
    yield tail.failure.line if tail.failure is not None else ""
    for word in (container.path, *container.config.words):
        if word.startswith("/"):
            yield f"'{word}'"
