"""Packets that leave the host with an unanswerable source address. Pure."""

from collections.abc import Iterable, Iterator

from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.paths.outgoing.outbound_paths import OutboundPath
from diagnose.evidence.network.paths.outgoing.resolver_paths import ResolverPath, ResolverPaths
from diagnose.mappings import by_key


def unanswerable(
    ways: Iterable[OutboundPath], interfaces: Interfaces | None
) -> dict[tuple[str, str], list[OutboundPath]]:
    """The ways out with an unanswerable source address, by network and IP version."""
    return by_key(
        ((way.network.name, way.family), way)
        for way in ways
        if _leaves_untranslated(way) or _is_foreign(way, interfaces)
    )


def _leaves_untranslated(way: OutboundPath) -> bool:
    """Whether packets leave with an address that nobody can answer. Over IPv6, global addresses may
    be routed to this host.

    Only local ones (fc00::/7) certainly get no answer.
    """
    is_local = way.family == "ip" or way.address.lower().startswith(("fc", "fd"))
    # where the host's route leads back to the bridge, network.interface-taken says so
    leaves = way.uplink.name != way.network.bridge
    return is_local and leaves and way.is_untranslated


def _is_foreign(way: OutboundPath, interfaces: Interfaces | None) -> bool:
    """Whether the source address after SNAT is in the uplink's subnet and not this host's.

    Neighbours cannot resolve such an address by ARP. An address of another subnet may be routed
    here.
    """
    source = way.snat_address
    if not source or interfaces is None:
        return False
    return interfaces.is_on_link(source, way.uplink.name) and not interfaces.holds(source)


def unanswerable_queries(
    resolver_paths: ResolverPaths | None, lookups: Lookups | None
) -> Iterator[ResolverPath]:
    """The untranslated queries to silent servers, one for each network and server.

    They leave with a container's own address.
    """
    if resolver_paths is None or lookups is None:
        return
    silent = {
        (name, path.server)
        for path in lookups.ways
        if path.fails and path.replies
        for name in path.networks
    }
    seen = set()
    for path in resolver_paths.untranslated:
        key = (path.network.name, path.server)
        if key in silent and key not in seen and ":" not in path.server:
            seen.add(key)
            yield path
