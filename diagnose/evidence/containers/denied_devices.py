"""Devices that a container was given and that its user may not open."""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.file_access import HostUser, host_user
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.registry import evidence

READ_AND_WRITE = 6
_REFUSED = ("permission denied", "eacces", "not permitted", "access denied")


class DeniedDevice(msgspec.Struct, frozen=True):
    """inside: its path in the container; path: on the host, where its owner and mode are the same.

    line: what the log says.
    """

    container: Container
    user: HostUser
    inside: str
    path: str
    source: PathStatus
    line: str


class DeniedDevices(msgspec.Struct, frozen=True):
    """Those that the log names, and whose mode on the host is against the container's user."""

    items: tuple[DeniedDevice, ...] = ()


@evidence
def denied_devices(
    host: Host,
    containers: Containers,
    log_tails: LogTails,
    info: Info | None,
    numbers: UserNumbers | None,
) -> DeniedDevices | Unavailable:
    """Looked up only where a container's last lines say that it was denied one of its devices."""
    named = [
        (container, user, str(device["PathInContainer"]), str(device["PathOnHost"]), line)
        for container in containers
        if container.host_config.devices and (user := host_user(container, info, numbers))
        for device in container.host_config.devices
        for line in log_tails.of(container).find_all(*_REFUSED)[-1:]
        if str(device.get("PathInContainer")) in line and device.get("PathOnHost")
    ]
    if not named:
        return DeniedDevices()
    answer = host.ask(StatPaths(sorted({path for _, _, _, path, _ in named})))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    return DeniedDevices(
        tuple(
            DeniedDevice(container, user, inside, path, answer[path], line)
            for container, user, inside, path, line in named
            if path in answer
            and not answer[path].failed
            and user.may(answer[path], READ_AND_WRITE) is False
        )
    )
