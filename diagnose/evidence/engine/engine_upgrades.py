"""Upgrades of the engine's own package, for containers that stopped with the engine."""

from __future__ import annotations

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.stops import Stops
from diagnose.evidence.items import Items
from diagnose.evidence.machine.package_log import READERS, ChangedPackage, changed_packages
from diagnose.evidence.run.recent_changes import LOG_BYTES
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

__all__ = ["EngineUpgrades", "engine_upgrades"]

ENGINES = frozenset(
    {"docker.io", "docker-ce", "docker-ee", "docker", "moby-engine", "containerd", "containerd.io"}
)
"""Packages whose scripts restart the engine."""
NEAR_S = 120.0
"""A package manager stops the engine within seconds, and containers have time to end."""


class EngineUpgrades(Items[ChangedPackage], frozen=True):
    """Oldest first."""

    def that_stopped(self, container: Container) -> ChangedPackage | None:
        """The upgrade that restarted the engine when the container ended."""
        ended = container.finished_at or 0.0
        near = [package for package in self if abs(package.at - ended) <= NEAR_S]
        return min(near, key=lambda package: abs(package.at - ended), default=None)


@evidence
def engine_upgrades(host: Host, stops: Stops) -> EngineUpgrades:
    """Asked only where containers stopped with the engine."""
    if not stops.stopped_with_daemon:
        return EngineUpgrades()
    logs = host.ask_about(
        list(READERS), lambda path: ReadFile(path, max_bytes=LOG_BYTES, tail=True)
    )
    return EngineUpgrades(
        tuple(
            package
            for path, file in logs
            if not isinstance(file, Failed)
            for package in changed_packages(path, file)
            if package.name in ENGINES
        )
    )
