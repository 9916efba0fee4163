"""Data in mounted folders that the container does not see although it exists there.

A link that leads out of the mount means another place in the container, and a mount inside another
one hides the outer one's entries.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.file_paths import folders_around, is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing, path_statuses
from diagnose.questions.files import PathStatus
from diagnose.registry import evidence

MOST = 40
"""Mounted folders that are listed."""
MOST_LINKS = 20
"""Links of one folder."""
_OF_SYSTEM = LazyPattern(
    r"/(?:bin|boot|dev|etc|lib(?:32|64|x32)?|proc|run|sbin|sys|tmp|usr|var/(?:cache|lib|log|run|tmp))(?:/|$)"
)
"""Folders of an image's own files, to which a link may lead on purpose."""
_DEEP = 2
"""Parts of a path from which on it is a folder for one purpose: /mnt/disk, and not /mnt."""
_OF_ONE_USER = LazyPattern(r"/home/[^/]+")
"""A whole home folder, with keys and settings of its user."""
_MARKS = frozenset({".gitkeep", ".keep", ".gitignore", "lost+found"})


class UnseenData(msgspec.Struct, frozen=True):
    """Data in a mount that its running container cannot see."""

    container: Container
    mount: Mount
    path: str
    """The link, or the folder beneath the inner mount, as the container calls it."""
    leads_to: str = ""
    """The target of the link on the host; "" for a hidden folder."""
    others: Mapping[str, str] = {}
    """The targets on the host of further links of the same folder that lead out, by link."""
    hidden_by: str = ""
    """The mount over the folder."""
    entries: tuple[str, ...] = ()
    """The entries of the hidden folder."""

    @property
    def on_host(self) -> str:
        return self.mount.on_host(self.path)

    @property
    def missing_folder(self) -> str:
        """The folder of the host with the targets of all links; else the first target."""
        common_folder = posixpath.commonpath([self.leads_to, *self.others.values()])
        is_deep = common_folder.count("/") >= _DEEP and not _OF_ONE_USER.fullmatch(common_folder)
        return common_folder if is_deep else self.leads_to

    def is_named_in(self, line: str) -> bool:
        """Whether a line names one of the links."""
        return any(
            re.search(rf"{re.escape(path)}(?![\w.-])", line) for path in (self.path, *self.others)
        )


class UnseenDataList(Items[UnseenData], frozen=True):
    """The unseen data, at most one of each kind for a mount."""


@evidence
def unseen_data(host: Host, containers: Containers) -> UnseenDataList:
    """The links and hidden folders in mounts whose data the container does not see.

    A listing of each mounted folder, and one question for the links in it. Only links at the top
    are looked at, and those whose target exists on the host.
    """
    mounted = [
        (container, mount)
        for container in containers.running
        for mount in container.bind_mounts
        if mount.has_host_path and not _OF_SYSTEM.match(mount.source)
    ]
    unseen: list[UnseenData] = []
    for container, mount in host.first(mounted, MOST, "mounted folders"):
        unseen += _links_out(host, container, mount)
    for container in containers.running:
        unseen += _hidden_folders(host, container)
    return UnseenDataList(tuple(unseen))


def _links_out(host: Host, container: Container, mount: Mount) -> Iterator[UnseenData]:
    """The first link of a mounted folder that leads to where the container has nothing."""
    listing = folder_listing(host, mount.source)
    names = [entry.name for entry in listing.entries if entry.type == "link"][:MOST_LINKS]
    statuses = path_statuses(host, [f"{mount.source}/{name}" for name in names], follow=False)
    ends = {
        path: posixpath.normpath(posixpath.join(mount.source, status.link))
        for path, status in statuses.items()
        if status.link and _leads_out(container, mount, status.link)
    }
    target_statuses = path_statuses(host, sorted(set(ends.values())), follow=True)
    lost = [
        path for path, end in ends.items() if target_statuses.get(end, _NOTHING).type == "folder"
    ]
    if lost:
        inside = {
            posixpath.join(mount.destination, posixpath.basename(path)): ends[path] for path in lost
        }
        first, *others = inside
        further = {path: inside[path] for path in others}
        yield UnseenData(container, mount, first, inside[first], further)


_NOTHING = PathStatus(failed="missing")


def _leads_out(container: Container, mount: Mount, link: str) -> bool:
    """Whether the end of a link is in no mount, as the container sees it."""
    end = posixpath.normpath(posixpath.join(mount.destination, link))
    on_host = posixpath.normpath(posixpath.join(mount.source, link))
    is_outside = not is_within(end, mount.destination) and not is_within(on_host, mount.source)
    is_mounted = any(is_within(end, other.destination) for other in container.mounts)
    return is_outside and not is_mounted and not _OF_SYSTEM.match(on_host)


def _hidden_folders(host: Host, container: Container) -> Iterator[UnseenData]:
    """The folders of a mount that have files, and over which something empty is mounted."""
    own_mounts = [
        mount for mount in container.mounts if mount.has_host_path and not mount.is_anonymous
    ]
    by_destination = {mount.destination: mount for mount in own_mounts}
    for inner in own_mounts:
        folders_above = folders_around(inner.destination)
        outer = next((by_destination[at] for at in folders_above if at in by_destination), None)
        if outer is None:
            continue
        below = outer.on_host(inner.destination)
        if below.rstrip("/") == inner.source.rstrip("/"):
            continue
        beneath = _names(host, below)
        if beneath and not _names(host, inner.source):
            yield UnseenData(
                container,
                outer,
                inner.destination,
                hidden_by=inner.place,
                entries=tuple(sorted(beneath)),
            )


def _names(host: Host, path: str) -> frozenset[str]:
    return frozenset(folder_listing(host, path).names) - _MARKS
