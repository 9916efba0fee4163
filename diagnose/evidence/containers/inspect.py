"""The parts of `GET /containers/ID/json` as types, as far as evidence and checks read them."""

import functools
import ipaddress
from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.log_config import LogConfig
from diagnose.evidence.containers.wanted_parts import (
    DeviceMapping,
    DeviceRequest,
    UlimitEntry,
    WantedMount,
)
from diagnose.file_paths import is_below
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Json, Subject
from diagnose.questions.images import is_anonymous_name


class ApiObject(msgspec.Struct, frozen=True, rename="pascal"):
    """An API object: names as the engine writes them.

    What is unknown is tolerated, what is missing has a default.
    """


class HealthProbe(ApiObject, frozen=True, rename="pascal"):
    """A run of a health check; the engine keeps the last five.

    exit_code -1: the run exceeded its timeout.
    """

    start: str | None = None
    end: str | None = None
    exit_code: int = 0
    output: str | None = None


class Health(ApiObject, frozen=True, rename="pascal"):
    """State.Health: status is none, starting, healthy or unhealthy."""

    status: str = "none"
    failing_streak: int = 0
    log: list[HealthProbe] | None = None


_ESCAPED = LazyPattern(r'(?<!\\)\\{1,40}(?:n\\{0,40})?"(?:\\{0,40}"){0,4}')
LONGEST_ERROR = 1000
"""Characters of the beginning of a start's error that are read, and of its end, where the innermost
error is. The error has a container's own words: its command, its user, its paths."""


class State(ApiObject, frozen=True, rename="pascal"):
    """State of inspect.

    Status alone is trustworthy: a restarting container has Running true and Pid 0. Runtimes before
    runc 1.0 quote the error of each inner step, with a backslash more before each quote.
    """

    status: str = ""
    oom_killed: bool = msgspec.field(name="OOMKilled", default=False)
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    started_at: str = ""
    finished_at: str = ""
    health: Health | None = None

    def __post_init__(self) -> None:
        if '\\"' in self.error:
            msgspec.structs.force_setattr(self, "error", _ESCAPED.sub('"', self.error))
        if len(self.error) > 2 * LONGEST_ERROR:
            short = f"{self.error[:LONGEST_ERROR]}...{self.error[-LONGEST_ERROR:]}"
            msgspec.structs.force_setattr(self, "error", short)

    def __str__(self) -> str:
        """The state for evidence: `exited, exit code 137`; without a code while it runs."""
        if self.status in ("running", "paused"):
            return self.status
        return f"{self.status}, exit code {self.exit_code}"


class RestartPolicy(ApiObject, frozen=True, rename="pascal"):
    """HostConfig.RestartPolicy: no, always, unless-stopped, on-failure with its maximum count."""

    name: str = ""
    maximum_retry_count: int = 0


class Binding(ApiObject, frozen=True, rename="pascal"):
    """The host address and port of a published port; an empty address means all addresses."""

    host_ip: str = ""
    host_port: str = ""

    def __post_init__(self) -> None:
        if self.host_ip:
            ipaddress.ip_address(self.host_ip)


Ports = dict[str, list[Binding] | None]


class ImagePlatform(msgspec.Struct, frozen=True):
    """The platform of an image in a multi-platform image."""

    architecture: str = ""


class ManifestDescriptor(msgspec.Struct, frozen=True):
    """The image of a multi-platform image from which a container was created (engine 28.1)."""

    platform: ImagePlatform | None = None


class DeviceRate(ApiObject, frozen=True, rename="pascal"):
    """A limit of a container for one disk: bytes or operations in a second."""

    path: str = ""
    rate: int = 0


class HostConfig(ApiObject, frozen=True, rename="pascal"):
    """The `HostConfig` of the create request, as far as checks read it."""

    binds: list[str] | None = None
    network_mode: str = ""
    port_bindings: Ports | None = None
    restart_policy: RestartPolicy = RestartPolicy()
    auto_remove: bool = False
    log_config: LogConfig = LogConfig()
    privileged: bool = False
    readonly_rootfs: bool = False
    cap_add: list[str] | None = None
    cap_drop: list[str] | None = None
    group_add: list[str] | None = None
    security_opt: list[str] | None = None
    masked_paths: list[str] | None = None
    dns: list[str] | None = None
    dns_options: list[str] | None = None
    extra_hosts: list[str] | None = None
    links: list[str] | None = None
    pid_mode: str = ""
    ipc_mode: str = ""
    uts_mode: str = msgspec.field(name="UTSMode", default="")
    userns_mode: str = ""
    memory: int = 0
    nano_cpus: int = 0
    cpu_quota: int = 0
    cpuset_cpus: str = ""
    blkio_device_read_bps: list[DeviceRate] | None = None
    blkio_device_write_bps: list[DeviceRate] | None = None
    blkio_device_read_iops: list[DeviceRate] | None = msgspec.field(
        name="BlkioDeviceReadIOps", default=None
    )
    blkio_device_write_iops: list[DeviceRate] | None = msgspec.field(
        name="BlkioDeviceWriteIOps", default=None
    )
    volumes_from: list[str] | None = None
    pids_limit: int | None = None
    oom_kill_disable: bool | None = None
    ulimits: list[UlimitEntry] | None = None
    sysctls: dict[str, str] | None = None
    tmpfs: dict[str, str] | None = None
    shm_size: int = 0
    device_requests: list[DeviceRequest] | None = None
    storage_opt: dict[str, str] | None = None
    cgroup_parent: str = ""
    runtime: str = ""
    init: bool | None = None
    devices: list[DeviceMapping] | None = None
    mounts: list[WantedMount] | None = None

    @property
    def added_capabilities(self) -> frozenset[str]:
        """In capital letters, without CAP_."""
        return _capabilities(self.cap_add)

    @property
    def own_destinations(self) -> frozenset[str]:
        """The paths for which it has a mount of its own: `-v` with a source, or `--mount`."""
        binds = (entry.split(":") for entry in self.binds or ())
        mounts = (mount.target for mount in self.mounts or ())
        return frozenset([*(parts[1] for parts in binds if len(parts) > 1), *mounts])

    @property
    def tmpfs_options(self) -> dict[str, str]:
        """The options of its file systems in memory, as those of `--tmpfs`, by their folder."""
        options = {
            mount.target: mount.tmpfs_options.words if mount.tmpfs_options is not None else ""
            for mount in self.mounts or ()
            if mount.type == "tmpfs"
        }
        return options | (self.tmpfs or {})

    @property
    def may_mount(self) -> bool:
        """Whether its programs may mount file systems."""
        return self.privileged or not self.added_capabilities.isdisjoint(("SYS_ADMIN", "ALL"))

    @property
    def dropped_capabilities(self) -> frozenset[str]:
        """In capital letters, without CAP_."""
        return _capabilities(self.cap_drop)


def _capabilities(names: list[str] | None) -> frozenset[str]:
    return frozenset(name.upper().removeprefix("CAP_") for name in names or ())


class Healthcheck(ApiObject, frozen=True, rename="pascal"):
    """ContainerConfig.Healthcheck: its command and times in nanoseconds.

    0 or nothing means the engine's default.
    """

    test: list[str] | None = None
    interval: int | None = None
    timeout: int | None = None
    start_period: int | None = None


class ContainerConfig(ApiObject, frozen=True, dict=True, rename="pascal"):
    """The `Config` of a container: image, user, command, environment. Secrets are redacted."""

    image: str = ""
    hostname: str = ""
    user: str = ""
    env: list[str] | None = None
    cmd: list[str] | None = None
    entrypoint: list[str] | None = None
    labels: dict[str, str] | None = None
    tty: bool = False
    attach_stdout: bool = False
    open_stdin: bool = False
    stop_signal: str | None = None
    stop_timeout: int | None = None
    """Seconds between the stop signal and SIGKILL, None for the engine's 10."""
    healthcheck: Healthcheck | None = None
    exposed_ports: dict[str, Json] | None = None
    working_dir: str = ""
    volumes: dict[str, object] | None = None
    """The folders that its image, or who created it, calls volumes."""

    @property
    def image_name(self) -> str:
        """The last part of the image's name, without tag and digest: postgres, nginx."""
        return self.image.partition("@")[0].rpartition("/")[2].partition(":")[0]

    @property
    def starts_as_root(self) -> bool:
        return self.user.partition(":")[0] in ("", "0", "root")

    @functools.cached_property
    def environment(self) -> tuple[tuple[str, str], ...]:
        """The variables as (name, value), in their order; a name may come twice."""
        entries = (entry.partition("=") for entry in self.env or ())
        return tuple((name, value) for name, _, value in entries)

    @property
    def variable_values(self) -> tuple[str, ...]:
        """The values of all environment variables."""
        return tuple(value for _, value in self.environment)

    def value_of(self, variable: str) -> str:
        """The value of a variable, the first of several; "" where it is not set."""
        return next((value for name, value in self.environment if name == variable), "")

    def sets(self, variable: str) -> bool:
        """Whether a variable is set, and not empty."""
        return any(name == variable and value for name, value in self.environment)

    @property
    def words(self) -> tuple[str, ...]:
        """Entrypoint and command as they were configured."""
        return (*(self.entrypoint or ()), *(self.cmd or ()))


class Mount(ApiObject, frozen=True, rename="pascal"):
    """A mount of a container: bind, volume, tmpfs."""

    type: str = ""
    name: str = ""
    source: str = ""
    destination: str = ""
    driver: str = ""
    mode: str = ""
    rw: bool = msgspec.field(name="RW", default=True)
    propagation: str = ""
    """The propagation of a bind mount: rprivate, rshared, rslave ..."""

    def __str__(self) -> str:
        """The source and destination for evidence: `/srv/data -> /data`."""
        return f"{self.source} -> {self.destination}"

    def holds(self, path: str) -> bool:
        """Whether a path of the container lies below this mount."""
        return is_below(path, self.destination)

    @property
    def has_host_path(self) -> bool:
        """Whether it is a folder or a file of the host: a bind mount or a volume, and no tmpfs."""
        return self.source.startswith("/")

    def on_host(self, path: str) -> str:
        """The host path of this mount, or of a path below it."""
        return self.source.rstrip("/") + path.removeprefix(self.destination.rstrip("/"))

    @property
    def place(self) -> str:
        """The mounted thing for a sentence: `volume "data"`, or the path on the host."""
        return f'volume "{self.name}"' if self.volumes else self.source

    @property
    def is_anonymous(self) -> bool:
        """Whether it is a volume with a name that the engine generated."""
        return self.type == "volume" and is_anonymous_name(self.name)

    @property
    def volumes(self) -> tuple[Subject, ...]:
        """The volume that is mounted, as a subject; none for a bind mount or a tmpfs."""
        return (Subject("volume", self.name),) if self.type == "volume" and self.name else ()


def host_mount(mounts: Iterable[Mount], path: str) -> Mount | None:
    """The folder or the file of the host that shows this path of a container."""
    mount = innermost_mount(mounts, path)
    return mount if mount is not None and mount.has_host_path else None


def innermost_mount(mounts: Iterable[Mount], path: str) -> Mount | None:
    """The innermost mount that holds a path of the container; None without one."""
    mounts_around = [mount for mount in mounts if path == mount.destination or mount.holds(path)]
    return max(mounts_around, key=lambda mount: len(mount.destination), default=None)


class EndpointIpamConfig(ApiObject, frozen=True, rename="pascal"):
    """The addresses that a container should have on a network."""

    ipv4_address: str | None = msgspec.field(name="IPv4Address", default=None)


class NetworkEndpoint(ApiObject, frozen=True, rename="pascal"):
    """A container's place on one network. The address is empty while the container does not run."""

    network_id: str = msgspec.field(name="NetworkID", default="")
    endpoint_id: str = msgspec.field(name="EndpointID", default="")
    gateway: str = ""
    ipv6_gateway: str = msgspec.field(name="IPv6Gateway", default="")
    ip_address: str = msgspec.field(name="IPAddress", default="")
    ip_prefix_len: int = msgspec.field(name="IPPrefixLen", default=0)
    global_ipv6_address: str = msgspec.field(name="GlobalIPv6Address", default="")
    mac_address: str = ""
    gw_priority: int = 0
    """The endpoint of the highest priority provides the default gateway (28)."""
    aliases: list[str] | None = None
    links: list[str] | None = None
    dns_names: list[str] | None = msgspec.field(name="DNSNames", default=None)
    ipam_config: EndpointIpamConfig | None = msgspec.field(name="IPAMConfig", default=None)

    def __post_init__(self) -> None:
        for address in (self.ip_address, self.gateway, self.global_ipv6_address):
            if address:
                ipaddress.ip_address(address)

    @property
    def is_connected(self) -> bool:
        """Whether the network exists: an engine without its default network names that too."""
        return bool(self.network_id or self.endpoint_id or self.ip_address)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its addresses of both families, as far as it has them."""
        return tuple(filter(None, (self.ip_address, self.global_ipv6_address)))

    @property
    def fixed_address(self) -> str:
        """The configured IPv4 address on this network; empty where it takes any."""
        return (self.ipam_config.ipv4_address or "") if self.ipam_config is not None else ""


class NetworkSettings(ApiObject, frozen=True, rename="pascal"):
    """The networks of the container and the ports that are really published.

    Empty for a container that failed to start.
    """

    networks: dict[str, NetworkEndpoint] | None = None
    ports: Ports | None = None


class GraphDriver(ApiObject, frozen=True, rename="pascal"):
    """The `GraphDriver` of a container, with the folder of its writable layer.

    UpperDir of overlay2; without data where containerd's snapshotter keeps the layer.
    """

    data: dict[str, str | None] | None = None
