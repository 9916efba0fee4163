"""Devices and time zones for which containers and programs in them ask, looked up on the host."""

import posixpath
import re
from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of, present
from diagnose.model import Unavailable
from diagnose.programs.failures import Recognised
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing
from diagnose.questions.files import StatPaths
from diagnose.registry import evidence

OPTION = "--device="
REFUSED = LazyPattern(r'adding custom device "(?P<device>[^"]+)"')
"""The engine's error about a device that a container should get and that cannot be used."""
_SERIAL = LazyPattern(r"^tty(?:USB|ACM|AMA)\d+$")
_BY_ID = "/dev/serial/by-id"
_ZONES = "/usr/share/zoneinfo/"


class AskedDevices(msgspec.Struct, frozen=True):
    """Devices that programs ask for and the host lacks, and time zones that it knows."""

    missing: dict[str, tuple[str, ...]] = {}
    """By path, what the host lacks, with the devices of that kind that it has."""
    zones: frozenset[str] = frozenset()
    """The requested time zones that the host knows, so that their names are right."""
    lines: dict[str, dict[str, str]] = {}
    """By the id of a container that runs and by path: what its program prints again and again about
    a device that it was given."""

    def line_about(self, path: str, container: Container) -> str:
        """A line of the container's log about a device that it was given; "" for none."""
        return self.lines.get(container.id, {}).get(path, "")


def asked_device(failure: Recognised) -> str:
    """The device without which a known failure does not end; "" where it is about none."""
    option = first_of(failure.needs, "")
    if not option.startswith(OPTION):
        return ""
    return failure.filled(option.removeprefix(OPTION))


def is_serial(path: str) -> bool:
    """Whether a path is that of a serial device, as adapters for radios are."""
    folder, name = posixpath.split(path)
    return folder == _BY_ID or _SERIAL.search(name) is not None


@evidence
def asked_devices(
    host: Host,
    log_tails: LogTails,
    repeated_errors: RepeatedErrors | None,
    containers: Containers | None = None,
) -> AskedDevices | Unavailable:
    """The devices that logs, refused starts and running containers name, with their status.

    All of them take one question. No device, no question.
    """
    repeated = repeated_errors or ()
    of_running = [error.failure for error in repeated if error.failure is not None]
    failures = [*log_tails.failures.values(), *of_running]
    named_in_logs = {asked_device(failure) for failure in failures}
    all_containers = containers or ()
    paths_named = named_in_logs | _refused_devices(all_containers) | _given_devices(all_containers)
    devices = sorted(paths_named - {""})
    zones = sorted({failure.values.get("zone", "") for failure in failures} - {""})
    paths = [*devices, *map(_zone_file, zones)]
    if not paths:
        return AskedDevices()
    statuses = host.require(StatPaths(paths, follow=True))
    missing = [path for path in devices if statuses[path].failed == "missing"]
    return AskedDevices(
        {path: _devices_of_same_kind(host, path) for path in missing},
        frozenset(zone for zone in zones if not statuses[_zone_file(zone)].failed),
        present({error.container.id: _lines_about_devices(error) for error in repeated}),
    )


def _zone_file(zone: str) -> str:
    return f"{_ZONES}{zone}"


def _refused_devices(containers: Iterable[Container]) -> set[str]:
    """The devices that the engine names as it refuses to start their containers."""
    errors = [container.state.error for container in containers if container.start_failed]
    return {match["device"] for match in map(REFUSED.search, errors) if match is not None}


def _lines_about_devices(error: RepeatedError) -> dict[str, str]:
    """By path of the host, the first line about a device that the container was given."""
    lines: dict[str, str] = {}
    for device in error.container.host_config.devices or ():
        names = (device.path_in_container, device.path_on_host)
        for line in error.lines:
            if any(name and name in line for name in names):
                lines.setdefault(device.path_on_host, line)
    return lines


def _given_devices(containers: Iterable[Container]) -> set[str]:
    """The paths of the host's devices that the containers which run were given."""
    return {
        device.path_on_host
        for container in containers
        if container.is_running
        for device in container.host_config.devices or ()
        if device.path_on_host.startswith("/dev/")
    }


def _devices_of_same_kind(host: Host, path: str) -> tuple[str, ...]:
    """The devices of the host that differ in their number, or that are serial too."""
    folder, name = posixpath.split(path)
    names = folder_listing(host, folder).names
    stem = name.rstrip("0123456789")
    same_kind = re.compile(rf"{re.escape(stem)}\d+")
    kin = {other for other in names if same_kind.fullmatch(other)}
    if is_serial(path):
        kin.update(other for other in names if _SERIAL.search(other) or folder == _BY_ID)
    return tuple(sorted(f"{folder}/{other}" for other in kin))
