"""The options of `docker run` that end a known failure, as far as the container lacks them."""

from diagnose.evidence.containers.devices.asked import AskedDevices, asked_device
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.options.lacking_options import TMPFS, Proof, lacks
from diagnose.evidence.containers.options.tmpfs_options import tmpfs_option
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures import Recognised

ID = "container.option-missing"
_READERS = {
    "ALLOW_PRIVATE_IP_ADDRESS": LazyPattern(r"onlyoffice|documentserver"),
    "CONSUL_BIND_INTERFACE": LazyPattern(r"consul"),
    "JENKINS_WEB_SOCKET": LazyPattern(r"jenkins|inbound-agent|jnlp"),
    "ZBX_ALLOWUNSUPPORTEDDBVERSIONS": LazyPattern(r"zabbix"),
    "discovery.type": LazyPattern(r"elastic|opensearch"),
}
"""Variables that only the start script of some images reads, or one of the programs that print the
line, with the names of those images."""


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
    read = [option for option in options if _is_read(option, container)]
    proofs = {option: lacks(container, option, path) for option in read}
    return {option: proof for option, proof in proofs.items() if proof is not None}


def _is_elsewhere(failure: Recognised, asked_devices: AskedDevices | None) -> bool:
    """Whether the host lacks the device too, or knows no such time zone."""
    zone = failure.values.get("zone", "")
    if zone:
        return asked_devices is None or zone not in asked_devices.zones
    return asked_devices is not None and asked_device(failure) in asked_devices.missing


def _is_read(option: str, container: Container) -> bool:
    """Whether the image reads the variable that an option gives; true of any other option."""
    variable = option.removeprefix("--env=").partition("=")[0]
    readers = _READERS.get(variable)
    return readers is None or readers.search(container.config.image) is not None


def _filled_option(
    option: str, container: Container, failure: Recognised, numbers: UserNumbers | None
) -> str:
    if option == TMPFS:
        path = failure.values.get("path", "")
        return tmpfs_option(container, path.rpartition("/")[0] or path, numbers)
    return failure.filled(option)
