"""Devices that a container was given and that its user, or the whole host, may not open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.file_access import HostUser, host_user
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.machine.confinement import KIND_FILE
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import (
    HARMLESS_DEVICES,
    PathStatus,
    ReadFile,
    StatPaths,
    TryDevices,
)
from diagnose.registry import evidence

READ_AND_WRITE = 6
_BY_RULE = LazyPattern(r"not permitted|\bEPERM\b", re.IGNORECASE)
"""What the kernel says where device rules deny it; owner and mode are "permission denied"."""
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


class BarredDevice(msgspec.Struct, frozen=True):
    """A device that a container was given and that this host itself may not open."""

    container: Container
    inside: str
    """The device's path in the container."""
    path: str
    """On the host."""
    line: str
    """What the log says."""
    around: str
    """The container system around this host, "lxc" for one; "" where none is known."""


class DeniedDevices(Items[DeniedDevice], frozen=True):
    """Those that the log names, and whose mode on the host is against the container's user."""

    barred: tuple[BarredDevice, ...] = ()
    """Those that no program of this host may open."""


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
    return DeniedDevices(tuple(denied), tuple(_barred(host, named)))


def _barred(host: Host, named: Sequence[_NamedDevice]) -> Iterator[BarredDevice]:
    """Asked only for devices that are harmless to open, and that the kernel's rules may deny."""
    candidates = [
        device
        for device in named
        if device.path in HARMLESS_DEVICES and _BY_RULE.search(device.line)
    ]
    if not candidates:
        return
    trials = host.ask(TryDevices(sorted({device.path for device in candidates})))
    if isinstance(trials, Failed):
        return
    refused = [d for d in candidates if d.path in trials and trials[d.path].error == "EPERM"]
    if not refused:
        return
    kind = host.ask(ReadFile(KIND_FILE))
    around = "" if isinstance(kind, Failed) else kind.text.strip()
    for device in refused:
        yield BarredDevice(device.container, device.inside, device.path, device.line, around)


class _NamedDevice(msgspec.Struct, frozen=True):
    """A device that a container was given, and that its log says it was denied."""

    container: Container
    inside: str
    path: str
    """The device's path on the host."""
    line: str


def _named_in_logs(containers: Containers, log_tails: LogTails) -> Iterator[_NamedDevice]:
    for container in containers:
        given = _given(container)
        lines = log_tails.of(container).find_all(*_REFUSED) if given else []
        for inside, path in given.items() if lines else ():
            if inside in lines[-1]:
                yield _NamedDevice(container, inside, path, lines[-1])


def _given(container: Container) -> dict[str, str]:
    """The devices on the host that the container was given, by their path in it."""
    config = container.host_config
    every = {path: path for path in sorted(HARMLESS_DEVICES)} if config.privileged else {}
    listed = {
        str(device.get("PathInContainer")): str(device.get("PathOnHost"))
        for device in config.devices or ()
        if device.get("PathOnHost")
    }
    return every | listed
