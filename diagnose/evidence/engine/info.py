"""The engine's own description of itself: ping, and `/info` where it answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence


class _Ping(msgspec.Struct):
    api_version: str | None = None
    engine_version: str | None = None
    libpod: str | None = None
    date: str | None = None


class Ping(msgspec.Struct, frozen=True):
    """The engine answered `/_ping`: its HTTP loop lives, no more is proven.

    version: the engine's as numbers, (0,) when its header does not say. libpod: Podman's version when Podman answered.
    date: the engine's clock as Unix time, in whole seconds; None when its header does not say.
    """

    api_version: str
    engine_version: str
    libpod: str
    date: float | None = None

    @property
    def version(self) -> tuple[int, ...]:
        numbers = re.findall(r"\d+", self.engine_version.partition("+")[0].partition("-")[0])
        return tuple(int(number) for number in numbers[:3]) or (0,)

    @property
    def api(self) -> tuple[int, ...]:
        return tuple(int(number) for number in re.findall(r"\d+", self.api_version)[:2]) or (0,)

    @property
    def is_podman(self) -> bool:
        return bool(self.libpod)


@evidence
def ping(host: Host) -> Ping | Unavailable:
    """The first question to any engine: 0.3 ms, and it cannot hang behind containerd."""
    answer = host.ask(question("api.ping"))
    if isinstance(answer, Failed):
        return Unavailable(answer.reason, f"the engine did not answer /_ping ({answer.detail})")
    said = msgspec.convert(answer, _Ping)
    return Ping(said.api_version or "", said.engine_version or "", said.libpod or "", _date(said.date))


def _date(text: str | None) -> float | None:
    """The Unix time of an HTTP date (RFC 9110: always GMT)."""
    try:
        moment = datetime.strptime(text or "", "%a, %d %b %Y %H:%M:%S GMT")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC).timestamp()


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
    swarm: dict[str, Any] | None = None
    warnings: list[str] | None = None
    firewall_backend: dict[str, Any] | None = None
    system_time: str = ""
    debug: bool = False
    labels: list[str] | None = None
    default_address_pools: list[dict[str, Any]] | None = None
    init_binary: str = ""
    isolation: str = ""
    containerd: dict[str, Any] | None = None

    @property
    def status(self) -> dict[str, str]:
        """DriverStatus as a mapping: Backing Filesystem, Supports d_type, driver-type, ..."""
        return {pair[0]: pair[1] for pair in self.driver_status or () if len(pair) == 2}

    @property
    def uses_containerd_store(self) -> bool:
        """Images lie in containerd's snapshotter (the default of fresh installs from engine 29)."""
        return self.status.get("driver-type", "").startswith("io.containerd.snapshotter")

    @property
    def is_rootless(self) -> bool:
        return any("rootless" in option for option in self.security_options or ())

    @property
    def has_userns_remap(self) -> bool:
        return any(option.startswith("name=userns") for option in self.security_options or ())

    @property
    def firewall_driver(self) -> str:
        """iptables or nftables, with +firewalld where it runs; engines before 28.1 do not say and use iptables."""
        return str((self.firewall_backend or {}).get("Driver") or "iptables")

    @property
    def swarm_state(self) -> str:
        return str((self.swarm or {}).get("LocalNodeState") or "inactive")


@evidence
def info(host: Host) -> Info | Unavailable:
    """One question with a deadline of its own."""
    answer = host.ask(question("api.info"))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    return msgspec.convert(answer, Info)
