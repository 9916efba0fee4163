"""Servers whose old address HAProxy keeps: it resolves their names once, at its start."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.inner_failures import InnerFailure, InnerFailures
from diagnose.evidence.containers.logs.inner_patterns import UNREACHED
from diagnose.evidence.containers.mounts.mounted_settings import mounted_settings
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.numbers import is_number
from diagnose.questions import Host
from diagnose.registry import evidence

_OF_HAPROXY = LazyPattern(r"\.(?:cfg|conf)$")
_FOLDER = LazyPattern(r"^/(?:usr/local/)?etc/haproxy")
_DOWN = LazyPattern(r"\bServer (?P<place>[^\s/]{1,200}/\S{1,200}) is DOWN")


class OutdatedServers(msgspec.Struct, frozen=True):
    """The servers that started after HAProxy, by the id of its container and BACKEND/SERVER."""

    by_place: dict[tuple[str, str], Container] = {}

    def of(self, failure: InnerFailure) -> Container | None:
        """The server that the check of the last server of a backend no longer reaches."""
        return self.by_place.get((failure.container.id, _place(failure)))


@evidence
def outdated_servers(
    host: Host, containers: Containers, inner_failures: InnerFailures, namespaces: Namespaces | None
) -> OutdatedServers:
    """The servers of HAProxy with an old address, of a backend without a reachable server.

    A server in which nothing listens at the port is unreachable for that reason.
    """
    servers: dict[tuple[str, str], Container] = {}
    for failure in inner_failures:
        proxy = failure.container
        place = _place(failure)
        if not place:
            continue
        files = mounted_settings(host, proxy, "servers", _OF_HAPROXY, _FOLDER)
        lines = (line.split(" ", 1) for file in files for line in file.text.splitlines())
        address = next((words[1] for words in lines if words[0] == place), "")
        name, _, port = address.partition(":")
        for server in containers.by_dns_name.get(name, ()):
            if _may_have_moved(server, proxy) and _may_listen(server, port, namespaces):
                servers[proxy.id, place] = server
    return OutdatedServers(servers)


def _place(failure: InnerFailure) -> str:
    """BACKEND/SERVER of the server that HAProxy cannot connect to; "" for other failures."""
    match = _DOWN.search(failure.line) if failure.name == UNREACHED else None
    return match["place"] if match is not None else ""


def _may_listen(server: Container, port: str, namespaces: Namespaces | None) -> bool:
    """Whether a program in a server listens at a port, as far as that is known."""
    netns = namespaces.of(server) if namespaces is not None else None
    return netns is None or not is_number(port) or bool(netns.sockets("tcp", int(port)))


def _may_have_moved(server: Container, proxy: Container) -> bool:
    """Whether a server may have got its address after a proxy looked its name up."""
    started = server.started_at
    looked_up = proxy.started_at
    if started is None or looked_up is None or not server.is_running:
        return False
    return started > looked_up and bool(server.shared_networks(proxy))
