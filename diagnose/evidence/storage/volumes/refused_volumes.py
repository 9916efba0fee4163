"""Volumes that the engine could not mount because the kernel does not know their file system."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.log_lines import LogLine
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Subject, Unavailable
from diagnose.programs.volume_folders import volume_at
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.questions.images import ListVolumes
from diagnose.registry import evidence

REFUSED = LazyPattern(
    r"failed to mount local volume: mount \S*?:(?P<point>/\S+), .*no such device\b"
)
"""The engine's words for ENODEV of mount(2) (20.10, 26.1 and 28.5)."""
FILESYSTEMS = "/proc/filesystems"


class RefusedVolume(msgspec.Struct, frozen=True):
    """A volume, the file system in its options, and the engine's error."""

    name: str
    fstype: str
    text: str
    at: float | None
    waiting: tuple[str, ...] = ()
    """Containers that did not start for it."""

    @property
    def subject(self) -> Subject:
        return Subject("volume", self.name)


class RefusedVolumes(Items[RefusedVolume], frozen=True):
    """The volumes whose file system the kernel still does not know."""


@evidence
def refused_volumes(
    host: Host, containers: Containers, log: DaemonLog | None, clock: Clock, options: Options
) -> RefusedVolumes | Unavailable:
    """The volumes with a file system that the kernel does not know, by engine log and State.Error.

    The list of volumes is asked for only where one was refused.
    """
    recent = log.since(clock.wall - options.since_s) if log is not None else ()
    refused = _newest_by_volume(_refusals(recent, containers))
    if not refused:
        return RefusedVolumes()
    table = host.require(ReadFile(FILESYSTEMS))
    kernel_types = {line.split()[-1] for line in table.text.splitlines() if line.split()}
    unknown_types = [
        volume
        for volume in _typed_volumes(refused, _types(host))
        if volume.fstype not in kernel_types
    ]
    return RefusedVolumes(tuple(unknown_types))


class _Refusal(msgspec.Struct, frozen=True):
    """A possible refusal of a volume."""

    text: str
    at: float | None
    """Unix time, where a log mentions it."""
    container: str
    """The name of the one that waits, where its state mentions it."""


def _newest_by_volume(refusals: Iterable[_Refusal]) -> list[RefusedVolume]:
    """The newest refusal of each volume, with all containers that wait for the volume."""
    by_name: dict[str, RefusedVolume] = {}
    for refusal in refusals:
        match = REFUSED.search(refusal.text)
        if match is None:
            continue
        name = volume_at(match["point"])
        waiting = by_name[name].waiting if name in by_name else ()
        if refusal.container:
            waiting = (*waiting, refusal.container)
        by_name[name] = RefusedVolume(name, "", match[0], refusal.at, waiting)
    return list(by_name.values())


def _typed_volumes(
    volumes: Iterable[RefusedVolume], types: Mapping[str, str] | None
) -> Iterator[RefusedVolume]:
    """The volumes that still exist, with the file system that they ask for.

    types: that of each volume; None where the engine does not say.
    """
    for volume in volumes:
        if types is None:
            yield volume
        elif volume.name in types:
            yield msgspec.structs.replace(volume, fstype=types[volume.name])


def _refusals(lines: Iterable[LogLine], containers: Containers) -> Iterator[_Refusal]:
    """The refusals in the engine's log, oldest first, and those in containers' states."""
    for line in lines:
        yield _Refusal(line.text, line.at, "")
    for container in containers:
        if container.state.error:
            yield _Refusal(container.state.error, None, container.name)


def _types(host: Host) -> dict[str, str] | None:
    """The file system that each volume of the driver `local` asks for, by the volume's name.

    None if the engine does not list them.
    """
    answer = host.ask(ListVolumes())
    if isinstance(answer, Failed):
        return None
    return {
        volume.name: (volume.options or {}).get("type") or "" for volume in answer.volumes or ()
    }
