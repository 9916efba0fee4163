"""Devices that a program asks for, that its container was not given, and that the host lacks."""

from collections.abc import Iterator, Mapping, Sequence

from checks.container.claims import Claim, claims
from diagnose.evidence.containers.devices.asked import AskedDevices, asked_device, is_serial
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.wanted_parts import DeviceMapping
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import only
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
        given = _given_in_its_place(claim.container, device)
        if given is not None:
            yield _other_path_finding(claim, device, given)
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


def _given_in_its_place(container: Container, device: str) -> DeviceMapping | None:
    """The only serial device that a container was given, where the program asks for another one."""
    if not is_serial(device):
        return None
    given_devices = [
        given
        for given in container.host_config.devices or ()
        if given.path_in_container != device
        and (is_serial(given.path_in_container) or is_serial(given.path_on_host))
    ]
    return only(given_devices)


def _other_path_finding(claim: Claim, device: str, given: DeviceMapping) -> Finding:
    """The finding about a program that opens another path than the one of its device."""
    inside = given.path_in_container
    return claim.finding(
        f"needs {device}, and it was given a device as {inside}",
        {
            device: "no such file or directory",
            "HostConfig.Devices": f"{given.path_on_host} as {inside}",
        },
        variables={"device": device, "renamed": f"{given.path_on_host}:{device}"},
    )


def what_the_host_has(others: Sequence[str]) -> str:
    """The clause about the devices of this kind that the host has."""
    return f"the host has {and_more(others)}" if others else "the host has no such device"
