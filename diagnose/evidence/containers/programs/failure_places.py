"""The places that a failure is about: a folder, a module of the kernel, a server. Pure."""

import posixpath
import shlex

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.bind_mounts import named_path
from diagnose.evidence.containers.peers.unanswered_peers import Calls
from diagnose.evidence.containers.settings.named.setting_files import file_of_image
from diagnose.evidence.images.commands import ImageCommands
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised

_PATHS = ("path", "program", "module")
_WIDE = frozenset({"/", "/bin", "/etc", "/lib", "/opt", "/run", "/sbin", "/usr", "/var"})
"""Folders so wide that the whole content proves nothing."""
_SERVER = LazyPattern(
    r"https://(?P<host>[\w.-]+)(?::(?P<port>\d+))?|host='(?P<python>[\w.-]+)', port=(?P<at>\d+)"
)
_FILE_OF_RUN = LazyPattern(r"\.|sock(?:et)?$|pid$|lock$")
"""Names of files below /run."""
_OF_OTHERS = LazyPattern(r"/run/(?:secrets|dbus|udev|user|systemd|docker|containerd)\b")
"""Folders that the engine fills, or that the host's own services have."""
_MAKES = LazyPattern(r"\bmissing\b|\bbind|\blisten|\bcreat|\bmkdir|\bwrit|\bpid\b|\block\b")
"""Words of a program that creates something there, rather than calling another program."""
_TABLE = LazyPattern(r"\b(?P<family>ip6?)tables\b(?:.{0,60} table [`'](?P<table>[a-z]+)')?")
"""A tool for packet filters, and the table that it does not find: `filter` without a name."""


def own_command(container: Container, failure: Recognised, commands: ImageCommands | None) -> str:
    """The image's own command, where the container's command is not in the image."""
    own = commands.of(container) if commands is not None else None
    command = container.config.cmd
    if not own or not command:
        return ""
    return shlex.join(own) if command[0] == failure.values.get("command") else ""


def folder_inside(container: Container, failure: Recognised) -> str:
    """The folder of the container itself in which the line misses something or is denied."""
    paths = (failure.values.get(group, "") for group in _PATHS)
    path = next((path for path in paths if path.startswith("/")), "")
    if (
        not path
        or named_path(container, path) is not None
        or path.startswith(("/proc", "/sys", "/dev"))
    ):
        return ""
    parent = posixpath.dirname(path)
    return path if parent in _WIDE else parent


def settings_inside(container: Container, failure: Recognised) -> PageVariables:
    """The file of settings in the image of which the line complains, and its line there."""
    file = file_of_image(container, failure.line)
    if file is None:
        return {}
    return {"file_inside": f"{container.name}:{file.path}", "line_inside": str(file.line)}


def run_folder(container: Container, failure: Recognised) -> str:
    """The folder below /run that the program misses, as `--tmpfs` takes it; "" for none.

    On a host of its own an init system creates such folders at each start.
    """
    path = failure.values.get("path", "")
    is_missing = failure.name == "path-missing" and named_path(container, path) is None
    if not is_missing or _OF_OTHERS.search(path) or not _MAKES.search(failure.line.lower()):
        return ""
    parts = [part for part in path.removeprefix("/var").split("/") if part]
    is_file = bool(parts) and bool(_FILE_OF_RUN.search(parts[-1]))
    if is_file:
        path = posixpath.dirname(path)
    if parts[:1] != ["run"] or ".." in parts or len(parts) - is_file < 2:
        return ""
    is_root = container.config.starts_as_root
    return f"{path}:mode=755" if is_root else path


def server_of_certificate(container: Container, line: str, calls: Calls) -> str:
    """The server whose certificate is refused, at the address that the host reaches."""
    match = _SERVER.search(line)
    if match is None:
        return ""
    host = match["host"] or match["python"]
    port = match["port"] or match["at"] or "443"
    own_networks = container.endpoints.keys()
    addresses = [
        endpoint.ip_address
        for callee in calls.callees
        for network, endpoint in callee.endpoints.items()
        if network in own_networks and endpoint.ip_address
    ]
    return f"{only(addresses) or host}:{port}"


def kernel_module(failure: Recognised) -> str:
    """The kernel module that the program asks for."""
    named_one = failure.values.get("module")
    if named_one:
        return named_one
    table = _TABLE.search(failure.line)
    if table is None:
        return "wireguard"
    return f"{table['family']}table_{table['table'] or 'filter'}"
