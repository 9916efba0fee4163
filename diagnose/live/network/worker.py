"""The functions of the network process: all of netlink, and all that needs another network
namespace."""

import contextlib
from collections.abc import Mapping

from diagnose.live.helper import Function
from diagnose.live.network import library
from diagnose.model import Json


def functions() -> Mapping[str, Function]:
    """The functions by the kind of question that they answer."""
    library.load()  # before any import of pyroute2
    from diagnose.live.network import (
        conntrack,
        ipset,
        namespaces,
        nftables,
        routing,
        sockets,
        waiting_clients,
    )

    # what pyroute2 compiles on its first messages is then shared by all workers
    with contextlib.suppress(OSError):
        namespaces.look(nft=False)
    return {
        "net.links": routing.links,
        "net.addresses": routing.addresses,
        "net.routes": routing.routes,
        "net.rules": routing.rules,
        "net.ways": routing.route_lookups,
        "net.neighbours": routing.neighbours,
        "net.proxied": routing.proxied_addresses,
        "net.queues": _queues,
        "listeners": sockets.listeners,
        "conntrack": conntrack.entries,
        "ipset": ipset.members,
        "nftables": nftables.rule_set,
        "nftables.counters": nftables.counters,
        "netns": namespaces.visit,
        "netns.filter": namespaces.packet_filter,
        "netns.named": namespaces.named,
        "netns.waiting-clients": waiting_clients.waiting_clients,
        "dns.query": namespaces.make_socket,
        "dns.sized": namespaces.make_socket,
        "dns.unchecked": namespaces.make_socket,
        "dns.sample": namespaces.make_socket,
        "net.probe": namespaces.make_socket,
        "net.page": namespaces.make_socket,
    }


def _queues(args: Json) -> Json:
    """Imported where it is called: its decoders are needed on few hosts, and take long."""
    from diagnose.live.network import queues

    return queues.counters(args)
