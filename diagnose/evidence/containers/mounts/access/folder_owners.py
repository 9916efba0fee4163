"""The owners of what lies in folders of the host that a container's user may not use."""

from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.mount_access import MountAccess
from diagnose.evidence.containers.mounts.bind_mounts import is_shallow, refused_path
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import FolderListing, ListFolder, PathStatus
from diagnose.registry import evidence

MOST = 20
"""Folders that are listed."""
_MOST_ENTRIES = 40


class FolderOwners(msgspec.Struct, frozen=True):
    """The users that the entries of some folders belong to."""

    by_path: Mapping[str, frozenset[int]] = {}
    """By folder: the number of each entry's user."""

    def are_all(self, path: str, status: PathStatus) -> bool:
        """Whether a folder has entries, and all belong to the user who has the folder."""
        return self.by_path.get(path, frozenset()) == {status.uid}


@evidence
def folder_owners(
    host: Host, containers: Containers, log_tails: LogTails, mount_access: MountAccess | None
) -> FolderOwners:
    """The folders that the last lines of containers name, and those that their users may not use.

    Of each the first entries are looked at.
    """
    refused_paths = [refused_path(container, log_tails) for container in containers]
    steps = {
        path: None
        for place in refused_paths
        if place is not None and place.mount.type == "bind" and is_shallow(place)
        for path in place.on_host
    }
    denied = mount_access.denied if mount_access is not None else ()
    steps |= {access.mount.source: None for access in denied if access.source.type == "folder"}
    folders = host.first(list(steps), MOST, "folders that a user may not use")
    return FolderOwners({path: frozenset(_owners(host, path)) for path in folders})


def _owners(host: Host, folder: str) -> Iterator[int]:
    """The users of the first entries of a folder; none for a file."""
    listing = host.answer_or(ListFolder(folder, limit=_MOST_ENTRIES), FolderListing())
    paths = [f"{folder.rstrip('/')}/{name}" for name in listing.names]
    statuses = path_statuses(host, paths, follow=False)
    for status in statuses.values():
        if not status.failed:
            yield status.uid
