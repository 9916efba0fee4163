"""The socket at the other end of a path."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.resolvers import EMBEDDED
from diagnose.evidence.network.addresses import with_port
from diagnose.model import HOST, Subject
from diagnose.path.walk import ANY, PathWalk


def listens(walk: PathWalk, end: Container | None, port: int, address: str) -> None:
    """The socket inside the container."""
    assert end is not None
    if end.shares_host_network:
        host_listens(walk, address, port)
        return
    place = f'namespace of "{end.name}"'
    netns = walk.netns(end)
    if netns is None:
        text = f"whether something listens on port {port} is not known"
        walk.add("listener", place, text, "unknown", end.subject)
        return
    sockets = netns.sockets(walk.wanted.proto, port)
    reached = [
        socket
        for socket in sockets
        if socket.address in ANY or address in ("", socket.address, "127.0.0.1")
    ]
    if reached:
        text = f"listens on {with_port(reached[0].address, port)}/{walk.wanted.proto}"
        walk.add("listener", place, text, "ok", end.subject)
    elif sockets:
        text = (
            f"listens on {with_port(sockets[0].address, port)} only: "
            "nobody outside the container reaches it"
        )
        walk.break_off("listener", place, text, end.subject)
    else:
        other_places = sorted(
            {
                socket.port
                for socket in netns.listeners
                if socket.protocol == walk.wanted.proto and socket.address != EMBEDDED
            }
        )
        ports = "it listens on no port"
        if other_places:
            ports = f"it listens on {', '.join(map(str, other_places[:6]))}"
        text = f"nothing listens on port {port}/{walk.wanted.proto}: {ports}"
        hint = f"docker logs --tail 20 {end.name}"
        walk.break_off("listener", place, text, end.subject, hint=hint)


def host_listens(walk: PathWalk, address: str, port: int, *about: Subject) -> None:
    """The socket of the host. about: who calls it."""
    listeners = walk.site.listeners
    if listeners is None:
        text = f"whether something listens on port {port} is not known"
        walk.add("listener", "host", text, "unknown")
        return
    holders = listeners.on(walk.wanted.proto, address, port)
    if holders:
        text = f"{holders[0].holder} listens on {with_port(holders[0].address, port)}"
        walk.add("listener", "host", text)
        return
    text = f"nothing on the host listens on {with_port(address, port)}/{walk.wanted.proto}"
    listeners_elsewhere = [
        listener
        for listener in listeners
        if listener.port == port and listener.proto.startswith(walk.wanted.proto)
    ]
    if listeners_elsewhere:
        text += (
            f" ({listeners_elsewhere[0].holder} listens on {listeners_elsewhere[0].address} only)"
        )
    hint = f"ss -lntup 'sport = :{port}'"
    walk.break_off("listener", "host", text, HOST, *about, hint=hint)
