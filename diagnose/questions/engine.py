"""Questions to and about the engine as a whole."""

from collections.abc import Mapping, Sequence

import msgspec

from diagnose.model import Json
from diagnose.questions.question import Policy, Question, engine_get

Filters = Mapping[str, Sequence[str]]
"""The API's own map of lists."""


class PingReply(msgspec.Struct, frozen=True):
    """The headers of /_ping. None for a header that the engine does not send."""

    api_version: str | None = None
    """The newest one that it speaks."""
    engine_version: str | None = None
    libpod: str | None = None
    """The version of Podman, where Podman answers."""
    date: str | None = None
    """The clock of the engine (RFC 7231)."""


class PingEngine(Question[PingReply], frozen=True):
    """The headers of /_ping."""

    POLICY = Policy(
        "api.ping",
        what="the engine's answer to /_ping",
        collector="engine.api:ping",
        lane="probe",
        scope="engine",
        deadline=2,
        priority=0,
    )


class RemoteManager(msgspec.Struct, frozen=True, rename="pascal"):
    """A manager that a node of the swarm knows."""

    node_id: str = msgspec.field(name="NodeID", default="")
    addr: str = ""
    """Address and port."""

    @property
    def address(self) -> str:
        return self.addr.rpartition(":")[0].strip("[]")


class SwarmCluster(msgspec.Struct, frozen=True, rename="pascal"):
    """The settings of the whole swarm, as a manager has them."""

    data_path_port: int = 0
    """The UDP port of overlay networks."""


class SwarmMembership(msgspec.Struct, frozen=True, rename="pascal"):
    """This node's part in a swarm."""

    local_node_state: str = "inactive"
    """inactive, pending, active, error or locked."""
    error: str = ""
    control_available: bool = False
    """Whether this node is a manager."""
    managers: int = 0
    node_id: str = msgspec.field(name="NodeID", default="")
    node_addr: str = ""
    """The address that the other nodes know."""
    remote_managers: list[RemoteManager] | None = None
    """All managers that this node knows, itself among them."""
    cluster: SwarmCluster | None = None
    """None on a worker."""

    @property
    def other_managers(self) -> list[str]:
        """The addresses of the other managers."""
        managers = self.remote_managers or []
        return [manager.address for manager in managers if manager.node_id != self.node_id]


class PluginNames(msgspec.Struct, frozen=True, rename="pascal"):
    """The plugins that the engine has in memory, by kind; managed ones are named with their tag."""

    volume: list[str] | None = None
    network: list[str] | None = None


class RegistryIndex(msgspec.Struct, frozen=True, rename="pascal"):
    """The engine's settings for one registry."""

    secure: bool = True
    """Whether it is called over TLS that is verified."""


class FirewallBackend(msgspec.Struct, frozen=True, rename="pascal"):
    """The packet filter in which the engine writes its rules (28.1)."""

    driver: str = ""


class DefaultAddressPool(msgspec.Struct, frozen=True, rename="pascal"):
    """A range that the engine cuts subnets of networks from."""

    base: str = ""
    size: int = 0
    """The length of the prefix of each subnet."""


class RegistryConfig(msgspec.Struct, frozen=True, rename="pascal"):
    """The registries for which something is configured."""

    index_configs: dict[str, RegistryIndex] | None = None
    """By host and port."""
    insecure_blocks: list[str] | None = msgspec.field(name="InsecureRegistryCIDRs", default=None)
    """Networks whose registries need no verified TLS."""
    mirrors: list[str] | None = None
    """URLs of mirrors of Docker Hub."""


class Info(msgspec.Struct, frozen=True, rename="pascal"):
    """`GET /info` as far as checks read it. It asks containerd: it hangs when that hangs."""

    id: str = msgspec.field(name="ID", default="")
    name: str = ""
    containers: int = 0
    containers_running: int = 0
    driver: str = ""
    driver_status: list[list[str]] | None = None
    docker_root_dir: str = ""
    server_version: str = ""
    operating_system: str = ""
    kernel_version: str = ""
    architecture: str = ""
    ncpu: int = msgspec.field(name="NCPU", default=0)
    mem_total: int = 0
    memory_limit: bool = True
    swap_limit: bool = True
    pids_limit: bool = True
    cpu_cfs_quota: bool = True
    logging_driver: str = ""
    cgroup_driver: str = ""
    cgroup_version: str = ""
    live_restore_enabled: bool = False
    default_runtime: str = ""
    runtimes: dict[str, Json] | None = None
    security_options: list[str] | None = None
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    registry_config: RegistryConfig | None = None
    swarm: SwarmMembership | None = None
    firewall_backend: FirewallBackend | None = None
    debug: bool = False
    labels: list[str] | None = None
    default_address_pools: list[DefaultAddressPool] | None = None
    plugins: PluginNames = PluginNames()

    @property
    def status(self) -> dict[str, str]:
        """DriverStatus as a mapping: Backing Filesystem, Supports d_type, driver-type, ..."""
        return {pair[0]: pair[1] for pair in self.driver_status or () if len(pair) == 2}

    @property
    def uses_containerd_store(self) -> bool:
        """Whether images lie in containerd's snapshotter (the default of fresh installs from engine
        29)."""
        return self.status.get("driver-type", "").startswith("io.containerd.snapshotter")

    @property
    def seccomp_profile(self) -> str | None:
        """The seccomp profile of containers.

        builtin, default (engines before 23), unconfined, or the path of a profile. None where no
        filter is on.
        """
        profiles = (option for option in self.security_options or () if "name=seccomp" in option)
        option = next(profiles, None)
        return option.partition("profile=")[2] if option is not None else None

    def has_security(self, word: str) -> bool:
        """Whether one of the engine's security options has this word: seccomp, selinux."""
        return any(word in option for option in self.security_options or ())

    @property
    def is_rootless(self) -> bool:
        return self.has_security("rootless")

    @property
    def has_userns_remap(self) -> bool:
        return any(option.startswith("name=userns") for option in self.security_options or ())

    @property
    def firewall_driver(self) -> str:
        """iptables or nftables, with +firewalld where it runs.

        Engines before 28.1 do not say and use iptables.
        """
        backend = self.firewall_backend
        return (backend.driver if backend is not None else "") or "iptables"

    @property
    def swarm_state(self) -> str:
        if self.swarm and self.swarm.local_node_state:
            return self.swarm.local_node_state
        return "inactive"


class ReadInfo(Question[Info], frozen=True):
    """/info."""

    POLICY = engine_get(
        "api.info", "the engine's own description (docker info)", "/info", deadline=3, priority=2
    )


class ReadVersion(Question[Json], frozen=True):
    """/version."""

    POLICY = engine_get("api.version", "the engine's version", "/version", deadline=3, priority=4)


class EventActor(msgspec.Struct, frozen=True, rename="pascal"):
    """The object of an event: a container, an image, a network."""

    id: str = msgspec.field(name="ID", default="")
    attributes: dict[str, str] | None = None


class EngineEvent(msgspec.Struct, frozen=True):
    """One event as the engine writes it."""

    type: str = msgspec.field(name="Type", default="")
    action: str = msgspec.field(name="Action", default="")
    actor: EventActor = msgspec.field(name="Actor", default=EventActor())
    time: int = 0
    time_nano: int = msgspec.field(name="timeNano", default=0)


class ListEvents(Question[list[EngineEvent]], frozen=True):
    """/events of the last seconds. The engine keeps 256 events."""

    POLICY = engine_get("api.events", "the engine's events", "/events", deadline=3, priority=2)
    since_s: float
    filters: Filters | None = None
