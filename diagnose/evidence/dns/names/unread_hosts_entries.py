"""Names of a container's own hosts file that its program asks DNS servers for."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

MOST = 10
"""Hosts files that are read."""
_OF_NGINX = LazyPattern(r"\bcould not be resolved \(\d+: ")
"""The line of nginx whose resolver has no answer: that resolver reads no hosts file (ngx_resolver).
"""


class UnreadHostsEntry(msgspec.Struct, frozen=True):
    """A name, and the address that the hosts file of the container has for it."""

    container: Container
    name: FailedName
    address: str
    """Empty where the file could not be read."""


class UnreadHostsEntries(Items[UnreadHostsEntry], frozen=True):
    """The hosts entries that programs ignore, in the order of the containers."""


@evidence
def unread_hosts_entries(
    host: Host, containers: Containers, failed: FailedNames, recent_logs: RecentLogs
) -> UnreadHostsEntries:
    """Names in a container's hosts file that its program still fails to resolve.

    Each container with such a name has one file read: the engine's own copy. Lines from before the
    last start of a program are over.
    """
    suspects = [
        (container, name)
        for container in containers.running
        for name in failed.of(container)
        if _is_in_hosts_file(container, name)
        and name.name not in containers.by_dns_name
        and _is_of_this_run(container, name, recent_logs)
    ]
    entries = []
    for container, name in host.first(suspects, MOST, "names of hosts files"):
        text = host.ask(ReadFile(container.hosts_path, follow=False))
        address = "" if isinstance(text, Failed) else _address_of(name.name, text.text)
        entries.append(UnreadHostsEntry(container, name, address))
    return UnreadHostsEntries(tuple(entries))


def _is_in_hosts_file(container: Container, name: FailedName) -> bool:
    return (
        name.is_by_log
        and name.name in container.extra_names
        and _OF_NGINX.search(name.line) is not None
    )


def _is_of_this_run(container: Container, name: FailedName, logs: RecentLogs) -> bool:
    return any(line.text == name.line for line in logs.of_this_run(container))


def _address_of(name: str, text: str) -> str:
    """The first IPv4 address that a hosts file has for a name."""
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if name in names and ":" not in address:
            return address
    return ""
