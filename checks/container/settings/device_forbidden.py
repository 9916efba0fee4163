"""container.device-forbidden: a container's user may not open a device that it was given."""

from __future__ import annotations

from checks.container.claims import compose_variables, is_failing
from checks.container.helpers import LINE
from diagnose.evidence.containers.denied_devices import (
    READ_AND_WRITE,
    BarredDevice,
    DeniedDevice,
    DeniedDevices,
)
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import quoted
from diagnose.registry import check


@check("container.device-forbidden", severity=Severity.critical)
def device_forbidden(denied: DeniedDevices, clock: Clock) -> CheckResult:
    """A container's user may not open a device that it was given.

    `--device` gives the container the device with the owner and the mode that it has on the host: a
    user who is neither its owner nor in its group is refused. Numbers count, not names: the group
    render has another number on each distribution. Where this host is itself a container (LXC, as
    on Proxmox), that one's rules decide which devices any program here may open.
    """
    for barred in denied.barred:
        if is_failing(barred.container, clock):
            yield _barred_finding(barred)
    for item in denied:
        container = item.container
        if not is_failing(container, clock):
            continue
        mode = item.source.mode & 0o777
        yield Finding.about(
            container,
            f"{container} may not open {item.inside}: its user is {item.user.label}, and the device "
            f"belongs to {item.source.owner} with mode {mode:o}",
            {
                LINE: quoted(item.line),
                f"owner and mode of {item.path}": f"{item.source.owner} {mode:o}",
                "HostConfig.GroupAdd": container.host_config.group_add or "none",
            },
            discriminator=item.inside,
            onset=container.failed_first,
            device=item.path,
        ).with_variables(_cure(item) | compose_variables(container))
    return None


def _barred_finding(item: BarredDevice) -> Finding:
    """A device that no program of this host may open."""
    outer = f"the {item.around} container" if item.around else "the container"
    return Finding.about(
        item.container,
        f"{item.container} may not open {item.inside}, and this host may not either: the device "
        f"rules of {outer} in which the host runs deny it",
        {LINE: quoted(item.line), f"opening {item.path} on the host": "EPERM"},
        discriminator=item.inside,
        onset=item.container.failed_first,
        device=item.path,
        barred=item.path,
    )


def _cure(item: DeniedDevice) -> dict[str, str]:
    """The group that lets the user in; nothing where no group but root's may."""
    lets_group = (item.source.mode >> 3) & READ_AND_WRITE == READ_AND_WRITE
    return {"group": f"--group-add={item.source.gid}"} if lets_group and item.source.gid else {}
