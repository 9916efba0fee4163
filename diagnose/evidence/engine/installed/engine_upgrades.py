"""Package changes of the engine's own package, which stop the engine."""

from collections.abc import Iterator

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.ends.stops import Stops
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.items import Items
from diagnose.evidence.machine.package_log import READERS, ChangedPackage, read_logs
from diagnose.questions import Host
from diagnose.registry import evidence

__all__ = ["ChangesWhileDown", "EngineUpgrades", "changes_while_down", "engine_upgrades"]

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
        upgrades_of_the_moment = [package for package in self if abs(package.at - ended) <= NEAR_S]
        return min(
            upgrades_of_the_moment, key=lambda package: abs(package.at - ended), default=None
        )


class ChangesWhileDown(Items[ChangedPackage], frozen=True):
    """The package changes of an engine that does not answer, oldest first."""

    def removed(self, daemon: Daemon) -> ChangedPackage | None:
        """The engine's package, if its program is missing and the last change removed it."""
        last = [package for package in self if package.name in DAEMONS][-1:]
        is_removal = daemon.installation.program == "" and last and not last[0].new
        return last[0] if is_removal else None

    def that_stopped_the_engine(self, at: float | None) -> ChangedPackage | None:
        """The change that was under way when the engine was asked to stop.

        at: Unix time of that request, None where it is not known.
        """
        before = [package for package in self if 0 <= (at or 0.0) - package.at <= NEAR_S]
        return before[-1] if before else None


@evidence
def engine_upgrades(host: Host, stops: Stops) -> EngineUpgrades:
    """The package changes of the engine, read only where containers stopped with the engine."""
    if not stops.stopped_with_daemon:
        return EngineUpgrades()
    return EngineUpgrades(tuple(_changes(host)))


@evidence
def changes_while_down(host: Host, daemon: Daemon) -> ChangesWhileDown:
    """The package changes of the engine, read only where it does not answer."""
    if daemon.answers:
        return ChangesWhileDown()
    return ChangesWhileDown(tuple(sorted(_changes(host), key=lambda package: package.at)))


def _changes(host: Host) -> Iterator[ChangedPackage]:
    """Changes of the engine's packages that the managers' logs still hold."""
    for packages in read_logs(host, READERS):
        yield from (package for package in packages if package.name in ENGINES)
