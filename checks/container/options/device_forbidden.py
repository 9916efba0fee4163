"""container.device-forbidden: a container's user may not open a device that it was given."""

from checks.container.claims import compose_variables, is_failing
from diagnose.evidence.containers.devices.denied import BarredDevice, DeniedDevices
from diagnose.evidence.containers.devices.given import READ_AND_WRITE, DeniedDevice
from diagnose.evidence.containers.devices.unusable import UnusableDevices
from diagnose.evidence.containers.mounts.bind_mounts import PathStatus
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity
from diagnose.phrases import quoted
from diagnose.registry import check


@check("container.device-forbidden", severity=Severity.critical)
def device_forbidden(
    denied: DeniedDevices, clock: Clock, unusable: UnusableDevices | None
) -> CheckResult:
    """A container's user may not open a device that it was given.

    `--device` gives the container the device with the owner and the mode that it has on the host: a
    user who is neither its owner nor in its group is refused. Numbers count, not names: the group
    render has another number on each distribution. A program that still runs without its graphics
    card is a warning. Where this host is itself a container (LXC, as on Proxmox), that one's rules
    decide which devices any program here may open.
    """
    for barred in denied.barred:
        if is_failing(barred.container, clock):
            yield _barred_finding(barred)
    for device in denied:
        if is_failing(device.container, clock):
            yield _denied_finding(device)
    if unusable is not None:
        for device in unusable:
            yield _unusable_finding(
                device, changed_user=device.container.id in unusable.changed_user
            )


def _denied_finding(device: DeniedDevice) -> Finding:
    container = device.container
    return Finding.about(
        container,
        f"{container} may not open {device.path_inside}: its user is {device.user.label}, and the device "
        f"belongs to {device.source.owner} with mode {_mode(device.source)}",
        _evidence(device),
        discriminator=device.path_inside,
        onset=container.failed_first,
        variables={"device": device.path, **_group(device.source), **compose_variables(container)},
    )


def _unusable_finding(device: DeniedDevice, *, changed_user: bool) -> Finding:
    """The finding about a graphics device without which a program still runs: its processor does
    the work."""
    container = device.container
    groups = ", ".join(map(str, sorted(device.user.gids))) or "none"
    finding = Finding.about(
        container,
        f"{container} cannot use {device.path_inside}: its program runs as {device.user.label}, in groups "
        f"{groups}, and the device belongs to {device.source.owner} with mode {_mode(device.source)}",
        _evidence(device),
        discriminator=device.path_inside,
        severity=Severity.warning,
        variables={"device": device.path},
    )
    if changed_user:
        # the image sets the groups of the user to whom it changes: the engine's do not reach him
        return finding.with_variables({"opened": device.path})
    return finding.with_variables(_group(device.source) | compose_variables(container))


def _evidence(device: DeniedDevice) -> dict[str, Json]:
    return {
        LINE: quoted(device.line),
        f"owner and mode of {device.path}": f"{device.source.owner} {_mode(device.source)}",
        "HostConfig.GroupAdd": device.container.host_config.group_add or "none",
    }


def _mode(source: PathStatus) -> str:
    """The mode in the digits that chmod takes."""
    return f"{source.mode & 0o777:o}"


def _barred_finding(device: BarredDevice) -> Finding:
    """The finding about a device that no program of this host may open."""
    outer = f"the {device.around} container" if device.around else "the container"
    return Finding.about(
        device.container,
        f"{device.container} may not open {device.path_inside}, and this host may not either: the device "
        f"rules of {outer} in which the host runs deny it",
        {LINE: quoted(device.line), f"opening {device.path} on the host": "EPERM"},
        discriminator=device.path_inside,
        onset=device.container.failed_first,
        variables={"device": device.path, "barred": device.path},
    )


def _group(source: PathStatus) -> PageVariables:
    """The page variable with the group that lets the user in; empty where only root's group may."""
    lets_group = (source.mode >> 3) & READ_AND_WRITE == READ_AND_WRITE
    return {"group": f"--group-add={source.gid}"} if lets_group and source.gid else {}
