"""Names that a search domain answers for, or keeps from being asked for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import DnsReply
from diagnose.evidence.dns.names.failed_names import dotted_names, searched_names
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.mappings import first_of


class NameHolder(msgspec.Struct, frozen=True):
    """A running container, and a network of its own on which the engine gives out its name."""

    owner: Container
    network: str


class WildcardName(msgspec.Struct, frozen=True):
    """A name that a container calls, that no near container has, and a wildcard's address."""

    name: str
    where: str
    domain: str
    addresses: tuple[str, ...]
    stopped: Container | None = None
    """A container that has the name and does not run."""
    elsewhere: NameHolder | None = None
    """A running container that has the name."""
    beside: Container | None = None
    """A running container that has the name on a network of the caller's: the domain is tried
    before the name itself."""

    is_dotted: bool = False
    """Whether it is the name of a machine elsewhere, with fewer dots than `ndots` asks for."""

    def is_in(self, line: str) -> bool:
        """Whether a line has an address to which the name leads."""
        return any(address in line for address in self.addresses)


def stops_search(reply: DnsReply) -> bool:
    """Whether musl takes the answer for the last word: neither an address nor NXDOMAIN."""
    is_empty = reply.rcode == "NOERROR" and not reply.answers and not reply.truncated
    return reply.answered and (is_empty or reply.rcode == "SERVFAIL")


def wildcard_names(
    container: Container,
    containers: Containers,
    names_by_network: Mapping[str, set[str]],
    resolvers: Resolvers,
    wild: dict[str, tuple[str, ...]],
) -> Iterator[WildcardName]:
    """The names that a container calls, and that the wildcard of a search domain answers: because
    nobody else has a short name, before the engine is asked, or before the name itself.

    names_by_network: the names on each network. wild: the addresses that a domain gives to any
    name.
    """
    conf = resolvers.inside.get(container.id)
    searched = [domain.rstrip(".") for domain in conf.search] if conf is not None else []
    domain = first_of((domain for domain in searched if domain in wild), "")
    if not domain:
        return
    for name, source in searched_names(container, names_by_network, conf).items():
        called = WildcardName(name, source, domain, wild[domain])
        yield _with_owner(called, container, containers.by_dns_name.get(name, ()))
    for name, source in dotted_names(container, conf).items():
        yield WildcardName(name, source, domain, wild[domain], is_dotted=True)


def _with_owner(
    called: WildcardName, caller: Container, owners: Sequence[Container]
) -> WildcardName:
    """The name with the container that is meant: one beside the caller, or else one that is stopped
    or on another network."""
    running = [owner for owner in owners if owner.is_running and owner.id != caller.id]
    beside = first_of((owner for owner in running if caller.shared_networks(owner)), None)
    if beside is not None:
        return replace(called, beside=beside)
    stopped = first_of((owner for owner in owners if not owner.is_running), None)
    return replace(called, stopped=stopped, elsewhere=_first_holder(running))


def _first_holder(owners: Iterable[Container]) -> NameHolder | None:
    """The first owner with a network to which others can be connected; None where none has one.

    Nobody can be connected to the network of the host, or of another container.
    """
    for owner in owners:
        networks = () if owner.shares_network else owner.endpoints.keys() - {DEFAULT_NETWORK}
        if networks:
            return NameHolder(owner, min(networks))
    return None
