"""Programs that serve only their own container, and the settings that they did not read.

Many servers listen on loopback until a file of settings says otherwise. Where the program names the
file that it read, that file is often the image's own: the user's file is mounted at another place.
"""

import re
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.mounts.bind_mounts import named_path
from diagnose.evidence.containers.mounts.unread_settings import (
    SettingsRead,
    UnreadSettings,
    unread_settings,
)
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import paired
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.container_logs import ReadLogs
from diagnose.questions.firewall import Flavour, SaveIptables
from diagnose.registry import evidence

MOST = 10
"""Logs that are read."""
LINES = 200
"""Programs name their file of settings at their start."""
BYTES = 48 * 1024
_READ_FILE = LazyPattern(
    r"(?i:\b(?:config\w*|settings)\b)[^/]{0,40}?"
    r"(?P<path>/[\w./-]{0,250}\.(?:conf|cfg|ini|ya?ml|toml|json|cnf|xml|properties|hcl))\b"
)
"""Words of a program about the file with its settings."""


_LED_INWARD = LazyPattern(
    r"^-A PREROUTING .{0,200}--dport (?P<port>\d{1,5}) .{0,200}--to-destination 127\.0\.0\.1:(?P=port)$",
    re.MULTILINE,
)
"""The rule in a container that redirects a port to loopback, as this tool's page creates it."""
_FLAVOURS: tuple[Flavour, ...] = ("nft", "legacy")


class InwardPrograms(msgspec.Struct, frozen=True):
    """The line of such a program, and its unread settings, by container id."""

    tails: dict[str, LogTail] = {}
    unread: dict[str, UnreadSettings] = {}
    led: dict[str, frozenset[int]] = {}
    """The ports that a rule inside the container redirects to its loopback address."""


@evidence
def inward_programs(host: Host, containers: Containers, namespaces: Namespaces) -> InwardPrograms:
    """The lines of programs that serve only themselves, and the rules of their namespaces.

    The logs are those of running containers that serve none of their published ports to others.
    """
    inward = [
        container
        for container, netns in paired(containers.running, namespaces.of)
        if _serves_itself_alone(netns)
    ]
    looked_at = host.first(inward, MOST, "containers that serve themselves alone")
    led = {container.id: _redirected_ports(host, container) for container in looked_at}
    tails: dict[str, LogTail] = {}
    reads: dict[str, SettingsRead] = {}
    answers = host.ask_about(looked_at, lambda container: ReadLogs(container.id, LINES, BYTES))
    for container, answer in answers:
        if isinstance(answer, Failed):
            continue
        lines = tuple(
            line.text.strip()
            for line in answer.lines
            if line.at is None or line.at >= (container.started_at or 0.0) - 2
        )
        tails[container.id] = LogTail(lines)
        if (read := _file_that_was_read(container, lines)) is not None:
            reads[container.id] = read
    return InwardPrograms(tails, unread_settings(host, inward, reads), led)


def _redirected_ports(host: Host, container: Container) -> frozenset[int]:
    """The ports whose calls a rule redirects to loopback; empty where the rules cannot be read."""
    ports: set[int] = set()
    for flavour in _FLAVOURS:
        answer = host.ask(SaveIptables(flavour, "ip", container.state.pid))
        text = "" if isinstance(answer, Failed) else answer.text
        ports |= {int(match["port"]) for match in _LED_INWARD.finditer(text or "")}
    return frozenset(ports)


def _serves_itself_alone(netns: ContainerNetns) -> bool:
    """Whether a container listens at a published port on loopback, and nowhere for others."""
    ports = netns.container.published_tcp_ports
    served = any(netns.serves_others("tcp", port) for port in ports)
    return not served and any(netns.sockets("tcp", port) for port in ports)


def _file_that_was_read(container: Container, lines: Sequence[str]) -> SettingsRead | None:
    """The image's own file of settings that a line names; None for no file, or a mounted one."""
    for line in lines:
        match = _READ_FILE.search(line)
        if match is not None:
            path = match["path"]
            is_mounted = named_path(container, f"'{path}'") is not None
            return None if is_mounted else SettingsRead(line, path)
    return None
