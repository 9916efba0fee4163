"""Programs that ask the engine's resolver from places where there is none. Pure."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.evidence.network.proxies.host_proxies import HostProxyFailures
from diagnose.evidence.network.proxies.host_proxy_logs import asks_engine
from diagnose.registry import evidence


class AbsentResolver(msgspec.Struct, frozen=True):
    """An nginx that 127.0.0.11 refuses, because the engine has no resolver for it there."""

    container: Container | None
    """None where it runs on the host itself."""
    lines: tuple[str, ...]
    """The lines of its log, oldest first."""

    @property
    def is_on_host(self) -> bool:
        """Whether it shares the host's network, where the host's own DNS server answers."""
        return self.container is None or self.container.shares_host_network


class AbsentResolvers(Items[AbsentResolver], frozen=True):
    """The host first."""


@evidence
def absent_resolvers(
    containers: Containers,
    recent_logs: RecentLogs,
    clock: Clock,
    host_proxy_failures: HostProxyFailures | None,
) -> AbsentResolvers:
    """The nginx servers that ask 127.0.0.11 where the engine has no resolver.

    Those are containers on the default network or the host's.
    """
    lines = host_proxy_failures.without_resolver if host_proxy_failures is not None else ()
    resolvers_absent = [AbsentResolver(None, lines)] if lines else []
    for container in containers.running:
        if container.shares_host_network or set(container.endpoints) == {DEFAULT_NETWORK}:
            repeated = recent_logs.repeated(container, asks_engine, clock)
            if repeated:
                texts = tuple(line.text for line in repeated)
                resolvers_absent.append(AbsentResolver(container, texts))
    return AbsentResolvers(tuple(resolvers_absent))
