"""container.device-missing: a device or a GPU that a container asks for is not there."""

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from checks.container.options.absent_device import devices_not_on_host, what_the_host_has
from checks.container.starts.start_errors import failed_start, joined_by_error
from diagnose.evidence.containers.devices.asked import AskedDevices
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.gpu import GpuSupport
from diagnose.first_steps.starts.device_steps import MODULES, NO_TOOLKIT, device_steps, other_device
from diagnose.first_steps.starts.start_steps import known_error
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity, Subject
from diagnose.phrases import and_more, quoted, sentence
from diagnose.registry import check

DEVICE = LazyPattern(
    r'adding custom device "(?P<device>[^"]+)"'
    r"|(?P<driver>could not select device driver .+|failed to discover GPU vendor .+)"
    r"|(?P<nvidia>nvidia-container-cli: .+)|(?P<cdi>unresolvable CDI devices? .+)"
)
"""The device that the host does not have: by its path, by its driver, or by CDI."""


@check(
    "container.device-missing",
    severity=Severity.critical,
    aloud=("has lost a device that it was given", "have lost devices that they were given"),
)
def device_missing(
    containers: Containers,
    clock: Clock | None,
    log_tails: LogTails | None,
    asked_devices: AskedDevices | None,
    gpu: GpuSupport | None,
) -> CheckResult:
    """A device or a GPU that a container asks for is not there.

    The engine refuses the start with exit code 128: no such device file, no driver for `--gpus`, or
    a CDI name that nothing explains. Seen on engines 20.10.24, 26.1.5, 28.5.2 and 29.7.2, which has
    other words for `--gpus`; those of the NVIDIA tools are from their documentation. A program that
    ends because it lacks a device asks for it in its log: the host is looked at before the option
    `--device` is named. A container that runs keeps a device file whose device was unplugged: its
    program fails as soon as it opens the file, and the next start is refused. That is advice unless
    the log names the device again and again: a printer may be switched off.
    """
    if asked_devices is not None:
        yield from _absent_device_findings(containers, clock, log_tails, asked_devices)
    refused: list[tuple[Container, Finding]] = []
    for container in containers:
        error = container.state.error
        match = DEVICE.search(error) if container.start_failed else None
        if match is None:
            continue
        failure = known_error(container)
        name = failure.name if failure else ""
        path = match["device"] or ""
        others = asked_devices.missing.get(path) if asked_devices is not None else None
        finding = failed_start(
            container,
            _missing_device_clause(match, error, others),
            variables=other_device(container, path, others) or device_steps(path, name, gpu),
        )
        finding = replace(finding, summary=f"{finding.summary}{_host_clause(name, gpu)}")
        if match["device"]:
            yield finding
        else:
            refused.append((container, finding))
    yield from joined_by_error(refused)


def _absent_device_findings(
    containers: Containers,
    clock: Clock | None,
    log_tails: LogTails | None,
    asked_devices: AskedDevices,
) -> Iterator[Finding]:
    """Findings about devices that containers ask for, or were given, and that the host does not
    have."""
    reported_subjects = set[Subject]()
    if clock is not None and log_tails is not None:
        for finding in devices_not_on_host(containers, clock, log_tails, asked_devices, MODULES):
            reported_subjects.add(finding.subject)
            yield finding
    for container in containers.running:
        if container.subject not in reported_subjects:
            yield from _unplugged_findings(container, asked_devices)


def _unplugged_findings(container: Container, asked_devices: AskedDevices) -> Iterator[Finding]:
    """Findings about devices that a running container was given, and that the host no longer
    has."""
    for device in container.host_config.devices or ():
        path = device.path_on_host
        others = asked_devices.missing.get(path)
        if others is None:
            continue
        line = asked_devices.line_about(path, container)
        yield Finding.about(
            container,
            sentence(
                f"{container} was given {path}, which is gone from this host",
                f"the host has {and_more(others)}" if others else "",
            ),
            {path: "no such file or directory", "HostConfig.Devices": path}
            | present({"log": quoted(line)}),
            discriminator=path,
            severity=Severity.warning if line else Severity.advice,
            recheck=(container.run,),
            variables={
                "device": path,
                **(other_device(container, path, others) or {"unplugged": path}),
            },
        )


def _missing_device_clause(match: re.Match[str], error: str, others: Sequence[str] | None) -> str:
    """The device that the container asks for and does not get, in words.

    others: the devices of that kind that the host has, where they were looked for.
    """
    path = match["device"]
    if not path:
        return (match["driver"] or match["nvidia"] or match["cdi"])[:100]
    if "not a device node" in error:
        return f"{path} is not a device"[:100]
    missing = f"there is no {path}"[:100]
    return f"{missing}; {what_the_host_has(others)}" if others else missing


def _host_clause(failure: str, gpu: GpuSupport | None) -> str:
    """The clause about the toolkit and the driver of NVIDIA on the host now; "" where they
    explain nothing."""
    if failure != NO_TOOLKIT or gpu is None:
        return ""
    if gpu.toolkit:
        return "; it was installed since"
    return "" if gpu.driver else "; this host has no NVIDIA driver either"
