"""All that the nginx of containers and of the host pass on, by their configurations."""

import msgspec

from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.nginx.files import NginxFiles, reads_all
from diagnose.evidence.network.proxies.nginx.hops import NginxHop, hops
from diagnose.questions import Host

_MOST = 8
"""Servers whose configuration is read."""
_PROGRAM = "nginx"


class HopFile(msgspec.Struct, frozen=True):
    """The file of a location."""

    path_inside: str
    """The path in nginx's view; "" where it is not known."""
    is_read_only: bool
    """Whether the container may not write it."""
    on_host: str
    """The file on the host; "" where it is in the image alone."""


class NginxConfigurations:
    """The configurations of all nginx, which the constructor reads."""

    def __init__(self, host: Host, containers: Containers, processes: Processes) -> None:
        self._host = host
        self._files: dict[str, NginxFiles] = {}
        self.hops: tuple[NginxHop, ...] = ()
        self.fastcgi_hops: tuple[NginxHop, ...] = ()
        """Those to a program that speaks FastCGI, as PHP-FPM does."""
        for proxy in _servers(containers, processes):
            name = proxy.id if proxy is not None else ""
            self._files[name] = NginxFiles(host, proxy)
            directives = self._files[name].directives()
            self.hops = (*self.hops, *hops(proxy, directives, containers))
            by_fastcgi = hops(proxy, directives, containers, passed_by="fastcgi_pass")
            self.fastcgi_hops = (*self.fastcgi_hops, *by_fastcgi)

    def is_whole(self, hop: NginxHop) -> bool:
        """Whether all files were read that may hold a setting for this location."""
        if hop.proxy is None:
            return hop.is_known
        return hop.is_known and reads_all(self._host, hop.proxy, self._files[hop.proxy.id])

    def file_of(self, hop: NginxHop) -> HopFile:
        """The file with a location, if one file alone passes requests on to its server."""
        passed_by = "fastcgi_pass" if hop in self.fastcgi_hops else "proxy_pass"
        return self._file_with(hop, (passed_by, hop.target))

    def file_of_setting(self, hop: NginxHop, name: str) -> HopFile:
        """The file with a setting that holds for a location, if one file alone has that value."""
        return self._file_with(hop, (name, hop.settings.get(name, "")))

    def _file_with(self, hop: NginxHop, words: tuple[str, str]) -> HopFile:
        """The one file that has a directive."""
        files = self._files[hop.proxy.id if hop.proxy is not None else ""]
        inside = files.holding(words)
        if hop.proxy is None:
            return HopFile(inside, is_read_only=False, on_host=inside)
        mount = innermost_mount(hop.proxy.mounts, inside)
        if mount is None:
            return HopFile(inside, is_read_only=False, on_host="")
        return HopFile(inside, is_read_only=not mount.rw, on_host=mount.on_host(inside))


def configured_at(proxy: Container | None, processes: Processes, clock: Clock) -> float:
    """Unix time since which an nginx works by its present configuration.

    It starts new workers when it reads its files again.
    """
    candidate_processes = processes.outside if proxy is None else processes.inside(proxy.id)
    starts = (process.start for process in candidate_processes if process.comm == _PROGRAM)
    return clock.booted + max(starts, default=0.0)


def _servers(containers: Containers, processes: Processes) -> list[Container | None]:
    """The containers that run nginx, and None for one of the host itself."""
    inside: list[Container | None] = [
        container for container in containers.running if processes.runs(container.id, (_PROGRAM,))
    ]
    return [*([None] if runs_on_host(processes) else []), *inside][:_MOST]


def runs_on_host(processes: Processes) -> bool:
    """Whether nginx runs on the host itself."""
    return any(process.comm == _PROGRAM for process in processes.outside)
