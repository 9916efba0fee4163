"""Another probe for a health check whose tool or script the container does not have."""

import posixpath
import shlex
from collections.abc import Collection, Iterable

from diagnose.evidence.containers.health_check import HealthCheck
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs.program_files import path_folders, programs_at
from diagnose.evidence.items import ByContainer
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.registry import evidence

MOST = 4
"""Containers that are looked into: each costs some forty questions."""
_CALLS = {
    "curl": "curl -fsS -o /dev/null {quoted}",
    "wget": "wget -q -O /dev/null {quoted}",
    "python3": "python3 -c \"import urllib.request as r; r.urlopen('{url}', timeout=5)\"",
    "python": "python -c \"import urllib.request as r; r.urlopen('{url}', timeout=5)\"",
    "node": (
        "node -e \"require('{scheme}').get('{url}', r => process.exit(r.statusCode < 400 ? 0 : 1))"
        ".on('error', () => process.exit(1))\""
    ),
    "bash": "bash -c ': >/dev/tcp/127.0.0.1/{port}'",
}
"""The commands with which programs call a URL, in the order of preference; bash can only connect to
its port."""
_CONNECTIONS = {
    "bash": "bash -c ': >/dev/tcp/127.0.0.1/{port}'",
    "python3": "python3 -c \"import socket as s; s.create_connection(('127.0.0.1', {port}), 5)\"",
    "python": "python -c \"import socket as s; s.create_connection(('127.0.0.1', {port}), 5)\"",
    "node": (
        "node -e \"require('net').connect({port}, '127.0.0.1', () => process.exit(0))"
        ".on('error', () => process.exit(1))\""
    ),
    "nc": "nc -z 127.0.0.1 {port}",
}
"""The commands with which programs connect to a port, in the order of preference: some busybox has
no `nc -z`."""
_URL = LazyPattern(r"""https?://[^\s'"|;&)]+""")
_PORT = LazyPattern(r"https?://[^/:]+:(?P<port>\d{2,5})\b")
_MORE_THAN_A_CALL = LazyPattern(
    r"(?:^|\s)(?:-[HXdukb]|--(?:header|request|data|user|insecure|cookie|resolve|post-data"
    r"|no-check-certificate|method|cert|key))\b|\$"
)
"""Options that another tool writes in another way, and variables, which a quoted URL would lose."""


class OtherProbes(ByContainer[str], frozen=True):
    """The commands for `--health-cmd` that ask the same with another tool, by container id.

    Where the request of a missing script is not known, the command connects to the only port that
    the program serves.
    """


@evidence
def other_probes(
    host: Host, containers: Containers, namespaces: Namespaces | None = None
) -> OtherProbes:
    """Probe commands with a tool that the container has, where the probe's own is missing.

    Each place of a possible tool takes one question.
    """
    commands = {}
    lacking = _probes_without_tool(containers, namespaces)
    for probe in host.first(lacking, MOST, "probes whose program the image lacks"):
        tools = _CONNECTIONS if probe.lacks_script else _CALLS
        present = _tools_in(host, probe.container, tools) - {probe.lacks_program}
        if probe.lacks_script:
            command = connecting_probe(probe.only_port, present)
        else:
            command = other_probe(probe.command_by_ipv4, present)
        if command:
            commands[probe.container.id] = command
    return OtherProbes(commands)


def _probes_without_tool(
    containers: Containers, namespaces: Namespaces | None
) -> list[HealthCheck]:
    """The probes that cannot run, where their request is known."""
    probes = (
        HealthCheck(
            container,
            container.state.health,
            namespaces.of(container) if namespaces is not None else None,
        )
        for container in containers.running
        if container.state.health is not None
    )
    return [probe for probe in probes if _has_other_way(probe)]


def _has_other_way(probe: HealthCheck) -> bool:
    """Whether another program can send the request of a probe that cannot run."""
    if probe.lacks_program and _url(probe.command):
        return True
    return bool(probe.lacks_script and probe.only_port)


def _tools_in(host: Host, container: Container, tools: Iterable[str]) -> set[str]:
    """The names among these programs that the container has."""
    folders = path_folders(container)
    places = [f"{folder}/{name}" for name in tools for folder in folders]
    return {posixpath.basename(path) for path in programs_at(host, container, places)}


def other_probe(command: str, present: Collection[str]) -> str:
    """A probe that calls the same URL with one of these programs; "" where that is not known."""
    url = _url(command)
    caller = next((name for name in _CALLS if name in present), "")
    port = _PORT.match(url)
    if not url or not caller:
        return ""
    if caller == "bash" and port is None:
        return ""
    return _CALLS[caller].format(
        url=url,
        quoted=shlex.quote(url),
        scheme=url.partition(":")[0],
        port=port["port"] if port else "",
    )


def connecting_probe(port: int, present: Collection[str]) -> str:
    """A probe that connects to a port of its own with one of these programs; "" without one."""
    tool = next((name for name in _CONNECTIONS if name in present), "")
    return _CONNECTIONS[tool].format(port=port) if tool else ""


def _url(command: str) -> str:
    """The one URL that a simple probe calls; "" for other probes."""
    urls = _URL.findall(command)
    return urls[0] if len(urls) == 1 and not _MORE_THAN_A_CALL.search(command) else ""
