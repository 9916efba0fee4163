"""Reasons why the engine refused a start, by its own error. Pure."""

import posixpath
import re
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.lazy_pattern import LazyPattern

RefusalKind = Literal[
    "peer", "user", "sysctl", "program", "volume", "address", "log driver", "other"
]
"""The thing that the engine could not get: a container, a user of the image, a setting of the
kernel, a program of the host, a volume, a fixed address, the log driver."""
TOOL = LazyPattern(
    r'exec: "(?P<name>[^"]+)": executable file not found|fork/exec (?P<path>/(?!proc/)\S+): no such file'
)
"""A program of the host that the engine or its runtime calls: docker-init, runc, a shim, a hook."""
_OF_ENGINE = frozenset({"docker-init", "docker-proxy", "containerd-shim-runc-v2", "runc"})
STOCK = "runc"
"""The runtime that every engine has."""
_PEER = LazyPattern(
    r"non running container: (?:container )?/?(?P<joined>[\w.-]+)"
    r"|No such container: (?P<lost>[\w.-]+)"
    r"|(?:join IPC of|join PID of|join PID namespace of)(?: a)? container:? (?P<space>[\w.-]+)",
    re.IGNORECASE,
)
"""Another container that this one shares a namespace with, and that is gone or does not run."""
_USER = LazyPattern(r"unable to find (?P<kind>user|group) (?P<name>[^:]{1,200}):")
_ENDPOINT = LazyPattern(r"^.*connectivity on endpoint \S+ \(\w+\): ")
DRIVER = "failed to initialize logging driver: "
_VOLUME = LazyPattern(
    r"error while mounting volume '[^']*/volumes/(?P<volume>[^/']+)/_data'"
    r"|failed to mount local volume"
    r"|evaluating symlinks from mount source \"(?P<emptied>[^\"]*/volumes/(?P<lost>[^/\"]+)/_data)\""
    r"|get (?P<unknown>\S+): no such volume"
)
"""The volume that was not mounted: its options are wrong, its folder is gone, or another container
holds it."""
_ABSENT = LazyPattern(
    r"local volume: mount (?P<device>/.{0,500}):(?P<folder>/[^:\n]{0,500}/volumes/[^/]{1,255}/_data)"
    r"(?:, flags: (?P<flags>\S{1,99}))?: no such file or directory"
)
"""A bind or a disk by its name; the kernel does not say which of the two paths is missing."""
_BIND_FLAG = 0x1000
"""MS_BIND of mount(2): the volume is a folder of the host, not a disk."""
_NO_FILESYSTEM = LazyPattern(
    r"local volume: mount (?P<device>\S{1,500}):(?P<folder>\S{1,500}).{0,300}: no such device"
)
"""The kernel does not know the file system type (mount(2), ENODEV)."""
_TAKEN = LazyPattern(r"(?<!: bind: )Address already in use$")
"""The engine's own addresses; a port that is taken is `bind: address already in use`, in small
letters."""
_SYSCTL = LazyPattern(
    r"open sysctl (?P<name>\S{1,200}?):? .{0,200}permission denied"
    r"|open sysctl (?P<file>\S{1,200}) file: .{0,200}permission denied"
)
"""A sysctl that runc could not write; older releases name its file."""
_LONGEST = 140
"""Characters of the innermost words of an error in a sentence."""
UNMADE_SOURCE = LazyPattern(r"error while creating mount source path '(?P<path>[^']+)': ")
"""The engine's error about a path of the host that was not there, and that it could not make."""


class AbsentMount(msgspec.Struct, frozen=True):
    """The disk or the folder of the host that follows a volume and is not there."""

    device: str
    folder: str
    is_bind: bool
    """Whether it is a folder of the host."""


class Refusal(msgspec.Struct, frozen=True):
    """A start that was refused."""

    kind: RefusalKind
    error: str
    name: str = ""
    """The container, the user or group, the setting or the program's path; "" for a volume without
    a name."""
    peer: Container | None = None
    """The container that is needed, if there still is one."""

    @property
    def is_of_log_driver(self) -> bool:
        return DRIVER in self.error

    @property
    def is_of_container(self) -> bool:
        """Whether a sound engine refuses as well: a user is missing, an address is taken."""
        return bool(_USER.search(self.error) or _TAKEN.search(self.error))

    @property
    def wants_address(self) -> bool:
        return _TAKEN.search(self.error) is not None

    @property
    def wants_user(self) -> bool:
        """Whether a user is missing, and not a group."""
        user = _USER.search(self.error)
        return user is not None and user["kind"] == "user"

    @property
    def program(self) -> str:
        """The name of the program that the host lacks."""
        return posixpath.basename(self.name)

    @property
    def lost_volume(self) -> str:
        """The volume whose folder is gone, with all its files."""
        volume = _VOLUME.search(self.error)
        return (volume["lost"] or "") if volume else ""

    @property
    def unknown_volume(self) -> str:
        """The volume that its driver does not know; "" for another reason."""
        volume = _VOLUME.search(self.error)
        return (volume["unknown"] or "") if volume else ""

    @property
    def emptied_folder(self) -> str:
        """The folder of a volume that is not there any more; "" where the error names none."""
        volume = _VOLUME.search(self.error)
        return (volume["emptied"] or "") if volume else ""

    @property
    def absent(self) -> AbsentMount | None:
        """The source of the volume that failed to mount; the kernel does not name the path."""
        match = _ABSENT.search(self.error)
        if match is None:
            return None
        return AbsentMount(match["device"], match["folder"], _is_bind(match["flags"]))

    @property
    def unknown_filesystem(self) -> str:
        """The device of a volume whose type the kernel has no module for."""
        match = _NO_FILESYSTEM.search(self.error)
        return match["device"] if match else ""

    @property
    def driver_says(self) -> str:
        """The message of the log driver."""
        return self.error.rpartition(DRIVER)[2]

    @property
    def core(self) -> str:
        """The innermost part of the chain of error texts, which has the reason."""
        return innermost(self.error)


def refusal_of(container: Container, containers: Containers) -> Refusal:
    """By the first of the engine's words that is known."""
    error = container.state.error
    if match := _PEER.search(error):
        name = match["joined"] or match["lost"] or match["space"]
        return Refusal("peer", error, name, _container_named(name, containers))
    patterns: dict[RefusalKind, LazyPattern] = {
        "user": _USER,
        "sysctl": _SYSCTL,
        "program": TOOL,
        "volume": _VOLUME,
        "address": _TAKEN,
    }
    for kind, pattern in patterns.items():
        if match := pattern.search(error):
            names = (match.groupdict().get(group) for group in _NAMES)
            return Refusal(kind, error, next(filter(None, names), ""))
    return Refusal("log driver" if DRIVER in error else "other", error)


_NAMES = ("name", "file", "path", "volume", "unknown")
"""Groups of the patterns that hold what could not be had."""


def _container_named(name: str, containers: Containers) -> Container | None:
    """The container of this name, or whose id begins so."""
    if name in containers.by_name:
        return containers.by_name[name]
    return next((other for other in containers if other.id.startswith(name)), None)


def is_of_own_runtime(container: Container, program: str) -> bool:
    """Whether a missing program is that of a runtime which the container asks for itself."""
    runtime = container.host_config.runtime
    is_usual = runtime in ("", STOCK, "io.containerd.runc.v2")
    return program not in _OF_ENGINE and not is_usual


def held_addresses(container: Container, containers: Containers) -> dict[str, list[str]]:
    """The containers and their addresses, on each network of a container."""
    addresses = {}
    for network in container.endpoints:
        neighbours = containers.running_on(network)
        addresses[network] = [
            f"{other.name} {other.endpoints[network].ip_address}" for other in neighbours
        ]
    return addresses


class TakenAddress(msgspec.Struct, frozen=True):
    """The fixed address of a container, which another one has."""

    address: str
    network: str
    holder: Container
    """The running container that has the address now."""


def taken_address(container: Container, containers: Containers) -> TakenAddress | None:
    """The first one, if there is any."""
    for network, endpoint in container.endpoints.items():
        holder = containers.by_place.get((network, endpoint.fixed_address))
        if endpoint.fixed_address and holder is not None:
            return TakenAddress(endpoint.fixed_address, network, holder)
    return None


def _is_bind(flags: str | None) -> bool:
    """Whether a volume that cannot be mounted is a folder of the host."""
    try:
        return bool(int(flags or "0", 16) & _BIND_FLAG)
    except ValueError:
        return False


def innermost(error: str) -> str:
    """The innermost part of a chain of error texts, which has the reason."""
    chain = error.removesuffix(": unknown")
    for outer in ("container init: ", "container process: ", "create failed: ", "local volume: "):
        chain = chain.rpartition(outer)[2]
    chain = _ENDPOINT.sub("", " ".join(chain.split()))
    return chain if len(chain) <= _LONGEST else f"{chain[:60]} ... {chain[-75:]}"


def absent_at_start(container: Container, containers: Containers) -> set[str]:
    """The mounted path, or the device and folder of a volume, that were missing at start, as of a
    late share."""
    if not container.start_failed:
        return set()
    if unmade := UNMADE_SOURCE.search(container.state.error):
        return {unmade["path"]}
    absent = refusal_of(container, containers).absent
    return set() if absent is None or ":" in absent.device else {absent.device, absent.folder}
