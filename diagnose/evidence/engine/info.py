"""The engine's own description of itself: ping, and `/info` where it answers."""

import re

import msgspec

from diagnose.model import Failed, Json, Unavailable
from diagnose.phrases import unix_of_http
from diagnose.questions import Host
from diagnose.questions.engine import Info, PingEngine, ReadInfo, RegistryConfig
from diagnose.registry import evidence

__all__ = ["Info", "Ping", "info", "ping", "settings_in_force"]


class Ping(msgspec.Struct, frozen=True):
    """The engine answered `/_ping`: its HTTP loop lives, no more is proven.

    version: the engine's as numbers, (0,) when its header does not say.
    """

    api_version: str
    engine_version: str
    libpod: str
    """Podman's version when Podman answered."""
    date: float | None = None
    """The engine's clock as Unix time, in whole seconds; None when its header does not say."""

    @property
    def version(self) -> tuple[int, ...]:
        numbers = re.findall(r"\d+", self.engine_version.partition("+")[0].partition("-")[0])
        return tuple(int(number) for number in numbers[:3]) or (0,)

    @property
    def is_podman(self) -> bool:
        return bool(self.libpod)


@evidence
def ping(host: Host) -> Ping | Unavailable:
    """The first question to any engine: 0.3 ms, and it cannot hang behind containerd."""
    reply = host.ask(PingEngine())
    if isinstance(reply, Failed):
        return Unavailable(reply.reason, f"the engine did not answer /_ping ({reply.detail})")
    return Ping(
        reply.api_version or "",
        reply.engine_version or "",
        reply.libpod or "",
        unix_of_http(reply.date),
    )


@evidence
def info(host: Host) -> Info | Unavailable:
    """The engine's answer to `/info`, with a deadline of its own."""
    return host.require(ReadInfo())


def settings_in_force(info: Info) -> dict[str, Json]:
    """The engine's settings in force, by the keys and with the types of daemon.json.

    Paths have no slash at their end.
    """
    registries = info.registry_config or RegistryConfig()
    return {
        "log-driver": info.logging_driver,
        "live-restore": info.live_restore_enabled,
        "debug": info.debug,
        "default-runtime": info.default_runtime,
        "labels": info.labels or [],
        "data-root": info.docker_root_dir,
        "storage-driver": info.driver,
        "registry-mirrors": [mirror.rstrip("/") for mirror in registries.mirrors or ()],
    }
