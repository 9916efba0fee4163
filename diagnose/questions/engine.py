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
    """Whose engine the endpoint is, if it is a user's own and not the system's.

    The answer `endpoint` says what its fields mean.
    """

    uid: int
    config: str | None = None
    data: str | None = None
    runtime: str = ""
    traces: bool | None = None


class Endpoint(msgspec.Struct, frozen=True):
    """Where the engine was asked."""

    url: str = ""
    scheme: str = ""
    source: str = ""
    """What decided it."""
    named: bool = False
    """Whether the user chose it."""
    rootless: Rootless | None = None
    """Whose engine it is, None for the system's."""
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
        "endpoint", "the engine's address", "engine.endpoint:endpoint", "local", "tool", 2, 0
    )


class BrokenPlugin(msgspec.Struct, frozen=True):
    """A plugin of the docker command that cannot be run.

    target: where its link leads; "" for a file. failure: "missing" for a link that leads nowhere,
    "forbidden" for a file that may not be executed.
    """

    name: str
    path: str
    target: str = ""
    failure: str = ""


class ClientSettings(msgspec.Struct, frozen=True):
    """What the docker command of this user is set up with."""

    file: str = ""
    """Its configuration; "" without one."""
    user: str = ""
    malformed: str = ""
    """Why it holds no JSON object; "" if it does."""
    store: str = ""
    """The credential helper of all registries."""
    helpers: dict[str, str] = {}
    """Those of one registry each."""
    absent: tuple[str, ...] = ()
    """Those of them whose program is not installed."""
    plugins: tuple[BrokenPlugin, ...] = ()
    """Those that do not work."""
    listens: bool = False
    """Whether a program listens at the default socket."""


class ReadClientSettings(Question[ClientSettings], frozen=True):
    """What the docker command of this user is set up with; logins are not part of the answer."""

    POLICY = Policy(
        "client.settings",
        "the settings of the docker command",
        "engine.client_settings:settings",
        "local",
        "tool",
        2,
        5,
    )


class Locality(msgspec.Struct, frozen=True):
    """Whether the engine runs on this machine, and as which process."""

    same_host: bool
    why: str = ""
    engine_pid: int | None = None
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
        "whether the engine runs on this host",
        "engine.locality:locality",
        "local",
        "tool",
        4,
        0,
    )


class PingReply(msgspec.Struct, frozen=True):
    """What the headers of /_ping say; None for what the engine does not give."""

    api_version: str | None = None
    engine_version: str | None = None
    libpod: str | None = None
    """The version of Podman, where Podman answers."""
    date: str | None = None
    """The clock of the engine (RFC 7231)."""


class PingEngine(Question[PingReply], frozen=True):
    """The headers of /_ping."""

    POLICY = Policy(
        "api.ping", "the engine's answer to /_ping", "engine.api:ping", "probe", "engine", 2, 0
    )


class RemoteManager(msgspec.Struct, frozen=True, rename="pascal"):
    """A manager that a node of the swarm knows. addr: address and port."""

    node_id: str = msgspec.field(name="NodeID", default="")
    addr: str = ""

    @property
    def address(self) -> str:
        return self.addr.rpartition(":")[0].strip("[]")


class SwarmMembership(msgspec.Struct, frozen=True, rename="pascal"):
    """This node's part in a swarm.

    local_node_state: inactive, pending, active, error or locked. control_available: it is a
    manager.
    """

    local_node_state: str = "inactive"
    error: str = ""
    control_available: bool = False
    managers: int = 0
    node_id: str = msgspec.field(name="NodeID", default="")
    remote_managers: list[RemoteManager] | None = None
    """All managers that this node knows, itself among them."""

    @property
    def other_managers(self) -> list[str]:
        """The addresses of the other managers."""
        managers = self.remote_managers or []
        return [manager.address for manager in managers if manager.node_id != self.node_id]


class PluginNames(msgspec.Struct, frozen=True, rename="pascal"):
    """The plugins that the engine has in memory, by kind; managed ones are named with their tag."""

    volume: list[str] | None = None
    network: list[str] | None = None


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
    ipv4_forwarding: bool = msgspec.field(name="IPv4Forwarding", default=True)
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
    registry_config: dict[str, Any] | None = None
    swarm: SwarmMembership | None = None
    warnings: list[str] | None = None
    firewall_backend: dict[str, Any] | None = None
    system_time: str = ""
    debug: bool = False
    labels: list[str] | None = None
    default_address_pools: list[dict[str, Any]] | None = None
    init_binary: str = ""
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


class BuildRecord(msgspec.Struct, frozen=True, rename="pascal"):
    """One record of the build cache; sizes in bytes."""

    id: str = msgspec.field(name="ID", default="")
    size: int = 0
    in_use: bool = False
    shared: bool = False


class WritableLayer(msgspec.Struct, frozen=True, rename="pascal"):
    """The bytes that a container has written."""

    id: str
    size_rw: int | None = None


class VolumeFigures(msgspec.Struct, frozen=True, rename="pascal"):
    """The bytes of a volume; -1 where the engine did not count."""

    size: int | None = None


class MeasuredVolume(msgspec.Struct, frozen=True, rename="pascal"):
    """One volume and its figures."""

    name: str
    usage_data: VolumeFigures | None = None

    @property
    def size(self) -> int:
        """Bytes; 0 where the engine did not count."""
        return max(self.usage_data.size or 0, 0) if self.usage_data else 0


class BuildRecords(msgspec.Struct, frozen=True, rename="pascal"):
    """The records of the build cache, from API 1.52 on."""

    items: list[BuildRecord] | None = None


class WritableLayers(msgspec.Struct, frozen=True, rename="pascal"):
    """The writable layers, from API 1.52 on."""

    items: list[WritableLayer] | None = None


class MeasuredVolumes(msgspec.Struct, frozen=True, rename="pascal"):
    """The volumes, from API 1.52 on."""

    items: list[MeasuredVolume] | None = None


class ImageTotal(msgspec.Struct, frozen=True, rename="pascal"):
    """The bytes of all images, from API 1.52 on."""

    total_size: int | None = None


class EngineDiskUsage(msgspec.Struct, frozen=True, rename="pascal"):
    """`GET /system/df`.

    Lists up to API 1.51, which are null where there is nothing, and groups with `Items` from
    1.52 on.
    """

    build_cache: list[BuildRecord] | None = None
    build_cache_usage: BuildRecords | None = None
    build_cache_disk_usage: BuildRecords | None = None
    containers: list[WritableLayer] | None = None
    container_usage: WritableLayers | None = None
    volumes: list[MeasuredVolume] | None = None
    volume_usage: MeasuredVolumes | None = None
    layers_size: int | None = None
    image_usage: ImageTotal | None = None

    @property
    def build_records(self) -> list[BuildRecord]:
        group = self.build_cache_usage or self.build_cache_disk_usage or BuildRecords()
        return self.build_cache or group.items or []

    @property
    def written(self) -> dict[str, int]:
        """Bytes of writable layers, by container id."""
        group = self.container_usage or WritableLayers()
        return {layer.id: layer.size_rw or 0 for layer in self.containers or group.items or ()}

    @property
    def volume_sizes(self) -> dict[str, int]:
        """Bytes by the name of the volume."""
        group = self.volume_usage or MeasuredVolumes()
        return {volume.name: volume.size for volume in self.volumes or group.items or ()}

    @property
    def image_bytes(self) -> int:
        group = self.image_usage or ImageTotal()
        return self.layers_size or group.total_size or 0


class MeasureDiskUsage(Question[EngineDiskUsage], frozen=True):
    """/system/df. An empty `type` asks for everything."""

    POLICY = engine_get(
        "api.system_df",
        "the engine's disk usage (docker system df)",
        "/system/df",
        deadline=5,
        priority=9,
        lane="last",
        parameters={"verbose": True},
    )
    type: Sequence[str] = ()


class Unit(msgspec.Struct, frozen=True, rename="pascal"):
    """systemd's word on a unit, as texts (`systemctl show`).

    load_state "not-found": there is none.
    """

    load_state: str = ""
    active_state: str = ""
    sub_state: str = ""
    result: str = ""
    unit_file_state: str = ""
    fragment_path: str = ""
    exec_start: str = ""
    exec_main_status: str = ""
    n_restarts: str = msgspec.field(name="NRestarts", default="")
    start_limit_burst: str = ""

    @property
    def exists(self) -> bool:
        return self.load_state not in ("", "not-found")

    @property
    def is_wanted(self) -> bool:
        """Whether it ought to run.

        One that nobody enabled and that did not fail need not, as beside a rootless engine.
        """
        return self.exists and not (
            self.unit_file_state in ("disabled", "masked") and self.active_state == "inactive"
        )

    @property
    def is_given_up(self) -> bool:
        """Whether systemd starts it no more after too many failures.

        systemd 257 (Debian 13) keeps the result of the last failure, so that the number of
        restarts tells; 262 says start-limit-hit.
        """
        many = self.n_restarts.isdigit() and self.start_limit_burst.isdigit()
        return self.result == "start-limit-hit" or (
            self.active_state == "failed"
            and many
            and int(self.n_restarts) >= int(self.start_limit_burst) > 0
        )

    @property
    def program(self) -> str:
        """The absolute path that ExecStart names; empty if none."""
        return self.exec_start.partition("path=")[2].partition(" ;")[0].strip()


class ReadUnit(Question[Unit], frozen=True):
    """The properties of a systemd unit."""

    POLICY = Policy(
        "unit", "the state of a systemd unit", "commands.systemd:unit", "probe", "host", 2, 3
    )
    name: str

    def about(self) -> str:
        return f"the systemd unit {self.name}"


class JournalEntry(msgspec.Struct, frozen=True):
    """One line of a journal."""

    at: float
    message: str
    priority: int = 6
    pid: int | None = None
    cursor: str = ""


class JournalEntries(msgspec.Struct, frozen=True):
    """The newest lines of a journal, oldest first."""

    entries: list[JournalEntry]


class ReadJournal(Question[JournalEntries], frozen=True):
    """The newest lines of a unit's journal, oldest first."""

    POLICY = Policy("journal", "the journal", "commands.systemd:journal", "probe", "host", 3, 4)
    unit: str
    lines: int = 200

    def about(self) -> str:
        return f"the journal of {self.unit}"


class Validation(msgspec.Struct, frozen=True):
    """What dockerd says of a configuration file."""

    ok: bool
    text: str = ""


class ValidateConfig(Question[Validation], frozen=True):
    """dockerd's own judgement of a configuration file."""

    POLICY = Policy(
        "validate",
        "dockerd's check of its configuration",
        "commands.systemd:validate",
        "probe",
        "host",
        3,
        6,
    )
    dockerd: str
    config: str
