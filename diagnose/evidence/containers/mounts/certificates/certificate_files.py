"""The certificates that web servers in containers read from mounted files.

Which files they read is in their mounted configuration. nginx-proxy names them like the sites.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount, host_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.mounted_settings import MountedSettings, mounted_settings
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import Failed
from diagnose.programs.web_programs import KEEP_CERTIFICATES
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, PathStatus, ReadFile, StatPaths
from diagnose.registry import evidence

_NAMES_FILE = LazyPattern(
    r"(?<!\w)(?:ssl_certificate|SSLCertificateFile|crt)[ \t]+[\"']?(?P<path>/[^\s;\"'$]+)(?![^\s;\"'])"
)
"""A name with a variable is read again for each connection."""
_TAKES_NEW_ONES = LazyPattern(r"(?m)^[ \t]*stats[ \t]+socket[ \t].*\blevel[ \t]+admin\b")
"""A socket by which HAProxy is given a certificate without a reload (`set ssl cert`)."""
_CALLS_OTHERS = LazyPattern(r"(?m)^[ \t]*(?:default-)?server[ \t].*")
"""A line of HAProxy's about a server behind it: its `crt` is shown to that server, not to clients.
nginx has a brace there, and no certificate in the same line."""
_OF_SETTINGS = LazyPattern(r"\.(?:conf|cfg)$")
_FOLDER = LazyPattern(
    r"\A(?!.*-available$)(?:/etc/(?:nginx|apache2|httpd|haproxy)(?:/|$)|/usr/local/)"
)
"""Not the folder of sites that may be enabled, and are not by being there."""


class CertificateFile(msgspec.Struct, frozen=True):
    """A file with the certificate of a web server that runs."""

    container: Container
    server: str
    """The name of the server's process: nginx."""
    loaded_at: float
    """When the youngest process of the server started, as Unix time."""
    path_inside: str
    """The path in the container."""
    holder: Mount
    """The host folder with the file, or the file itself if it is mounted alone."""
    status: PathStatus
    """Of the file itself, where the path is a link."""
    has_socket: bool = False
    """Whether the server may have got another one through a socket, without a reload."""
    named_by: str = ""
    """The file of the host with the settings that name it; "" where several do."""

    @property
    def path(self) -> str:
        """The path on the host."""
        return self.holder.on_host(self.path_inside)

    @property
    def is_mounted_alone(self) -> bool:
        """Whether the container keeps the old file when the host replaces it."""
        return self.holder.destination == self.path_inside

    def list_folder(self, folder: str) -> ListFolder | None:
        """A question for the entries of a folder of the container; None outside of this mount."""
        if not is_within(folder, self.holder.destination.rstrip("/")):
            return None
        path = folder.removeprefix(self.holder.destination.rstrip("/")) or "/"
        return ListFolder(path, root=self.holder.source)

    def read(self, inside: str = "") -> ReadFile:
        """A question for this file's certificate, or for that of another one below the same mount.

        No link of the container leads out of that mount.
        """
        path = (inside or self.path_inside).removeprefix(self.holder.destination.rstrip("/"))
        if not path:
            return ReadFile(self.holder.source, parts="first certificate")
        return ReadFile(path, root=self.holder.source, parts="first certificate")


class CertificateFiles(Items[CertificateFile], frozen=True):
    """The certificate files by container, in the order of their paths; without missing ones."""


@evidence
def certificate_files(
    host: Host, containers: Containers, processes: Processes, clock: Clock
) -> CertificateFiles:
    """The certificate files of running servers, by their mounted configurations."""
    files: list[CertificateFile] = []
    for container in containers.running:
        own_processes = [
            process
            for process in processes.inside(container.id)
            if process.comm in KEEP_CERTIFICATES
        ]
        if own_processes:
            loaded_at = clock.booted + max(process.start for process in own_processes)
            files += _files(host, container, own_processes[0].comm, loaded_at)
    return CertificateFiles(tuple(files))


def _files(
    host: Host, container: Container, server: str, loaded_at: float
) -> Iterator[CertificateFile]:
    """The certificates that the settings of a server name, as they lie on the host."""
    settings = [*mounted_settings(host, container, "certificates", _OF_SETTINGS, _FOLDER)]
    texts = [mounted.text for mounted in settings]
    places = {place.on_host: place for place in _named_places(container, texts)}
    if not places:
        return
    statuses = host.ask(StatPaths(sorted(places), follow=True))
    if isinstance(statuses, Failed):
        return
    has_socket = any(_TAKES_NEW_ONES.search(text) for text in texts)
    for path, place in sorted(places.items()):
        status = statuses[path]
        if status.type == "file":  # a folder of HAProxy changes with each file that comes or goes
            yield CertificateFile(
                container,
                server,
                loaded_at=loaded_at,
                path_inside=place.path_inside,
                holder=place.holder,
                status=status,
                has_socket=has_socket,
                named_by=_only_file(settings, place.path_inside),
            )


def _only_file(settings: Sequence[MountedSettings], inside: str) -> str:
    """The one file that names a certificate; "" where several do."""
    return only([mounted.path for mounted in settings if inside in mounted.text]) or ""


class _NamedPlace(msgspec.Struct, frozen=True):
    """A certificate that a configuration names."""

    path_inside: str
    """The path in the container."""
    holder: Mount

    @property
    def on_host(self) -> str:
        return self.holder.on_host(self.path_inside)


def _named_places(container: Container, texts: Iterable[str]) -> Iterator[_NamedPlace]:
    for inside in _named_paths(texts):
        holder = host_mount(container.mounts, inside)
        if holder is not None and ".." not in inside.split("/"):
            yield _NamedPlace(inside, holder)


def _named_paths(texts: Iterable[str]) -> Iterator[str]:
    """The certificates that a configuration names."""
    for text in texts:
        for match in _NAMES_FILE.finditer(_CALLS_OTHERS.sub("", text)):
            yield match["path"]
