"""Names that a container cannot resolve, with the reply of each of its servers. Pure."""

import re
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.dns.names.hosts_file import HostsFile
from diagnose.evidence.network.calls.watchers import Watchers

OF_DESKTOP = ("host.docker.internal", "gateway.docker.internal")
"""Names of the host that Docker Desktop defines, and an engine on Linux does not."""
ERRORS = ("REFUSED", "SERVFAIL")
"""The replies of a server that will not, or cannot, resolve a name."""
MOST_NAMES = 5
"""A program that misses more names calls what others name: a proxy, a crawler, a monitor."""


class ServerError(msgspec.Struct, frozen=True):
    """A DNS server that answers with an error."""

    server: str
    rcode: str


class UnresolvedName(msgspec.Struct, frozen=True):
    """A name that a container cannot resolve, and the reply of each of its servers."""

    container: Container
    name: FailedName
    replies: dict[str, DnsReply]
    is_one_of_many: bool = False
    """Whether its program misses other hosts in other ways: it looks for some."""

    @property
    def is_known(self) -> bool:
        return any(reply.knows for reply in self.replies.values())

    @property
    def is_denied(self) -> bool:
        return any(reply.denies for reply in self.replies.values())

    @property
    def first_error(self) -> ServerError | None:
        """The first answer of a server that is an error."""
        for server, reply in self.replies.items():
            if reply.rcode in ERRORS:
                return ServerError(server, str(reply.rcode))
        return None

    @property
    def decisive(self) -> DnsReply | None:
        """The answer that a library takes: after an error of a server it asks the next one."""
        replies = (reply for reply in self.replies.values() if reply.knows or reply.denies)
        return next(replies, None)

    @property
    def is_watched(self) -> bool:
        """Whether a monitor has found the name gone, or a program that calls many foreign hosts.

        A name in its variables is that of its own database or mail server, which it needs.
        """
        container = self.container
        name = re.escape(self.name.name)
        whole = re.compile(rf"(?<![\w.-]){name}(?![\w.-])")
        is_own = any(whole.search(value) for _, value in container.config.environment)
        watches = container.watches_others or self.is_one_of_many
        return watches and not is_own and not container.is_unhealthy

    @property
    def answers(self) -> dict[str, str]:
        """The answer of each server about the name, as evidence."""
        return {
            f"{self.name.name} A at {server}": str(reply) for server, reply in self.replies.items()
        }

    def completed(self, lookups: Lookups) -> str:
        """The name with a search domain that a server knows; empty without one.

        A domain that knows every name proves nothing, and neither does one whose wildcard is not
        known. A server that refuses the wildcard has none.
        """
        name = self.name.name
        for other, replies in lookups.failed_by_name(self.container).items():
            domain = other.removeprefix(f"{name}.")
            wildcard = lookups.wildcards.get(domain)
            is_known = any(reply.knows for reply in replies.values())
            is_plain = wildcard is not None and (wildcard.denies or wildcard.rcode == "REFUSED")
            if domain != other and is_known and is_plain:
                return other
        return ""

    def is_elsewhere(self, containers: Containers, hosts_file: HostsFile | None) -> bool:
        """Whether the name is one that no DNS server should know: of a container, or of a host."""
        name = self.name.name.lower()
        is_of_host = hosts_file is not None and name in hosts_file.addresses
        is_local = name in OF_DESKTOP or name.endswith(".local")
        return is_of_host or is_local or self._is_of_container(containers)

    def _is_of_container(self, containers: Containers) -> bool:
        """Whether the name is one of a container's.

        The engine's resolver knows NAME.NETWORK too, and tasks.SERVICE in a swarm.
        """
        name = self.name.name
        first, _, network = name.partition(".")
        is_near = first in containers.by_dns_name and network in self.container.endpoints
        is_given = name in containers.by_dns_name or name in self.container.extra_names
        return is_given or is_near or first == "tasks"


class NameAtServer(msgspec.Struct, frozen=True):
    """A name that a container cannot resolve, and one server with a reply about it."""

    failure: UnresolvedName
    server: str
    ipv4: DnsReply
    """The reply to a question for IPv4 addresses (A)."""

    @property
    def container(self) -> Container:
        return self.failure.container

    @property
    def name(self) -> str:
        return self.failure.name.name


def unresolved_names(
    containers: Containers,
    failed_names: FailedNames,
    lookups: Lookups,
    watchers: Watchers | None = None,
) -> Iterator[UnresolvedName]:
    """The names that were asked again, each with the replies of the container's servers.

    None of a name without a dot, which was asked for with the search domains alone.
    """
    for container in containers:
        names = failed_names.of(container)
        if len(names) > MOST_NAMES:
            continue
        is_one_of_many = watchers is not None and watchers.hold(container)
        replies_by_name = lookups.failed_by_name(container)
        for name in names:
            replies = replies_by_name.get(name.name, {})
            failure = UnresolvedName(container, name, replies, is_one_of_many)
            has_answer = any(reply.answered for reply in failure.replies.values())
            if has_answer or failure.completed(lookups):
                yield failure
