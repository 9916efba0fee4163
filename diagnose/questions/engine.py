"""Questions to and about the engine as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from diagnose.model import Json
from diagnose.questions.question import Policy, Question, engine_get

Filters = Mapping[str, Sequence[str]]
"""The API's own map of lists."""

DEFAULT_SOCKETS = frozenset({"/var/run/docker.sock", "/run/docker.sock"})


class Rootless(msgspec.Struct, frozen=True):
    """Whose engine the endpoint is, if it is a user's own and not the system's."""

    uid: int
    config: str | None = None
    """Its daemon.json; None where the user's home is not known."""
    data: str | None = None
    """Its data root, unless another one is configured; None where the home is not known."""
    runtime: str = ""
    """The folder of its socket and its pid file."""
    traces: bool | None = None
    """Whether anything of an engine lies at these places; None where nobody could look."""


class Endpoint(msgspec.Struct, frozen=True):
    """Where the engine was asked."""

    url: str = ""
    scheme: str = ""
    """unix, tcp or ssh."""
    source: str = ""
    """What decided it."""
    named: bool = False
    """Whether the user chose it."""
    rootless: Rootless | None = None
    """The user whose rootless engine it is, None for the system's engine."""
    context: str | None = None
    tls: bool = False

    @property
    def path(self) -> str:
        """The socket's path; empty for an engine that is reached in another way."""
        return self.url.removeprefix("unix://") if self.scheme == "unix" else ""

    @property
    def is_default(self) -> bool:
        """Whether this is where an engine belongs: the system's, or that of a user who has one."""
        own = self.rootless
        return self.path in DEFAULT_SOCKETS or (
            own is not None and own.traces is True and self.path == f"{own.runtime}/docker.sock"
        )


class FindEndpoint(Question[Endpoint], frozen=True):
    """Which endpoint the docker client would use."""

    POLICY = Policy(
        "endpoint",
        what="the engine's address",
        collector="engine.endpoint:endpoint",
        lane="local",
        scope="tool",
        deadline=2,
        priority=0,
    )


class BrokenPlugin(msgspec.Struct, frozen=True):
    """A plugin of the docker command that cannot be run."""

    name: str
    path: str
    target: str = ""
    """Where the plugin's link leads; "" for a file."""
    failure: str = ""
    """missing: a link that leads nowhere. forbidden: a file that may not be executed."""


class ClosedSettings(msgspec.Struct, frozen=True):
    """A user's docker settings that this user may not read."""

    user: str
    path: str
    """The folder that may not be entered, or the file that may not be read."""
    owner: str
    """The owner of that folder or file."""


class CallerLogins(msgspec.Struct, frozen=True):
    """The stored logins of the user who called sudo, for whom the docker command runs as root."""

    user: str
    folder: str
    """The folder of that user's docker settings."""
    logins: tuple[str, ...]
    """Registries, as images name them."""


class ClientSettings(msgspec.Struct, frozen=True):
    """What the docker command of this user is set up with."""

    file: str = ""
    """The path of the client's configuration; "" without one."""
    user: str = ""
    malformed: str = ""
    """Why it holds no JSON object; "" if it does."""
    store: str = ""
    """The credential helper of all registries."""
    helpers: dict[str, str] = {}
    """The credential helpers of single registries, by registry."""
    absent: tuple[str, ...] = ()
    """The helpers whose program is not installed."""
    lacking: tuple[tuple[str, str], ...] = ()
    """By helper, the program that it runs itself and that is not installed."""
    without_bus: str = ""
    """The path of a helper that needs the session bus of a desktop, which this user has not."""
    by_default: bool = False
    """Whether nothing names that helper: the docker command takes it because it is there."""
    plugins: tuple[BrokenPlugin, ...] = ()
    """The plugins that do not work."""
    listens: bool = False
    """Whether a program listens at the default socket."""
    logins: tuple[str, ...] | None = None
    """Registries with a stored login, as images name them; None where that was not recorded."""
    closed: ClosedSettings | None = None
    """Settings of this user, or of the one who called sudo, that their user may not read."""
    caller: CallerLogins | None = None
    """None where nobody called sudo, or that user is not logged in anywhere."""

    def lends_login(self, registry: str) -> bool:
        """Whether the user who called sudo is logged in at a registry, and this one is not."""
        has_own = registry in (self.logins or ())
        return self.caller is not None and registry in self.caller.logins and not has_own


class ReadClientSettings(Question[ClientSettings], frozen=True):
    """What the docker command of this user is set up with; names of logins, never their secrets."""

    POLICY = Policy(
        "client.settings",
        what="the settings of the docker command",
        collector="engine.client_settings:settings",
        lane="local",
        scope="tool",
        deadline=2,
        priority=5,
    )


class Locality(msgspec.Struct, frozen=True):
    """Whether the engine runs on this machine, and as which process."""

    same_host: bool
    why: str = ""
    engine_pid: int | None = None
    """None with same_host: no engine is alive, and this is where it should be."""
    how: str = ""
    """How the process was found."""
    same_netns: bool | None = None
    """Whether this process has the network namespace of the engine; None where it may not be read.
    """
    same_mntns: bool | None = None
    same_pidns: bool | None = None


class FindLocality(Question[Locality], frozen=True):
    """Whether the engine runs on this machine, and as which process."""

    POLICY = Policy(
        "locality",
        what="whether the engine runs on this host",
        collector="engine.locality:locality",
        lane="local",
        scope="tool",
        deadline=4,
        priority=0,
    )


class PingReply(msgspec.Struct, frozen=True):
    """What the headers of /_ping say; None for what the engine does not give."""

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
    """What a manager knows of the whole swarm."""

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
    """What the engine knows of one registry."""

    secure: bool = True
    """Whether it is called over TLS that is verified."""


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
    runtimes: dict[str, Any] | None = None
    security_options: list[str] | None = None
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    registry_config: RegistryConfig | None = None
    swarm: SwarmMembership | None = None
    warnings: list[str] | None = None
    firewall_backend: dict[str, Any] | None = None
    debug: bool = False
    labels: list[str] | None = None
    default_address_pools: list[dict[str, Any]] | None = None
    isolation: str = ""
    containerd: dict[str, Any] | None = None
    plugins: PluginNames = PluginNames()

    @property
    def status(self) -> dict[str, str]:
        """DriverStatus as a mapping: Backing Filesystem, Supports d_type, driver-type, ..."""
        return {pair[0]: pair[1] for pair in self.driver_status or () if len(pair) == 2}

    @property
    def uses_containerd_store(self) -> bool:
        """Images lie in containerd's snapshotter (the default of fresh installs from engine 29)."""
        return self.status.get("driver-type", "").startswith("io.containerd.snapshotter")

    @property
    def seccomp_profile(self) -> str | None:
        """What filters the system calls of containers: builtin, default (engines before 23),
        unconfined, or the path of a profile; None where nothing does.
        """
        named = (option for option in self.security_options or () if "name=seccomp" in option)
        option = next(named, None)
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
        return str((self.firewall_backend or {}).get("Driver") or "iptables")

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
    """What an event happened to."""

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
