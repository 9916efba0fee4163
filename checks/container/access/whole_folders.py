"""Folders that may be given to a container's user with everything in them."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.access.file_access import Denied
from diagnose.evidence.containers.mounts.access.folder_owners import FolderOwners
from diagnose.evidence.containers.mounts.access.paths_of_host import is_of_host
from diagnose.evidence.containers.mounts.bind_mounts import BindSources, NamedPath
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.storage.mounts import Mounts
from diagnose.file_paths import is_within
from diagnose.model import EvidenceGroup, PageVariables, Unavailable


class AccessRules(EvidenceGroup, frozen=True):
    """Evidence that decides whether a container's user may open a path of the host."""

    bind_sources: BindSources | Unavailable
    info: Info | None
    numbers: UserNumbers | None
    mounts: Mounts | None
    owners: FolderOwners | None

    @property
    def has_selinux(self) -> bool:
        return self.info is not None and self.info.has_security("selinux")


def whole_steps(
    container: Container,
    named_path: NamedPath,
    denied: Denied,
    containers: Containers,
    rules: AccessRules,
) -> PageVariables:
    """The page variable of a volume, or of a folder of the host, that only this container has.

    Empty where files in it may be meant for others.
    """
    if not is_alone(container, named_path.mount.source, containers) or is_of_person(denied.path):
        return {}
    if named_path.mount.type == "volume":
        is_whole = _is_meant_whole(denied, named_path, rules.bind_sources)
        return {"own_volume": named_path.mount.source} if is_whole else {}
    is_of_one = rules.owners is not None and rules.owners.are_all(denied.path, denied.source)
    return {"whole": denied.path} if is_of_one and not is_of_host(denied.path, rules.info) else {}


def is_alone(container: Container, source: str, containers: Containers) -> bool:
    """Whether no other container has a folder of the host, one in it, or one above it."""
    others = (
        mount.source for other in containers if other.id != container.id for mount in other.mounts
    )
    return not any(
        is_within(source, other) or is_within(other, source) for other in others if other != "/"
    )


def is_of_person(path: str) -> bool:
    """Whether a folder is in the home of a person, who works with the files too."""
    return is_within(path, "/home")


def _is_meant_whole(
    denied: Denied, named_path: NamedPath, sources: BindSources | Unavailable
) -> bool:
    """Whether the whole mount is meant for the user to whom a path of it is denied.

    The denied path is the mount itself, or the mount is the user's, and only folders in it are
    not: a restore from an archive without entries for folders makes them root's. Or both belong to
    one other user: an earlier release of the image ran as that one.
    """
    if denied.path == named_path.mount.source:
        return True
    status = (
        None if isinstance(sources, Unavailable) else sources.by_path.get(named_path.mount.source)
    )
    if status is None:
        return False
    is_of_another = bool(status.uid) and status.uid == denied.source.uid
    return is_of_another or str(status.uid) == denied.user.owner.partition(":")[0]
