"""Network and FUSE file systems that volumes and containers use.

Another machine or process must answer for them.
"""

import msgspec

from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.items import Items
from diagnose.evidence.storage.backing_devices import Backing
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.filesystem_types import is_remote
from diagnose.mappings import by_key
from diagnose.model import Failed, Subject, Unavailable
from diagnose.questions import Host
from diagnose.questions.filesystems import StatFilesystem
from diagnose.registry import evidence


class RemoteMount(msgspec.Struct, frozen=True):
    """A mount of a network file system."""

    mount: Mounted
    volume: str
    """The name of the volume that it is, or ""."""
    users: tuple[str, ...]
    """Containers that mount it."""
    failed: Failed | None
    """None if statvfs was answered."""

    @property
    def subject(self) -> Subject:
        if self.volume:
            return Subject("volume", self.volume)
        return Subject("filesystem", self.mount.point)


class RemoteMounts(Items[RemoteMount], frozen=True):
    """The remote mounts that Docker has to do with."""


@evidence
def remote_mounts(
    host: Host, mounts: Mounts, root: DataRoot, backing: Backing | Unavailable
) -> RemoteMounts:
    """The network mounts with their statvfs; a missing answer within its deadline counts too."""
    volumes = f"{root.path}/volumes/"
    mounted_in = backing if isinstance(backing, Backing) else ()
    users = by_key((backed.mounted.point, backed.container.name) for backed in mounted_in)
    beneath = mounts.point_of(root.path)
    remote = [mount for mount in mounts if is_remote(mount.fstype)]
    chosen = [
        mount
        for mount in remote
        if mount.point == beneath or mount.point in users or mount.point.startswith(volumes)
    ]
    mounted = []
    for mount, answer in host.ask_about(chosen, lambda mount: StatFilesystem(mount.point)):
        name = ""
        if mount.point.startswith(volumes):
            name = mount.point.removeprefix(volumes).partition("/")[0]
        failed = answer if isinstance(answer, Failed) else None
        mounted.append(
            RemoteMount(mount, name, tuple(sorted(set(users.get(mount.point, ())))), failed)
        )
    return RemoteMounts(tuple(sorted(mounted, key=lambda remote: remote.mount.point)))
