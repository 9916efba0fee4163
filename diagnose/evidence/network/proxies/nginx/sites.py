"""The sites of each nginx in a container, and mounted files of sites that it does not read."""

import fnmatch
import itertools
import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.mounted_files import mounted_file
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.nginx.files import MAIN, NginxFiles, reads_all
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import distinct
from diagnose.model import Failed
from diagnose.nginx_text import Directive, read
from diagnose.questions import Host
from diagnose.questions.files import ListFolder
from diagnose.registry import evidence

_PROGRAM = "nginx"
_MOST = 8
_MOST_FILES = 8
_BELOW = "/etc/nginx"
_SET_ASIDE = LazyPattern(
    r"""
      (?:
            available | template | disabled | example | sample | backup
          | \.(?:bak|old|orig|save|off|dist|rpm\w+)
        )
    | ~$ | (?:^|/)\. | \.conf(?!\.d)[^/]{1,80}$
    | \.(?:adoc|ctmpl|erb|gz|html?|in|j2|md|rst|tar|tmpl|tpl|txt|zip)$
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Names of files and folders that are set aside and should not be read."""


class NginxSite(msgspec.Struct, frozen=True):
    """A `server` of an nginx that ends TLS."""

    container: Container
    names: tuple[str, ...]
    """The host names of its site."""
    certificate: str
    """The path of its certificate in the container."""


class UnreadSite(msgspec.Struct, frozen=True):
    """A mounted file of sites that nginx does not read."""

    container: Container
    path_inside: str
    """Its path in the container."""
    mount: Mount
    names: tuple[str, ...]
    """The host names of its sites."""
    read_from: tuple[str, ...]
    """The patterns of the files of sites that nginx reads."""

    @property
    def path(self) -> str:
        """On the host."""
        return self.mount.on_host(self.path_inside)


class NginxSites(Items[NginxSite], frozen=True):
    """The sites of each nginx with a configuration that could be read as a whole."""

    unread: tuple[UnreadSite, ...] = ()


@evidence
def nginx_sites(host: Host, containers: Containers, processes: Processes) -> NginxSites:
    """The configurations of containers whose first process reads the usual file."""
    sites: list[NginxSite] = []
    unread: list[UnreadSite] = []
    proxies = [
        container
        for container in containers.running
        if processes.runs(container.id, (_PROGRAM,)) and _reads_usual_file(container)
    ]
    for container in host.first(proxies, _MOST, "web servers with nginx"):
        files = NginxFiles(host, container)
        directives = files.directives()
        sites += _sites(container, directives)
        patterns = files.includes
        if directives and reads_all(host, container, files):
            unread += _unread_sites(host, container, patterns)
    return NginxSites(tuple(sites), tuple(unread))


def _reads_usual_file(container: Container) -> bool:
    """Whether the command of a container names no other file (`-c`)."""
    words = list(container.command)
    config_paths = [after for word, after in itertools.pairwise(words) if word == "-c"]
    return config_paths in ([], [MAIN])


class CertifiedServer(msgspec.Struct, frozen=True):
    """A `server` block for which nginx has a certificate."""

    block: Directive
    names: tuple[str, ...]
    """The host names of its site."""
    certificate: str
    """The path, as its file has it: its own, or that of all servers."""


def certified_servers(directives: Sequence[Directive]) -> Iterator[CertifiedServer]:
    """The servers of a configuration with a certificate, in their order."""
    for http in (directive for directive in directives if directive.name == "http"):
        usual = next((directive.first for directive in http.all("ssl_certificate")), "")
        for server in http.all("server"):
            names = tuple(
                word for directive in server.all("server_name") for word in directive.words[1:]
            )
            certificate = next(
                (directive.first for directive in server.all("ssl_certificate")), usual
            )
            if certificate:
                yield CertifiedServer(server, names, certificate)


def _sites(container: Container, directives: tuple[Directive, ...]) -> Iterator[NginxSite]:
    for server in certified_servers(directives):
        if any("ssl" in directive.words for directive in server.block.all("listen")):
            yield NginxSite(container, server.names, server.certificate)


def _unread_sites(
    host: Host, container: Container, patterns: tuple[str, ...]
) -> Iterator[UnreadSite]:
    """The mounted files with a site that no pattern takes."""
    of_sites = tuple(pattern for pattern in patterns if "*" in pattern and "modules" not in pattern)
    for mount, inside in [*_candidates(host, container)][:_MOST_FILES]:
        if any(fnmatch.fnmatchcase(inside, pattern) for pattern in patterns):
            continue
        text = host.ask(mounted_file(mount, inside, parts="proxying"))
        if isinstance(text, Failed):
            continue
        servers = [
            directive
            for directive in read(text.text)
            if directive.name == "server" and directive.is_block
        ]
        names = (
            word
            for server in servers
            for directive in server.all("server_name")
            for word in directive.words[1:]
        )
        if servers:
            yield UnreadSite(container, inside, mount, distinct(names), of_sites)


def _candidates(host: Host, container: Container) -> Iterator[tuple[Mount, str]]:
    """Mounted files below nginx's folder, and those of mounted folders there."""
    for mount in container.bind_mounts:
        place = mount.destination.rstrip("/")
        if not place.startswith(f"{_BELOW}/") or place == MAIN or _SET_ASIDE.search(place):
            continue
        listing = host.ask(ListFolder("/", root=mount.source))
        if not isinstance(listing, Failed):
            for entry in listing.entries:
                if entry.type == "file" and not _SET_ASIDE.search(entry.name):
                    yield mount, posixpath.join(place, entry.name)
        else:  # a file that is mounted by itself
            yield mount, place
