"""Devices that a container was given and that its user, or the whole host, may not open."""

import re
from collections.abc import Iterator, Sequence

from diagnose.evidence.containers.devices.given import (
    DeniedDevice,
    NamedDevice,
    denied_by_mode,
    given_devices,
)
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.file_access import host_user
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.items import Items
from diagnose.evidence.machine.confinement import KIND_FILE
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.file_answers import file_text
from diagnose.questions.files import HARMLESS_DEVICES, TryDevices
from diagnose.registry import evidence

_BY_RULE = LazyPattern(r"not permitted|\bEPERM\b", re.IGNORECASE)
"""The kernel's error where device rules deny the access; owner and mode give "permission denied".
"""
_REFUSED = ("permission denied", "eacces", "not permitted", "access denied")


class BarredDevice(NamedDevice, frozen=True):
    """A device in a container's log that this host itself may not open."""

    around: str
    """The container system around this host, "lxc" for one; "" where none is known."""


class DeniedDevices(Items[DeniedDevice], frozen=True):
    """The devices that a log names, and whose mode on the host bars the container's user."""

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
    """The denied devices of containers whose last lines say that a device was denied."""
    named_devices = list(_named_in_logs(containers, log_tails))
    if not named_devices:
        return DeniedDevices()
    denied = denied_by_mode(
        host, named_devices, lambda container: host_user(container, info, numbers)
    )
    return DeniedDevices(tuple(denied), tuple(_barred_devices(host, named_devices)))


def _barred_devices(host: Host, named_devices: Sequence[NamedDevice]) -> Iterator[BarredDevice]:
    """The collector asks only for devices that are harmless to open, and that the kernel's rules
    may deny."""
    candidates = [
        device
        for device in named_devices
        if device.path in HARMLESS_DEVICES and _BY_RULE.search(device.line)
    ]
    if not candidates:
        return
    trials = host.ask(TryDevices(sorted({device.path for device in candidates})))
    if isinstance(trials, Failed):
        return
    refused = [
        device
        for device in candidates
        if device.path in trials and trials[device.path].error == "EPERM"
    ]
    if not refused:
        return
    kind_of_host = file_text(host, KIND_FILE).strip()
    for device in refused:
        yield BarredDevice(
            device.container, device.path_inside, device.path, device.line, kind_of_host
        )


def _named_in_logs(containers: Containers, log_tails: LogTails) -> Iterator[NamedDevice]:
    for container in containers:
        paths_by_device = _given_devices(container)
        lines = log_tails.of(container).find_all(*_REFUSED) if paths_by_device else []
        if not lines:
            continue
        for inside, path in paths_by_device.items():
            if inside in lines[-1]:
                yield NamedDevice(container, inside, path, lines[-1])


def _given_devices(container: Container) -> dict[str, str]:
    """The devices on the host that the container was given, by their path in it."""
    config = container.host_config
    every = {path: path for path in sorted(HARMLESS_DEVICES)} if config.privileged else {}
    return every | given_devices(container)
