"""Devices that a container was given, and whether their owner and mode let its user in."""

from collections.abc import Callable, Collection, Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.access.file_access import HostUser
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, StatPaths

READ_AND_WRITE = 6


class NamedDevice(msgspec.Struct, frozen=True):
    """A device that a container was given, and of which its log complains."""

    container: Container
    path_inside: str
    """The device's path in the container."""
    path: str
    """On the host."""
    line: str
    """The line in the log."""


class DeniedDevice(NamedDevice, frozen=True):
    """A device that a container was given, and that its user may not open."""

    user: HostUser
    source: PathStatus
    """Of the device on the host: its owner and mode are the same in the container."""


def given_devices(container: Container) -> dict[str, str]:
    """The devices on the host that the container was given by name, by their path in it."""
    return {
        device.path_in_container: device.path_on_host
        for device in container.host_config.devices or ()
        if device.path_on_host
    }


def denied_by_mode(
    host: Host,
    named_devices: Collection[NamedDevice],
    user_of: Callable[[Container], HostUser | None],
) -> Iterator[DeniedDevice]:
    """The devices that the user of their container may not open for reading and writing.

    user_of: None where the user is not known; nothing is said of that container.
    """
    statuses = host.require(StatPaths(sorted({device.path for device in named_devices})))
    for device in named_devices:
        user = user_of(device.container)
        status = statuses.get(device.path)
        if user is None or status is None or status.failed:
            continue
        if user.may(status, READ_AND_WRITE) is False:
            yield DeniedDevice(
                device.container,
                device.path_inside,
                path=device.path,
                line=device.line,
                user=user,
                source=status,
            )
