"""Package changes of the engine's own package, which stop the engine."""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.items import Items
from diagnose.evidence.machine.package_log import READERS, ChangedPackage, read_logs
from diagnose.questions import Host
from diagnose.registry import evidence

__all__ = ["EngineUpgrades", "RemovedEngine", "engine_upgrades", "removed_engine"]

DAEMONS = frozenset({"docker.io", "docker-ce", "docker-ee", "docker", "moby-engine"})
"""Packages that hold dockerd."""
ENGINES = DAEMONS | {"containerd", "containerd.io"}
"""Packages whose scripts restart the engine."""
NEAR_S = 120.0
"""A package manager stops the engine within seconds, and containers have time to end."""


class EngineUpgrades(Items[ChangedPackage], frozen=True):
    """The package changes of the engine, oldest first."""

    def that_stopped(self, container: Container) -> ChangedPackage | None:
        """The upgrade that restarted the engine when the container ended."""
        ended = container.finished_at or 0.0
        near = [package for package in self if abs(package.at - ended) <= NEAR_S]
        return min(near, key=lambda package: abs(package.at - ended), default=None)


class RemovedEngine(msgspec.Struct, frozen=True):
    """The engine's package that is gone from this host."""

    package: ChangedPackage | None = None


@evidence
def engine_upgrades(host: Host, stops: Stops) -> EngineUpgrades:
    """The package changes of the engine, read only where containers stopped with the engine."""
    if not stops.stopped_with_daemon:
        return EngineUpgrades()
    return EngineUpgrades(tuple(_changes(host)))


@evidence
def removed_engine(host: Host, daemon: Daemon) -> RemovedEngine:
    """The engine's removed package, read only where the engine's program is missing."""
    if daemon.answers or daemon.installation.program != "":
        return RemovedEngine()
    changes = [package for package in _changes(host) if package.name in DAEMONS]
    last = max(changes, key=lambda package: package.at, default=None)
    return RemovedEngine(last if last is not None and not last.new else None)


def _changes(host: Host) -> Iterator[ChangedPackage]:
    """Changes of the engine's packages that the managers' logs still hold."""
    for packages in read_logs(host, READERS):
        yield from (package for package in packages if package.name in ENGINES)
