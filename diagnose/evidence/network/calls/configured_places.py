"""The mounted files of settings that hold an address to which a container's calls fail."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.mounted_settings import (
    SETTINGS_FILE,
    SETTINGS_FOLDER,
    mounted_settings,
)
from diagnose.evidence.items import Items
from diagnose.evidence.network.calls.called_places import ContainerCall
from diagnose.evidence.network.calls.failing_calls import FailingCall, FailingCalls, where_named
from diagnose.questions import Host
from diagnose.registry import evidence

_MOST = 6
"""Callers whose files are read."""


class ConfiguredPlace(msgspec.Struct, frozen=True):
    """A file that names the address and the port of a failing call."""

    call: FailingCall
    path: str
    """The file on the host."""
    writers: tuple[Container, ...]
    """Other containers that may write the file: its folder is mounted in them."""

    @property
    def idle_writer(self) -> Container | None:
        """The only other container that may write the file, where it does not run."""
        if len(self.writers) != 1 or self.writers[0].is_running:
            return None
        return self.writers[0]


class ConfiguredPlaces(Items[ConfiguredPlace], frozen=True):
    """The first file of each call that has one."""

    def of(self, call: FailingCall) -> ConfiguredPlace | None:
        return next((place for place in self if place.call.key == call.key), None)


@evidence
def configured_places(
    host: Host, containers: Containers, failing_calls: FailingCalls
) -> ConfiguredPlaces:
    """The files that name the address of a failed call.

    Files are read only of containers whose repeated calls fail and whose configuration has no
    address. A proxy's configuration may be written by a program in another container, such as
    docker-gen: it has the addresses of the time when that program last ran.
    """
    by_caller: dict[str, list[FailingCall]] = {}
    for call in failing_calls:
        if not call.by_socket and not where_named(call.address, call.container):
            by_caller.setdefault(call.container.id, []).append(call)
    places: dict[ContainerCall, ConfiguredPlace] = {}
    for calls in host.first(list(by_caller.values()), _MOST, "callers of addresses that fail"):
        for place in _places_of_caller(host, calls, containers):
            places.setdefault(place.call.key, place)
    return ConfiguredPlaces(tuple(places.values()))


def _places_of_caller(
    host: Host, calls: list[FailingCall], containers: Containers
) -> Iterator[ConfiguredPlace]:
    """The files of one container that name the address of one of its calls."""
    settings = mounted_settings(
        host, calls[0].container, "addresses", SETTINGS_FILE, SETTINGS_FOLDER, with_volumes=True
    )
    for mounted in settings:
        words_of_file = set(mounted.text.split())
        for call in calls:
            if f"{call.address}:{call.port}" in words_of_file or call.address in words_of_file:
                writers = _writers(mounted.path, call.container, containers)
                yield ConfiguredPlace(call, mounted.path, writers)


def _writers(path: str, reader: Container, containers: Containers) -> tuple[Container, ...]:
    """The other containers with a writable mount of the file, or of a folder around it."""
    other_containers = (container for container in containers if container.id != reader.id)
    return tuple(container for container in other_containers if container.may_write_on_host(path))
