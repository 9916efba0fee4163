"""File systems in memory that were too small for a container's program, as its log shows."""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import known, only
from diagnose.registry import evidence

_LIMIT = LazyPattern(r"(?:^|,)(?:size|nr_inodes)=\d")
"""A tmpfs without a limit of its own has half of the host's memory."""
_LINES = ("no space left", "enospc", "errno 28", "disk full", "disk is full")
_ANY_PATH = LazyPattern(r"(?<![\w.:/+-])/[\w.@+-]{1,100}/?")


class OutgrownTmpfs(msgspec.Struct, frozen=True):
    """A limited file system in memory in which a program found no room."""

    container: Container
    folder: str
    options: str
    """Its options as those of `--tmpfs`, such as `size=4m`."""
    line: str
    """The line of the log that says so."""


class OutgrownTmpfsList(Items[OutgrownTmpfs], frozen=True):
    """The file systems in memory that were too small, at most one for each container."""


@evidence
def outgrown_tmpfs(
    containers: Containers, log_tails: LogTails | None, errors: RepeatedErrors | None
) -> OutgrownTmpfsList:
    """The limited file systems in memory that the last lines of failed containers are about, and
    the repeated lines of those that run.

    A line that names no path counts where the container can write nowhere else. Asks the host
    nothing.
    """
    repeated = {error.container.id: error.lines for error in errors or ()}
    items: list[OutgrownTmpfs | None] = []
    for container in containers:
        limits = _options_by_folder(container)
        if limits:
            lines = log_tails.of(container).find_all(*_LINES) if log_tails is not None else ()
            item = _outgrown(container, limits, [*lines, *repeated.get(container.id, ())])
            items.append(item)
    return OutgrownTmpfsList(known(items))


def _options_by_folder(container: Container) -> dict[str, str]:
    """The options of its file systems in memory that have a limit, by their folder."""
    options = container.host_config.tmpfs_options
    return {folder: words for folder, words in options.items() if _LIMIT.search(words)}


def _outgrown(
    container: Container, limits: Mapping[str, str], lines: Sequence[str]
) -> OutgrownTmpfs | None:
    """The file system in memory that these lines are about; None where it may be another place."""
    only_place = _only_place(container, limits)
    for line in _lines_about_room(lines):
        folder = _named_folder(container, limits, line)
        if not folder and not _ANY_PATH.search(line):
            folder = only_place
        if folder:
            return OutgrownTmpfs(container, folder, limits[folder], line)
    return None


def _lines_about_room(lines: Sequence[str]) -> Iterator[str]:
    return (line for line in lines if "no-space" in signs(line))


def _named_folder(container: Container, limits: Mapping[str, str], line: str) -> str:
    """The innermost of the folders below which the line names a path; "" for none.

    A path below another mount of the container is of that mount.
    """
    places = sorted({*limits, *(mount.destination for mount in container.mounts)}, key=len)
    folders = "|".join(re.escape(place) for place in reversed(places))
    match = re.search(rf"(?<![\w./-])(?:{folders})(?![\w.-])", line)
    return match[0] if match is not None and match[0] in limits else ""


def _only_place(container: Container, limits: Mapping[str, str]) -> str:
    """The only folder in which the container can write; "" where there are others."""
    is_alone = container.host_config.readonly_rootfs and not container.writable_host_mounts
    all_in_memory = container.host_config.tmpfs_options
    return only([*limits] if is_alone and len(all_in_memory) == len(limits) else []) or ""
