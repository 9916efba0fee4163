"""Options of `docker run` that a container lacks, and its configuration that shows it. Pure."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import to_builtins

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.shared_memory import SHM
from diagnose.numbers import is_number
from diagnose.programs.failures.host.kernel_settings import PORT_START


class Proof(NamedTuple):
    """A value of a container's configuration which shows that an option is not there."""

    path: str
    """HostConfig.Devices."""
    value: object


TMPFS = "--tmpfs"
_USUAL_SHM = 64 << 20
"""Bytes of /dev/shm that a container has unless it is given more."""
_LOCALE = "LC_ALL"
_LOCALE_VARIABLES = (_LOCALE, "LC_CTYPE", "LANG", "PYTHONIOENCODING")
_PYTHON_OF_UTF8 = [3, 7]
"""From this version on Python takes the locale C for UTF-8 (PEP 538 and 540)."""


def lacks(container: Container, option: str, path: str) -> Proof | None:
    """The part of its configuration that shows that it lacks the option; None if it has it.

    path: the path that the program wanted to write, for a tmpfs.
    """
    flag, _, value = option.partition("=")
    if flag == TMPFS:
        return _lacks_room_to_write(container, path)
    lacking = _LACKS.get(flag)
    return lacking(container, value) if lacking else None


def given_devices(container: Container) -> frozenset[str]:
    """The options that gave the container its devices, which it does not need again."""
    config = container.host_config
    paths = {f"--device={device.path_in_container}" for device in config.devices or ()}
    return frozenset(paths if _lacks_gpu(container, "") else {*paths, "--gpus=all"})


def _lacks_device(container: Container, path: str) -> Proof | None:
    config = container.host_config
    paths = [device.path_in_container for device in config.devices or ()]
    if config.privileged or path in paths:
        return None
    return Proof("HostConfig.Devices", paths or "none")


def _lacks_mount(container: Container, assignment: str) -> Proof | None:
    path = assignment.split(":")[1]
    calls_elsewhere = path.endswith(".sock") and container.config.sets("DOCKER_HOST")
    mounts = [mount.destination for mount in container.mounts]
    has_it = path.removeprefix("/var") in {at.removeprefix("/var") for at in mounts}
    if has_it or calls_elsewhere:
        return None
    return Proof("Mounts", mounts or "none")


def _lacks_host_entry(container: Container, assignment: str) -> Proof | None:
    entries = container.host_config.extra_hosts or []
    name = assignment.partition(":")[0]
    if any(entry.startswith((f"{name}:", f"{name}=")) for entry in entries):
        return None
    return Proof("HostConfig.ExtraHosts", entries or "none")


def _lacks_first_place(container: Container, _: str) -> Proof | None:
    """The proof that another process than the image's own init is the first one."""
    config = container.host_config
    if not config.init and config.pid_mode in ("", "private"):
        return None
    return Proof("HostConfig.Init", value=bool(config.init))


def _lacks_limit(container: Container, assignment: str) -> Proof | None:
    name, _, wanted_limit = assignment.partition("=")
    least = int(wanted_limit.partition(":")[0])
    limits = [limit for limit in container.host_config.ulimits or () if limit.name == name]
    if any(limit.hard == -1 or limit.soft >= least > 0 for limit in limits):
        return None
    return Proof("HostConfig.Ulimits", to_builtins(limits) or "none")


def _lacks_kernel_setting(container: Container, assignment: str) -> Proof | None:
    """The proof that a container lacks a kernel setting of its own network namespace.

    The host's network has the host's settings. root opens low ports without a setting.
    """
    name, _, value = assignment.partition("=")
    sysctls = container.host_config.sysctls or {}
    may_itself = container.host_config.privileged
    if name == PORT_START:
        may_itself = container.config.starts_as_root
    if may_itself or container.shares_host_network:
        return None
    return Proof("HostConfig.Sysctls", sysctls or "none") if sysctls.get(name) != value else None


def _lacks_security_option(container: Container, wanted_option: str) -> Proof | None:
    """The proof that no option of this kind was given; one that was given may be a profile that
    fits."""
    config = container.host_config
    options = config.security_opt or ()
    kinds = {option.partition("=")[0].partition(":")[0] for option in options}
    if config.privileged or wanted_option.partition("=")[0] in kinds:
        return None
    return Proof("HostConfig.SecurityOpt", options or "none")


def _lacks_shared_memory(container: Container, _: str) -> Proof | None:
    """The size of /dev/shm, where it is the default and the container's own."""
    size = container.host_config.shm_size
    mode = container.host_config.ipc_mode
    if container.mount_at(SHM) is not None or mode not in ("", "private", "shareable"):
        return None
    return Proof("HostConfig.ShmSize", size) if size <= _USUAL_SHM else None


def _lacks_variable(container: Container, assignment: str) -> Proof | None:
    name, _, wanted_value = assignment.partition("=")
    if name == _LOCALE:
        return _lacks_locale(container)
    values = [value for set_name, value in container.config.environment if set_name == name]
    if not values:
        return Proof("Config.Env", f"{name} is not set")
    # a folder below the one that it names now is another value
    is_above = wanted_value.startswith(f"{values[-1].rstrip('/')}/")
    return Proof("Config.Env", f"{name} is {values[-1]}") if is_above else None


def _lacks_locale(container: Container) -> Proof | None:
    """The lack of a variable for UTF-8, where the image's Python does not choose it by itself."""
    values = dict(container.config.environment)
    version = [int(part) for part in values.get("PYTHON_VERSION", "").split(".") if is_number(part)]
    asks = any("utf" in values.get(name, "").lower() for name in _LOCALE_VARIABLES)
    if asks or values.get("PYTHONUTF8") == "1" or version >= _PYTHON_OF_UTF8:
        return None
    return Proof("Config.Env", f"none of {', '.join(_LOCALE_VARIABLES)} names UTF-8")


def _lacks_room_to_write(container: Container, path: str) -> Proof | None:
    is_mounted = any(path.startswith(mount.destination) for mount in container.mounts)
    if is_mounted or not container.host_config.readonly_rootfs:
        return None
    return Proof("HostConfig.ReadonlyRootfs", value=True)


def _lacks_capability(container: Container, name: str) -> Proof | None:
    """The setting that shows that the container does not have this capability; None if it does."""
    config = container.host_config
    added = config.added_capabilities
    dropped = config.dropped_capabilities
    if config.privileged or added & {name, "ALL"}:
        return None
    if name not in _CAPABILITIES_BY_DEFAULT:
        return Proof("HostConfig.CapAdd", sorted(added) or "none")
    if not dropped & {name, "ALL"}:
        return None
    return Proof("HostConfig.CapDrop", sorted(dropped))


_CAPABILITIES_BY_DEFAULT = ("SETUID", "SETGID", "CHOWN", "DAC_OVERRIDE")


def _lacks_gpu(container: Container, _: str) -> Proof | None:
    config = container.host_config
    if config.device_requests or config.runtime == "nvidia":
        return None
    return Proof("HostConfig.DeviceRequests", "none")


def _lacks_privileges(container: Container, _: str) -> Proof | None:
    if container.host_config.privileged:
        return None
    return Proof("HostConfig.Privileged", value=False)


def _lacks_root(container: Container, _: str) -> Proof | None:
    config = container.config
    return None if config.starts_as_root else Proof("Config.User", config.user)


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
    "--user": _lacks_root,
    "--volume": _lacks_mount,
}
"""The function that shows that a container lacks an option, by the option's name."""
