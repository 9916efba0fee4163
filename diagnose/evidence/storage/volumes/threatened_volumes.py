"""Volumes with data that a job of the host removes at its next run, or has removed."""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.items import Items
from diagnose.evidence.machine.cron_calls import PruneCall, PruneCalls
from diagnose.evidence.storage.usage.filled_disk import BUILDER_CACHE
from diagnose.evidence.storage.volumes.unused_volumes import UnusedVolumes, Volume, compose_label
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

SPARES_NAMED = (23,)
"""From this engine on `docker volume prune` takes volumes with a name only with `--all`, and
`docker system prune --volumes` never."""
MOST = 20
"""Volumes that are looked into."""


class RemovedVolume(msgspec.Struct, frozen=True):
    """A volume that was removed, and that a container has under the same name since."""

    name: str
    container: Container
    at: float
    """Unix time of the removal."""


class ThreatenedVolumes(msgspec.Struct, frozen=True):
    """A job that removes volumes, and the volumes that it removes next."""

    job: PruneCall
    next: tuple[str, ...]
    """Volumes with a name and with data that no container has now."""
    is_of_project: bool = False
    """Whether one of them belongs to a compose project that is down but still in use."""
    removed: tuple[RemovedVolume, ...] = ()


class ThreatenedVolumesByJob(Items[ThreatenedVolumes], frozen=True):
    """The volumes that jobs remove by their name."""


@evidence
def threatened_volumes(
    host: Host,
    prune_calls: PruneCalls,
    unused: UnusedVolumes | None,
    containers: Containers,
    events: Events | None,
    ping: Ping | None,
) -> ThreatenedVolumesByJob:
    """The volumes that prune jobs of the host remove, looked into only where such a job exists."""
    spares = ping is None or ping.version >= SPARES_NAMED or ping.version == (0,)
    jobs = [job for job in prune_calls if job.every or not spares]
    if not jobs:
        return ThreatenedVolumesByJob()
    named_volumes = [volume for volume in unused or () if _is_named(volume)]
    looked_into = host.first(named_volumes, MOST, "unused volumes with a name")
    filled = [volume for volume in looked_into if _has_entries(host, volume)]
    names = tuple(volume.name for volume in filled)
    is_of_project = any(compose_label(volume, "project") for volume in filled)
    removed = tuple(_removed_volumes(containers, events))
    return ThreatenedVolumesByJob(
        tuple(ThreatenedVolumes(job, names, is_of_project, removed) for job in jobs)
    )


def _is_named(volume: Volume) -> bool:
    return not volume.is_anonymous and not BUILDER_CACHE.fullmatch(volume.name)


def _has_entries(host: Host, volume: Volume) -> bool:
    if not volume.mountpoint:
        return False
    answer = host.ask(ListFolder(volume.mountpoint))
    return not isinstance(answer, Failed) and bool(answer.names)


def _removed_volumes(containers: Containers, events: Events | None) -> Iterator[RemovedVolume]:
    """The named volumes of containers that were removed before the container's creation."""
    removed_at = {
        event.id: event.at
        for event in events or ()
        if event.type == "volume" and event.action == "destroy"
    }
    for container in containers:
        for name in _volume_names(container):
            at = removed_at.get(name)
            if at is not None and at < (container.created_at or 0.0):
                yield RemovedVolume(name, container, at)


def _volume_names(container: Container) -> Sequence[str]:
    return [
        mount.name
        for mount in container.mounts
        if mount.type == "volume" and mount.name and not mount.is_anonymous
    ]
