"""container.option-missing: a container was created without an option that its program needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from checks.container.confirmed import Claim, claims, compose_variables
from checks.container.tmpfs import tmpfs_of_root, tmpfs_option
from diagnose.evidence.containers.asked_devices import AskedDevices, asked_device
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Severity
from diagnose.registry import check

ID = "container.option-missing"

Proof = tuple[str, object]
"""The path of a value in the configuration, and the value."""


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
    device that the host does not have either is container.device-missing.
    """
    lacking = asked_devices.missing if asked_devices is not None else {}
    for claim in claims(ID, containers, log_tails, clock):
        if asked_device(claim.failure) in lacking:
            continue
        options = [_filled(option, claim, numbers) for option in claim.failure.failure.needs]
        missing = [
            (option, proof)
            for option in options
            if (proof := _lacks(claim.container, option, claim))
        ]
        if not missing:
            continue
        flags = " ".join(option for option, _ in missing)
        finding = claim.finding(
            f"needs {flags}: {claim.failure.cause}",
            dict(proof for _, proof in missing),
            option=missing[0][0],
            image=claim.container.config.image,
        )
        further = {"further": missing[1][0]} if len(missing) == 2 else {}
        yield finding.with_variables(further | compose_variables(claim.container))
    yield from tmpfs_of_root(containers, clock, log_tails, numbers)
    return None


_TMPFS = "--tmpfs"
_USUAL_SHM = 64 << 20
"""Bytes of /dev/shm that a container has unless it is given more."""


def _filled(option: str, claim: Claim, numbers: UserNumbers | None) -> str:
    if option == _TMPFS:
        path = claim.value("path")
        return tmpfs_option(claim.container, path.rpartition("/")[0] or path, numbers)
    for name, value in claim.failure.values.items():
        option = option.replace(f"{{{name}}}", value)
    return option


def _lacks(container: Container, option: str, claim: Claim) -> Proof | None:
    """The part of its configuration that shows that it lacks the option; None if it has it."""
    flag, _, value = option.partition("=")
    if flag == _TMPFS:
        return _lacks_room_to_write(container, claim.value("path"))
    lacks = _LACKS.get(flag)
    return lacks(container, value) if lacks else None


def _lacks_device(container: Container, path: str) -> Proof | None:
    config = container.host_config
    paths = [device.get("PathInContainer") for device in config.devices or ()]
    return None if config.privileged or path in paths else ("HostConfig.Devices", paths or "none")


def _lacks_mount(container: Container, assignment: str) -> Proof | None:
    path = assignment.partition(":")[2]
    calls_elsewhere = any(name == "DOCKER_HOST" for name, _ in container.config.environment)
    mounts = [mount.destination for mount in container.mounts or ()]
    has_socket = any(at.removeprefix("/var") == path.removeprefix("/var") for at in mounts)
    return None if has_socket or calls_elsewhere else ("Mounts", mounts or "none")


def _lacks_host_entry(container: Container, _: str) -> Proof | None:
    entries = container.host_config.extra_hosts or []
    has_entry = any(entry.startswith("host.docker.internal") for entry in entries)
    return None if has_entry else ("HostConfig.ExtraHosts", entries or "none")


def _lacks_first_place(container: Container, _: str) -> Proof | None:
    """Whether another process than the image's own init is the first one."""
    config = container.host_config
    is_first = not config.init and config.pid_mode in ("", "private")
    return None if is_first else ("HostConfig.Init", bool(config.init))


def _lacks_limit(container: Container, assignment: str) -> Proof | None:
    name = assignment.partition("=")[0]
    limits = [limit for limit in container.host_config.ulimits or () if limit.get("Name") == name]
    if any(limit.get("Hard") == -1 for limit in limits):
        return None
    return ("HostConfig.Ulimits", limits or "none")


def _lacks_kernel_setting(container: Container, assignment: str) -> Proof | None:
    """Whether a user who is not root lacks the setting; the host's network has the host's own."""
    name, _, wanted = assignment.partition("=")
    given = container.host_config.sysctls or {}
    is_root = container.config.user.partition(":")[0] in ("", "0", "root")
    if is_root or container.shares_host_network or given.get(name) == wanted:
        return None
    return ("HostConfig.Sysctls", given or "none")


def _lacks_security_option(container: Container, wanted: str) -> Proof | None:
    """Whether no option of this kind was given; one that was given may be a profile that fits."""
    config = container.host_config
    given = config.security_opt or ()
    kind = wanted.partition("=")[0]
    has_kind = any(option.partition("=")[0].partition(":")[0] == kind for option in given)
    return None if config.privileged or has_kind else ("HostConfig.SecurityOpt", given or "none")


def _lacks_shared_memory(container: Container, _: str) -> Proof | None:
    given = container.host_config.shm_size
    return ("HostConfig.ShmSize", given) if given <= _USUAL_SHM else None


def _lacks_variable(container: Container, assignment: str) -> Proof | None:
    name, _, wanted = assignment.partition("=")
    values = [
        entry.partition("=")[2]
        for entry in container.config.env or ()
        if entry.startswith(f"{name}=")
    ]
    if not values:
        return ("Config.Env", f"{name} is not set")
    # a folder below the one that it names now is another value
    is_above = wanted.startswith(f"{values[-1].rstrip('/')}/")
    return ("Config.Env", f"{name} is {values[-1]}") if is_above else None


def _lacks_room_to_write(container: Container, path: str) -> Proof | None:
    is_mounted = any(path.startswith(mount.destination) for mount in container.mounts or ())
    is_read_only = container.host_config.readonly_rootfs and not is_mounted
    return ("HostConfig.ReadonlyRootfs", True) if is_read_only else None


def _lacks_capability(container: Container, name: str) -> Proof | None:
    config = container.host_config
    added = {capability.upper().removeprefix("CAP_") for capability in config.cap_add or ()}
    dropped = {capability.upper().removeprefix("CAP_") for capability in config.cap_drop or ()}
    if config.privileged or added & {name, "ALL"}:
        return None
    by_default = name in ("SETUID", "SETGID", "CHOWN")
    if by_default and not dropped & {name, "ALL"}:
        return None
    if by_default:
        return ("HostConfig.CapDrop", sorted(dropped))
    return ("HostConfig.CapAdd", sorted(added) or "none")


def _lacks_gpu(container: Container, _: str) -> Proof | None:
    config = container.host_config
    has_gpu = config.device_requests or config.runtime == "nvidia"
    return None if has_gpu else ("HostConfig.DeviceRequests", "none")


def _lacks_privileges(container: Container, _: str) -> Proof | None:
    is_privileged = container.host_config.privileged
    return None if is_privileged else ("HostConfig.Privileged", False)


_LACKS: Mapping[str, Callable[[Container, str], Proof | None]] = {
    "--cap-add": _lacks_capability,
    "--device": _lacks_device,
    "--add-host": _lacks_host_entry,
    "--gpus": _lacks_gpu,
    "--init": _lacks_first_place,
    "--privileged": _lacks_privileges,
    "--ulimit": _lacks_limit,
    "--shm-size": _lacks_shared_memory,
    "--security-opt": _lacks_security_option,
    "--sysctl": _lacks_kernel_setting,
    "--env": _lacks_variable,
    "--volume": _lacks_mount,
}
"""How it is seen that a container lacks an option, by its name."""
