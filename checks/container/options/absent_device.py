"""Devices that a program asks for, that its container was not given, and that the host lacks."""

from collections.abc import Iterator, Mapping, Sequence

from checks.container.claims import claims
from diagnose.evidence.containers.devices.asked import AskedDevices, asked_device
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Finding
from diagnose.phrases import and_more

OPTION_MISSING = "container.option-missing"
"""The check of devices that the host has, and that the container was not given."""


def devices_not_on_host(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails,
    asked_devices: AskedDevices,
    modules: Mapping[str, str],
) -> Iterator[Finding]:
    """The findings about devices without which a program fails, and that the host does not have.

    modules: kernel modules that make a device, by the beginnings of their paths.
    """
    for claim in claims(OPTION_MISSING, containers, log_tails, clock):
        device = asked_device(claim.failure)
        others = asked_devices.missing.get(device)
        if others is None:
            continue
        has = what_the_host_has(others)
        finding = claim.finding(
            f"needs {device}, which this host does not have",
            {device: f"no such file or directory; {has}"},
            variables={"device": device},
        )
        module = next((name for start, name in modules.items() if device.startswith(start)), "")
        if len(others) == 1:
            yield finding.with_variables({"renamed": f"{others[0]}:{device}"})
        elif module:
            yield finding.with_variables({"module": module})
        else:
            yield finding.with_variables({"unplugged": device})


def what_the_host_has(others: Sequence[str]) -> str:
    """The clause about the devices of this kind that the host has."""
    return f"the host has {and_more(others)}" if others else "the host has no such device"
