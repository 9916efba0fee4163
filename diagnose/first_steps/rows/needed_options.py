"""The options of `docker run` that end a known failure, as far as the container lacks them."""

from diagnose.evidence.containers.devices.asked import AskedDevices, asked_device
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.options.lacking_options import TMPFS, Proof, lacks
from diagnose.evidence.containers.options.tmpfs_options import tmpfs_option
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.programs.failures import Recognised

ID = "container.option-missing"


def needed_options(
    container: Container,
    failure: Recognised,
    asked_devices: AskedDevices | None,
    numbers: UserNumbers | None,
) -> dict[str, Proof]:
    """The options that would help, each with the proof that the container lacks it."""
    if failure.confirmed_by != ID or _is_elsewhere(failure, asked_devices):
        return {}
    options = [_filled_option(option, container, failure, numbers) for option in failure.needs]
    path = failure.values.get("path", "")
    proofs = {option: lacks(container, option, path) for option in options}
    return {option: proof for option, proof in proofs.items() if proof is not None}


def _is_elsewhere(failure: Recognised, asked_devices: AskedDevices | None) -> bool:
    """Whether the host lacks the device too, or knows no such time zone."""
    zone = failure.values.get("zone", "")
    if zone:
        return asked_devices is None or zone not in asked_devices.zones
    return asked_devices is not None and asked_device(failure) in asked_devices.missing


def _filled_option(
    option: str, container: Container, failure: Recognised, numbers: UserNumbers | None
) -> str:
    if option == TMPFS:
        path = failure.values.get("path", "")
        return tmpfs_option(container, path.rpartition("/")[0] or path, numbers)
    return failure.filled(option)
