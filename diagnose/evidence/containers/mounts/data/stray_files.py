"""Files that a command or a variable names in a container's writable layer, beside an empty mount.

`--storage=/acme.json`, and the file of the host is mounted at /letsencrypt/acme.json: what the
program keeps is lost with the container.
"""

import posixpath
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount, innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.data.own_layer_data import is_for_data, keeps_data
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import known
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import NOT_ASKED, ListFolder
from diagnose.registry import evidence

MOST = 30
"""Containers that are looked into."""
_MOST_PATHS = 12
_SETTING = LazyPattern(
    r"(?:-{0,2}(?P<name>[\w.-]{1,80})=)?(?P<path>/[\w.@-]{1,80}(?:/[\w.@-]{1,80}){0,8})"
)
"""A word of a command, or an assignment, whose value is a path: --acme.storage=/acme.json"""
_KEEPS = LazyPattern(
    r"(?i)(?:acme|account|data|db|dump|history|index|save|sqlite|stor(?:e|age)|state)"
)
"""Words in the name of a setting, or of its file, of a program that keeps data there."""
_EMPTY = 4
"""Bytes: a file with nothing but `{}` and the ends of its lines is empty."""
_OF_PROGRAM = LazyPattern(
    r"(?i)\.(?:bin|conf|cfg|crt|html?|ini|jar|js|log|lock|pem|php|pid|py|rb|sh|so|sock|war|xml|ya?ml)$"
)


class StrayFile(msgspec.Struct, frozen=True):
    """A file in a container's writable layer, and the empty mount that was meant for it."""

    container: Container
    path: str
    """In the container."""
    setting: str
    """The option or variable that names it."""
    size: int
    mount: Mount

    @property
    def is_file_mounted(self) -> bool:
        """Whether an empty file of the same name is mounted, and not a folder."""
        return posixpath.basename(self.mount.destination) == posixpath.basename(self.path)


class StrayFiles(Items[StrayFile], frozen=True):
    """The stray files, at most one for each container."""


@evidence
def stray_files(host: Host, containers: Containers) -> StrayFiles:
    """Data files of running containers that lie beside the mount for them.

    Each container with paths of data and such a mount takes one question.
    """
    paths = []
    for container in containers.running:
        mounts = [mount for mount in container.mounts if _may_be_meant(mount)]
        named_files = list(_named_paths(container))[:_MOST_PATHS] if mounts else []
        if named_files:
            paths.append((container, named_files, mounts))
    files = (
        _stray_file(host, container, named_files, mounts)
        for container, named_files, mounts in host.first(
            paths, MOST, "containers with paths of data"
        )
    )
    return StrayFiles(known(files))


class _NamedFile(msgspec.Struct, frozen=True):
    path: str
    setting: str


def _may_be_meant(mount: Mount) -> bool:
    """Whether a program should keep something in a mount: a file of data, or a folder."""
    is_own = mount.rw and mount.has_host_path and not mount.is_anonymous
    return is_own and (is_for_data(mount) or mount.destination.endswith(".json"))


def _named_paths(container: Container) -> Iterator[_NamedFile]:
    """The paths of files that a container's settings name, and that no mount shows."""
    config = container.config
    settings = [*config.words, *(f"{name}={value}" for name, value in config.environment)]
    before = ""
    for word in settings:
        match = _SETTING.fullmatch(word)
        if match is not None:
            path = match["path"]
            name = match["name"] or before
            is_kept = _KEEPS.search(name) or _KEEPS.search(posixpath.basename(path))
            is_data = keeps_data(path) and not _OF_PROGRAM.search(path)
            if is_kept and is_data and innermost_mount(container.mounts, path) is None:
                yield _NamedFile(path, name)
        before = word.lstrip("-") if word.startswith("-") and "=" not in word else ""


def _stray_file(
    host: Host, container: Container, named_files: Sequence[_NamedFile], mounts: Sequence[Mount]
) -> StrayFile | None:
    """The first of these files that the program has written, where a mount for it is empty."""
    root = f"/proc/{container.state.pid}/root"
    inner = {f"{root}{place.path}": place for place in named_files}
    files = {mount.source: mount for mount in mounts}
    statuses = path_statuses(host, [*inner, *files], follow=False)
    created_at = container.created_at or 0.0
    for on_host, place in inner.items():
        status = statuses.get(on_host, NOT_ASKED)
        is_written = (
            status.type == "file" and status.size > _EMPTY and (status.mtime or 0) > created_at
        )
        if not is_written:
            continue
        name = posixpath.basename(place.path)
        for mount in mounts:
            mount_status = statuses.get(mount.source, NOT_ASKED)
            is_alike = posixpath.basename(mount.destination) == name and mount_status.type == "file"
            is_empty_file = is_alike and mount_status.size <= _EMPTY
            if is_empty_file or (mount_status.type == "folder" and _is_empty(host, mount)):
                return StrayFile(container, place.path, place.setting, status.size, mount)
    return None


def _is_empty(host: Host, mount: Mount) -> bool:
    listing = host.ask(ListFolder(mount.source, limit=1))
    return not isinstance(listing, Failed) and not listing.entries
