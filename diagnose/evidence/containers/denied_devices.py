"""Devices that a container was given and that its user may not open."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.file_access import HostUser, host_user
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.files import PathStatus, StatPaths
from diagnose.registry import evidence

READ_AND_WRITE = 6
_REFUSED = ("permission denied", "eacces", "not permitted", "access denied")


class DeniedDevice(msgspec.Struct, frozen=True):
    """A device that a container was given and that its user may not open."""

    container: Container
    user: HostUser
    inside: str
    """The device's path in the container."""
    path: str
    """On the host, where its owner and mode are the same."""
    source: PathStatus
    line: str
    """What the log says."""


class DeniedDevices(Items[DeniedDevice], frozen=True):
    """Those that the log names, and whose mode on the host is against the container's user."""


@evidence
def denied_devices(
    host: Host,
    containers: Containers,
    log_tails: LogTails,
    info: Info | None,
    numbers: UserNumbers | None,
) -> DeniedDevices | Unavailable:
    """Looked up only where a container's last lines say that it was denied one of its devices."""
    named = list(_named_in_logs(containers, log_tails))
    if not named:
        return DeniedDevices()
    answer = host.require(StatPaths(sorted({device.path for device in named})))
    denied = []
    for device in named:
        user = host_user(device.container, info, numbers)
        status = answer.get(device.path)
        if user is None or status is None or status.failed:
            continue
        if user.may(status, READ_AND_WRITE) is False:
            denied.append(
                DeniedDevice(
                    device.container,
                    user=user,
                    inside=device.inside,
                    path=device.path,
                    source=status,
                    line=device.line,
                )
            )
    return DeniedDevices(tuple(denied))


class _NamedDevice(msgspec.Struct, frozen=True):
    """A device that a container was given, and that its log says it was denied."""

    container: Container
    inside: str
    path: str
    """The device's path on the host."""
    line: str


def _named_in_logs(containers: Containers, log_tails: LogTails) -> Iterator[_NamedDevice]:
    for container in containers:
        devices = container.host_config.devices or ()
        lines = log_tails.of(container).find_all(*_REFUSED) if devices else []
        for device in devices if lines else ():
            inside, path = str(device.get("PathInContainer")), device.get("PathOnHost")
            if path and inside in lines[-1]:
                yield _NamedDevice(container, inside, str(path), lines[-1])
