"""Volumes of compose whose options differ from those in the file now.

Options belong to a volume from its creation on. `docker compose up` asks whether it may recreate
the volume, or keeps it in silence where nobody can answer.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from diagnose.evidence.containers.compose.compose_files import SLACK_S
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.secrets import MARK
from diagnose.evidence.items import Items
from diagnose.evidence.storage.volumes.unused_volumes import Volume, compose_label
from diagnose.mappings import by_key
from diagnose.model import Failed, Unavailable
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.compose import ComposeVolume, ReadComposeVolumes
from diagnose.questions.files import StatPaths
from diagnose.questions.images import ListVolumes
from diagnose.registry import evidence

MOST = 20
"""Projects whose files are read."""


class ChangedVolume(msgspec.Struct, frozen=True):
    """A volume, and its present settings in the file."""

    volume: Volume
    wanted: ComposeVolume
    users: tuple[Container, ...]
    """The containers that have it."""
    changed_at: float
    """Unix time of the file's last change."""

    @property
    def differences(self) -> dict[str, tuple[str, str]]:
        """The options that differ, as the volume has them and as the file does; "" for none."""
        volume_options: Mapping[str, str] = self.volume.options or {}
        options_written = self.wanted.options
        pairs = {
            name: (volume_options.get(name, ""), options_written.get(name, ""))
            for name in {**volume_options, **options_written}
        }
        pairs["driver"] = (
            _driver_without_tag(self.volume.driver),
            _driver_without_tag(self.wanted.driver),
        )
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    @property
    def lies_elsewhere(self) -> bool:
        """Whether the volume's data is in a folder of the host or on a server, and stays there.

        What a driver other than the engine's own does with the data is not known.
        """
        options = self.volume.options or {}
        is_elsewhere = "bind" in options.get("o", "").split(",") or ":" in options.get("device", "")
        return is_elsewhere and self.volume.driver == "local"


class ChangedVolumes(Items[ChangedVolume], frozen=True):
    """The volumes of projects whose file was changed after the volume's creation."""


@evidence
def changed_volumes(host: Host, containers: Containers) -> ChangedVolumes | Unavailable:
    """Volumes whose settings differ from the newer compose file of their project.

    The files of all projects with volumes take one question; a newer file is read. Values with a
    secret or a variable are not compared, nor is a relative path, which compose makes an absolute
    one.
    """
    volumes = host.require(ListVolumes()).volumes or ()
    projects = by_key((compose_label(volume, "project"), volume) for volume in volumes)
    files = {
        project: paths
        for project, paths in _files(containers).items()
        if project and projects.get(project)
    }
    times = _times_of_files(host, itertools.chain.from_iterable(files.values()))
    items: list[ChangedVolume] = []
    for project, paths in host.first(list(files.items()), MOST, "compose projects with volumes"):
        newest = max(times[path] for path in paths)
        older = [volume for volume in projects[project] if _is_older(volume, newest)]
        if not older:
            continue
        answer = host.ask(ReadComposeVolumes(list(paths)))
        if not isinstance(answer, Failed):
            items += _changed_of_project(project, older, answer, containers, times)
    return ChangedVolumes(tuple(items))


def _times_of_files(host: Host, paths: Iterable[str]) -> dict[str, float]:
    """The Unix times at which the files were last changed."""
    distinct_paths = sorted(set(paths))
    if not distinct_paths:
        return {}
    statuses = host.require(StatPaths(distinct_paths, follow=True))
    return {path: status.mtime or 0.0 for path, status in statuses.items()}


def _driver_without_tag(driver: str) -> str:
    """The name of a driver without the tag of a plugin, which the engine adds."""
    return driver.removesuffix(":latest")


def _files(containers: Containers) -> dict[str, tuple[str, ...]]:
    """The files of each project, as its newest container names them."""
    files: dict[str, tuple[str, ...]] = {}
    for container in sorted(containers, key=lambda container: container.created_at or 0.0):
        paths = tuple(container.compose_files)
        if paths and all(path.startswith("/") for path in paths):
            files[container.compose_project] = paths
    return files


def _is_older(volume: Volume, newest: float) -> bool:
    created_at = unix(volume.created_at)
    return created_at is not None and created_at + SLACK_S < newest


def _changed_of_project(
    project: str,
    volumes: Iterable[Volume],
    answer: Iterable[ComposeVolume],
    containers: Containers,
    times: Mapping[str, float],
) -> Iterator[ChangedVolume]:
    """The volumes of a project whose file has other options than they were created with."""
    by_name = {
        written_volume.name or f"{project}_{written_volume.key}": written_volume
        for written_volume in answer
    }
    for volume in volumes:
        written_volume = by_name.get(volume.name)
        if written_volume is None or MARK in f"{volume.options}{written_volume.options}":
            continue
        if written_volume.options.get("device", "").startswith((".", "~")):
            continue
        users = tuple(container for container in containers if container.mounts_volume(volume.name))
        changed = ChangedVolume(volume, written_volume, users, times.get(written_volume.path, 0.0))
        if changed.differences and changed.changed_at > (unix(volume.created_at) or 0.0):
            yield changed
