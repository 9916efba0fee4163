"""FTP servers that tell their clients, for data, the address that they have inside Docker."""

import posixpath

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.images.builds import repository_of
from diagnose.evidence.items import Items
from diagnose.evidence.machine.modules import Modules
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

HELPER = "nf_nat_ftp"
"""The kernel's module that opens data ports by itself, and writes the outer address into the
answers of servers, where a rule hands connections to it."""
_CONTROLS = frozenset({21, 2121})
_VARIABLES = {
    "delfer/alpine-ftp-server": "ADDRESS",
    "fauria/vsftpd": "PASV_ADDRESS",
    "garethflowers/ftp-server": "PUBLIC_IP",
    "stilliard/pure-ftpd": "PUBLICHOST",
}
"""By image, the variable with the address for clients."""
_SETTINGS = {
    "ftpserver.json": (
        "public_host",
        LazyPattern(r'"public_host"\s{0,9}:\s{0,9}"(?P<value>[^"]{0,250})"'),
    ),
    "proftpd.conf": (
        "MasqueradeAddress",
        LazyPattern(r"(?im)^[ \t]*MasqueradeAddress[ \t]+(?P<value>\S{1,250})"),
    ),
    "pure-ftpd.conf": (
        "ForcePassiveIP",
        LazyPattern(r"(?im)^[ \t]*ForcePassiveIP[ \t]+(?P<value>\S{1,250})"),
    ),
    "vsftpd.conf": ("pasv_address", LazyPattern(r"(?im)^pasv_address=(?P<value>\S{1,250})")),
}
"""By the name of a file of settings, the setting with the address for clients."""


class FtpServer(msgspec.Struct, frozen=True):
    """A server of FTP whose settings name no address for its clients."""

    container: Container
    port: int
    """The port inside at which clients log in."""
    variable: str = ""
    """The variable of its image that would name it."""
    file: str = ""
    """The mounted file on the host that would name it."""
    setting: str = ""
    """The setting in that file."""


class FtpServers(Items[FtpServer], frozen=True):
    """The servers without an outer address, at most one for each container."""


@evidence
def ftp_servers(
    host: Host, containers: Containers, namespaces: Namespaces, modules: Modules | None
) -> FtpServers:
    """The published FTP servers whose image or mounted file has a known setting, and none in it.

    The collector reads nothing where no container publishes a port for FTP, and where the kernel
    corrects the addresses.
    """
    if modules is not None and HELPER in modules.names:
        return FtpServers()
    servers = []
    for container in containers.running:
        ports = sorted(_CONTROLS.intersection(container.published_tcp_ports))
        netns = namespaces.of(container)
        if not ports or netns is None or not netns.serves_others("tcp", ports[0]):
            continue
        server = _server(host, container, ports[0])
        if server is not None:
            servers.append(server)
    return FtpServers(tuple(servers))


def _server(host: Host, container: Container, port: int) -> FtpServer | None:
    """The server without an outer address; None where it has one, or where that is not known."""
    image = repository_of(container.config.image)
    variable = _VARIABLES.get(image.removeprefix("docker.io/"), "")
    if variable:
        is_set = bool(container.config.value_of(variable))
        return None if is_set else FtpServer(container, port, variable=variable)
    for mount in container.bind_mounts:
        known_setting = _SETTINGS.get(posixpath.basename(mount.destination))
        if known_setting is None:
            continue
        setting, pattern = known_setting
        file = host.ask(ReadFile(mount.source, max_bytes=65536))
        match = None if isinstance(file, Failed) else pattern.search(file.text)
        is_empty = match is None or not match["value"]
        if not isinstance(file, Failed) and is_empty:
            return FtpServer(container, port, file=mount.source, setting=setting)
    return None
