"""Servers whose old address HAProxy keeps: it looks their names up once, at its start."""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.inner_failures import InnerFailure, InnerFailures
from diagnose.evidence.containers.logs.inner_patterns import UNREACHED
from diagnose.evidence.containers.mounts.mounted_settings import mounted_settings
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.registry import evidence

_OF_HAPROXY = LazyPattern(r"\.(?:cfg|conf)$")
_FOLDER = LazyPattern(r"^/(?:usr/local/)?etc/haproxy")


class OutdatedServers(msgspec.Struct, frozen=True):
    """By the id of HAProxy's container: the server that was started after it."""

    by_id: dict[str, Container] = {}

    def of(self, failure: InnerFailure) -> Container | None:
        """The server that the check of the last server of a backend no longer reaches."""
        return self.by_id.get(failure.container.id) if failure.name == UNREACHED else None


@evidence
def outdated_servers(
    host: Host, containers: Containers, inner_failures: InnerFailures
) -> OutdatedServers:
    """Settings are read of a HAProxy alone that does not reach the last server of a backend."""
    by_id: dict[str, Container] = {}
    for failure in inner_failures:
        proxy = failure.container
        if failure.name != UNREACHED or proxy.id in by_id:
            continue
        files = mounted_settings(host, proxy, "names", _OF_HAPROXY, _FOLDER)
        names = {place.partition(":")[0] for _, text in files for place in text.split()}
        for name in sorted(names):
            for server in containers.by_dns_name.get(name, ()):
                if _may_have_moved(server, proxy):
                    by_id[proxy.id] = server
    return OutdatedServers(by_id)


def _may_have_moved(server: Container, proxy: Container) -> bool:
    """Whether a server may have got its address after a proxy looked its name up."""
    is_near = server.is_running and bool(server.shared_networks(proxy))
    started, looked_up = server.started_at, proxy.started_at
    return is_near and started is not None and looked_up is not None and started > looked_up
