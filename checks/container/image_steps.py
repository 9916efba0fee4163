"""First steps where the log complains of the image, the host's kernel or a certificate.

A build of the image that was there before, what lies inside the container, a kernel module, the
certificate that a server shows.
"""

from __future__ import annotations

import shlex

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.other_logs import other_log
from diagnose.evidence.containers.logs.tails import LogTail
from diagnose.evidence.containers.mounts.bind_mounts import named
from diagnose.evidence.containers.unanswered_peers import Calls
from diagnose.evidence.images.builds import other_build
from diagnose.evidence.images.commands import ImageCommands
from diagnose.evidence.images.listing import Images, tag_of
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures import Recognised

_PATHS = ("path", "program", "module")
_WIDE = frozenset({"", "/bin", "/etc", "/lib", "/opt", "/run", "/sbin", "/usr", "/var"})
"""Folders whose whole contents say nothing."""
_SERVER = LazyPattern(
    r"https://(?P<host>[\w.-]+)(?::(?P<port>\d+))?|host='(?P<python>[\w.-]+)', port=(?P<at>\d+)"
)
_FILE_OF_RUN = LazyPattern(r"\.|sock(?:et)?$|pid$|lock$")
"""How files below /run are called."""
_OF_OTHERS = LazyPattern(r"/run/(?:secrets|dbus|udev|user|systemd|docker|containerd)\b")
"""Folders that the engine fills, or that the host's own services have."""
_MAKES = LazyPattern(r"\bmissing\b|\bbind|\blisten|\bcreat|\bmkdir|\bwrit|\bpid\b|\block\b")
"""What a program says that wants to make something there, rather than to call another one."""
_TABLE = LazyPattern(r"iptables table `(?P<table>\w+)'")


def image_steps(
    container: Container,
    tail: LogTail,
    images: Images | None,
    commands: ImageCommands | None,
    calls: Calls,
) -> dict[str, str]:
    """The variables of a page about a program that failed at its start."""
    failure = tail.failure
    if failure is None:
        return _pointed_log(container, tail)
    name = failure.failure.name
    steps: dict[str, str] = {}
    own = _own_command(container, failure, commands)
    if own:
        return {"own_command": own}
    wanted = failure.failure.build
    if images is not None and wanted:
        build = other_build(container, images, is_newer=wanted == "newer")
        steps |= {"other_build": build} if build else _pulled(container, images)
    if name.startswith("certificate-"):
        server = _server(container, failure.line, calls)
        steps |= {"tls_server": server} if server else {}
    if name == "kernel-module":
        steps["module"] = _module(failure)
    if folder := _run_folder(container, failure):
        return steps | {"run_folder": folder}
    inside = _inside(container, failure)
    return steps | ({"inside": f"{container.name}:{inside}"} if inside else {})


def _pulled(container: Container, images: Images) -> dict[str, str]:
    """The tag that may have been mended since; nothing for an image that was built here."""
    image, reference = images.of(container), container.config.image
    is_of_registry = image is not None and bool(image.digests) and bool(tag_of(reference))
    return {"pulled": reference} if is_of_registry else {}


def _pointed_log(container: Container, tail: LogTail) -> dict[str, str]:
    """The log to which the output points, where no line of the output itself says what is wrong."""
    telling = tail.telling
    pointed = other_log(container, tail)
    path = next(iter(pointed.values()), "").rpartition("/")[2]
    explains = telling is not None and telling.is_complaint and path not in telling.text
    return {} if explains else pointed


def _own_command(container: Container, failure: Recognised, commands: ImageCommands | None) -> str:
    """The image's own command, where the one that the container was given is not in the image."""
    own = commands.by_container.get(container.id) if commands is not None else None
    given = container.config.cmd
    if not own or not given:
        return ""
    return shlex.join(own) if given[0] == failure.values.get("command") else ""


def _inside(container: Container, failure: Recognised) -> str:
    """The folder of the container itself in which the line misses something or is denied."""
    found = (failure.values.get(group, "") for group in _PATHS)
    path = next((path for path in found if path.startswith("/")), "")
    if not path or named(container, path) is not None or path.startswith(("/proc", "/sys", "/dev")):
        return ""
    parent = path.rpartition("/")[0]
    return path if parent in _WIDE else parent


def _run_folder(container: Container, failure: Recognised) -> str:
    """The folder below /run that the program misses, as `--tmpfs` takes it; "" where it has all.

    On a host of its own an init system makes such folders at each start.
    """
    path = failure.values.get("path", "")
    is_missing = failure.failure.name == "path-missing" and named(container, path) is None
    if not is_missing or _OF_OTHERS.search(path) or not _MAKES.search(failure.line.lower()):
        return ""
    parts = [part for part in path.removeprefix("/var").split("/") if part]
    is_file = bool(parts) and bool(_FILE_OF_RUN.search(parts[-1]))
    if is_file:
        path = path.rpartition("/")[0]
    if parts[:1] != ["run"] or ".." in parts or len(parts) - is_file < 2:
        return ""
    is_root = container.config.starts_as_root
    return f"{path}:mode=755" if is_root else path


def _server(container: Container, line: str, calls: Calls) -> str:
    """The server whose certificate is refused, as the host reaches it."""
    match = _SERVER.search(line)
    if match is None:
        return ""
    host = match["host"] or match["python"]
    port = match["port"] or match["at"] or "443"
    own = container.endpoints.keys()
    addresses = [
        endpoint.ip_address
        for callee in calls.callees
        for network, endpoint in callee.endpoints.items()
        if network in own and endpoint.ip_address
    ]
    return f"{addresses[0] if len(addresses) == 1 else host}:{port}"


def _module(failure: Recognised) -> str:
    """The kernel module that the program asks for."""
    named_one = failure.values.get("module")
    if named_one:
        return named_one
    table = _TABLE.search(failure.line)
    return f"iptable_{table['table']}" if table else "wireguard"
