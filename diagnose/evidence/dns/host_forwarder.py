"""The DNS server of the host at its loopback, and the servers that it passes queries on to.

dnsmasq, systemd-resolved or Unbound runs well, and its own servers are silent: the host sees the
loopback alone.
"""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.dns.dns_containers import DNS_PORT
from diagnose.evidence.dns.dns_forwarders import AskedServer, SilentServer, places_in_words
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.sockets.listeners import Listener, Listeners
from diagnose.mappings import first_of
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.dns import QueryDns
from diagnose.questions.file_answers import folder_listing
from diagnose.questions.files import ReadFile
from diagnose.questions.processes import InspectProcess
from diagnose.registry import evidence

MOST = 3
"""Servers that are asked."""
_MOST_FILES = 8
_RESOLVED = "systemd-resolve"
"""Its name is cut off after 15 characters."""
_OF_RESOLVED = "/run/systemd/resolve/resolv.conf"
_FILES = {
    "dnsmasq": (("/etc/dnsmasq.conf",), "/etc/dnsmasq.d"),
    "unbound": (("/etc/unbound/unbound.conf",), "/etc/unbound/unbound.conf.d"),
    "named": (("/etc/bind/named.conf.options", "/etc/named.conf"), ""),
}
"""The files with the servers of each program, and the folder whose files it reads too."""


class HostForwarder(msgspec.Struct, frozen=True):
    """A program of the host that answers no query, since its own servers are silent."""

    program: str = ""
    """The program's name; "" where none was looked at, or its own servers are not known."""
    address: str = ""
    silent: tuple[SilentServer, ...] = ()


@evidence
def host_forwarder(
    host: Host, resolvers: Resolvers, lookups: Lookups | Unavailable, listeners: Listeners | None
) -> HostForwarder:
    """The host's own DNS forwarder that answers no query, since its own servers are silent.

    The collector asks nothing unless the host's first server is its own, and silent.
    """
    first = first_of(resolvers.host_servers, "")
    if isinstance(lookups, Unavailable) or not is_loopback(first) or lookups.reaches(first):
        return HostForwarder()
    holders = listeners.on("udp", first, DNS_PORT) if listeners is not None else ()
    holder = next((listener for listener in holders if listener.comm), None)
    if holder is None or lookups.reaches(first) is None:
        return HostForwarder()
    servers = list(servers_behind(host, holder))[:MOST]
    silent = []
    questions = host.ask_about(
        servers, lambda server: QueryDns(server.address, ".", "NS", port=server.port)
    )
    for server, reply in questions:
        if isinstance(reply, Failed) or reply.answered:
            return HostForwarder()
        silent.append(SilentServer(server, reply))
    return HostForwarder(holder.comm or "", first, tuple(silent)) if silent else HostForwarder()


def servers_behind(host: Host, holder: Listener) -> Iterator[AskedServer]:
    """The servers that a DNS server of the host asks, by the first place that names any."""
    for places in (_servers_in_command(host, holder), _servers_in_files(host, holder.comm or "")):
        outer_places = {place.address: place for place in places if not is_loopback(place.address)}
        if outer_places:
            yield from outer_places.values()
            return


def _servers_in_command(host: Host, holder: Listener) -> Sequence[AskedServer]:
    if holder.pid is None:
        return ()
    detail = host.ask(InspectProcess(holder.pid))
    if isinstance(detail, Failed):
        return ()
    return tuple(places_in_words(detail.cmdline))


def _servers_in_files(host: Host, program: str) -> Iterator[AskedServer]:
    """The servers to which a forwarder of the host passes queries on, by its files."""
    if program.startswith(_RESOLVED):
        text = host.ask(ReadFile(_OF_RESOLVED))
        for line in () if isinstance(text, Failed) else text.text.splitlines():
            name, _, address = line.partition(" ")
            if name == "nameserver" and ":" not in address:
                yield AskedServer(address.strip(), DNS_PORT, _OF_RESOLVED)
        return
    files, folder = _FILES.get(program, ((), ""))
    paths = list(files)
    if folder:
        names = folder_listing(host, folder).names
        paths += [f"{folder}/{name}" for name in names if not name.startswith(".")]
    for path in paths[:_MOST_FILES]:
        text = host.ask(ReadFile(path, parts="dns upstreams"))
        for line in () if isinstance(text, Failed) else text.text.splitlines():
            address, _, port = line.partition(" ")
            yield AskedServer(address, int(port), path)
