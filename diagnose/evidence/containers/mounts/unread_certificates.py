"""Certificates that were renewed on the host since the web server of a container read them.

nginx, Apache and HAProxy read their files when they start and when they reload, which
gives them new workers. Which files they read is in their mounted configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.certificate import validity_of
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, ReadFile, StatPaths
from diagnose.registry import evidence

SERVERS = frozenset({"apache2", "haproxy", "httpd", "nginx"})
"""Names of processes."""
_NAMES_FILE = LazyPattern(
    r"(?<!\w)(?:ssl_certificate|SSLCertificateFile|crt)[ \t]+[\"']?(?P<path>/[^\s;\"'$]+)(?![^\s;\"'])"
)
"""A name with a variable is read again for each connection."""
_TAKES_NEW_ONES = LazyPattern(r"(?m)^[ \t]*stats[ \t]+socket[ \t].*\blevel[ \t]+admin\b")
"""A socket by which HAProxy is given a certificate without a reload (`set ssl cert`)."""
_OF_SETTINGS = LazyPattern(r"\.(?:conf|cfg)$")
_FOLDER = LazyPattern(r"/etc/(?:nginx|apache2|httpd|haproxy)(?:/|$)|/usr/local/")
_NUMBERED = LazyPattern(r"^(?P<stem>.*\D)(?P<number>\d+)(?P<end>\.pem)$")
"""How certbot names the files behind its links."""
_MOST = 20
"""Configuration files that are read of one container."""
_SLACK_S = 5.0


class UnreadCertificate(msgspec.Struct, frozen=True):
    """A certificate that is newer than all processes of the server that uses it."""

    container: Container
    server: str
    """The name of the server's process: nginx."""
    path: str
    """The certificate's path on the host."""
    inside: str
    changed_at: float
    loaded_at: float
    """When the youngest process of the server started. changed_at, loaded_at: Unix times."""
    old_end: float | None = None
    """When the certificate that the server still uses expires, as Unix time; None where that is not
    known."""
    has_socket: bool = False
    """Whether the server may have got the new one through a socket, without a reload."""


class UnreadCertificates(Items[UnreadCertificate], frozen=True):
    """The first one of each container."""


@evidence
def unread_certificates(
    host: Host, containers: Containers, processes: Processes, clock: Clock
) -> UnreadCertificates:
    """Files are read only of containers with such a server and a mounted configuration."""
    servers = by_key(
        (process.container, process) for process in processes if process.comm in SERVERS
    )
    items = []
    for container in containers.running:
        own = servers.get(container.id)
        if not own:
            continue
        loaded_at = clock.booted + max(process.start for process in own)
        unread = _unread(host, container, own[0].comm, loaded_at)
        if unread is not None:
            items.append(unread)
    return UnreadCertificates(tuple(items))


def _unread(
    host: Host, container: Container, server: str, loaded_at: float
) -> UnreadCertificate | None:
    texts = list(_texts(host, container))
    places = _places(container, texts)
    if not places:
        return None
    statuses = host.ask(StatPaths(sorted(places), follow=True))
    if isinstance(statuses, Failed):
        return None
    for path, place in sorted(places.items()):
        changed_at = statuses[path].mtime
        if changed_at is None or statuses[path].type != "file":
            continue  # a folder of HAProxy changes with each file that comes or goes
        if changed_at <= loaded_at + _SLACK_S:
            continue
        end = _old_end(host, place, statuses[path].link or "")
        if end is not None or _may_be_new(host, place, loaded_at):
            return UnreadCertificate(
                container,
                server,
                path=path,
                inside=place.inside,
                changed_at=changed_at,
                loaded_at=loaded_at,
                old_end=end,
                has_socket=any(_TAKES_NEW_ONES.search(text) for text in texts),
            )
    return None


def _places(container: Container, texts: Iterable[str]) -> dict[str, _Place]:
    """Where the certificates that a configuration names lie on the host, by the host's path."""
    places = {}
    for inside in _used(texts):
        holder = _holder(container, inside)
        if holder is not None and ".." not in inside.split("/"):
            places[holder.on_host(inside)] = _Place(inside, holder)
    return places


class _Place(NamedTuple):
    """A path of the container, and the folder of the host that it lies in."""

    inside: str
    holder: Mount

    def read(self, inside: str) -> ReadFile:
        """A file below the same mount: no link of the container leads out of that."""
        path = inside.removeprefix(self.holder.destination.rstrip("/"))
        return ReadFile(path, root=self.holder.source)


def _holder(container: Container, inside: str) -> Mount | None:
    """The folder of the host that a path of the container lies in.

    A file that is mounted alone stays the old one when it is replaced, whatever is reloaded.
    """
    if container.mount_at(inside) is not None:
        return None
    holders = [mount for mount in container.mounts if mount.holds(inside)]
    innermost = max(holders, key=lambda mount: len(mount.destination), default=None)
    return innermost if innermost is not None and innermost.source.startswith("/") else None


def _used(texts: Iterable[str]) -> Iterator[str]:
    """The certificates that a configuration names."""
    for text in texts:
        for match in _NAMES_FILE.finditer(text):
            yield match["path"]


def _texts(host: Host, container: Container) -> Iterator[str]:
    """What its mounted configuration says of certificates, without comments."""
    for file in list(_settings(host, container))[:_MOST]:
        text = host.ask(file)
        if not isinstance(text, Failed):
            yield text.text


def _settings(host: Host, container: Container) -> Iterator[ReadFile]:
    """Its mounted files of settings."""
    for mount in container.bind_mounts:
        if _OF_SETTINGS.search(mount.destination):
            yield ReadFile(mount.source, parts="certificates")
        elif _FOLDER.match(mount.destination):
            listing = host.ask(ListFolder(mount.source))
            entries = [] if isinstance(listing, Failed) else listing.entries
            yield from (
                ReadFile(f"/{entry.name}", root=mount.source, parts="certificates")
                for entry in entries
                if _OF_SETTINGS.search(entry.name)
            )


def _may_be_new(host: Host, place: _Place, loaded_at: float) -> bool:
    """Whether a file may hold a certificate that was not there yet when the server read it.

    Many hosts copy the same one again each night.
    """
    text = host.ask(place.read(place.inside))
    period = None if isinstance(text, Failed) else validity_of(text.text)
    return period is None or period.start > loaded_at


def _old_end(host: Host, place: _Place, link: str) -> float | None:
    """When the certificate before expires, of which certbot keeps the file."""
    target = _NUMBERED.match(link)
    if target is None or int(target["number"]) < 2:
        return None
    before = f"{target['stem']}{int(target['number']) - 1}{target['end']}"
    folder = "" if before.startswith("/") else f"{place.inside.rpartition('/')[0]}/"
    text = host.ask(place.read(f"{folder}{before}"))
    period = None if isinstance(text, Failed) else validity_of(text.text)
    return period.end if period is not None else None
