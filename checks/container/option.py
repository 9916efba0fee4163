"""container.option-missing: a container was created without an option that its program needs."""

from __future__ import annotations

from checks.container.confirmed import Claim, claims, compose_variables
from checks.container.tmpfs import tmpfs_of_root
from diagnose.evidence.containers.asked_devices import AskedDevices, asked_device
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.settings.lacking_options import TMPFS, Proof, lacks
from diagnose.evidence.containers.settings.tmpfs_options import tmpfs_option
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Severity
from diagnose.registry import check

ID = "container.option-missing"


@check(ID, severity=Severity.critical)
def option_missing(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails,
    asked_devices: AskedDevices | None,
    numbers: UserNumbers | None,
) -> CheckResult:
    """A container was created without an option that its program needs.

    The log shows what the program could not do, and the container's own configuration shows why: a
    capability, a device, a limit or an entry for host.docker.internal is missing, its root file
    system is read-only, a tmpfs belongs to root, or a second init stands before the image's own. A
    time zone counts where the host knows it, so that its name is right and the image lacks them. A
    device that the host does not have either is container.device-missing.
    """
    for claim in claims(ID, containers, log_tails, clock):
        is_elsewhere = _is_elsewhere(claim, asked_devices)
        missing = {} if is_elsewhere else _missing(claim, numbers)
        if missing:
            options = list(missing)
            finding = claim.finding(
                f"needs {' '.join(options)}: {claim.failure.cause}",
                dict(missing.values()),
                option=options[0],
                image=claim.container.config.image,
            )
            further = {"further": options[1]} if len(options) == 2 else {}
            yield finding.with_variables(further | compose_variables(claim.container))
    yield from tmpfs_of_root(containers, clock, log_tails, numbers)
    return None


def _is_elsewhere(claim: Claim, asked_devices: AskedDevices | None) -> bool:
    """Whether no option would help: the host lacks the device too, or knows no such time zone."""
    zone = claim.value("zone")
    if zone:
        return asked_devices is None or zone not in asked_devices.zones
    return asked_devices is not None and asked_device(claim.failure) in asked_devices.missing


def _missing(claim: Claim, numbers: UserNumbers | None) -> dict[str, Proof]:
    """The options that the program needs and its container lacks, each with its proof."""
    options = [_filled(option, claim, numbers) for option in claim.failure.needs]
    proofs = {option: lacks(claim.container, option, claim.value("path")) for option in options}
    return {option: proof for option, proof in proofs.items() if proof is not None}


def _filled(option: str, claim: Claim, numbers: UserNumbers | None) -> str:
    if option == TMPFS:
        path = claim.value("path")
        return tmpfs_option(claim.container, path.rpartition("/")[0] or path, numbers)
    for name, value in claim.failure.values.items():
        option = option.replace(f"{{{name}}}", value)
    return option
