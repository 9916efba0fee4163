"""A real packet beside the walk: where it is sent, and what its fate says.

The packet is ours: it leaves the namespace of the container, but not its cgroup and not its user. A
rule on these does not see it.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.network.addresses import family_of, is_address, with_port
from diagnose.evidence.network.sockets.docker_proxies import DOCKER_PROXY
from diagnose.model import Failed
from diagnose.path.ends import DEFAULT_PORT, HOST, INTERNET, UnknownEndError, share_namespace
from diagnose.path.model import Path, PathEvidence, SentPacket
from diagnose.questions import Host
from diagnose.questions.dns import QueryDns
from diagnose.questions.probes import ProbeOutcome, ProbeReply, ProbeServer

KINDS = (Resolvers,)
"""The evidence that a packet needs beside what the walk needs."""

_FATES: Mapping[ProbeOutcome, str] = {
    "accepted": "the connection is accepted after {ms:g} ms",
    "closed": "the connection is accepted, and closed at once",
    "answered": "an answer comes after {ms:g} ms",
    "refused": "refused: nothing listens there, or a rule rejects the packet",
    "unreachable": "an error comes back: no host or no network there",
    "prohibited": "a rule of the sender's own namespace forbids it",
    "silent": "no answer within {s:.1f} s",
}
"""What became of the packet in words, by the outcome of the probe."""
_DNS_OUTCOMES: Mapping[str, ProbeOutcome] = {
    "refused": "refused",
    "unreachable": "unreachable",
    "prohibited": "prohibited",
}
"""What an ICMP error in the place of a DNS answer is called here."""
_ARRIVED = ("accepted", "closed", "answered")


class _Destination(msgspec.Struct, frozen=True):
    """The destination of the packet."""

    port: int
    address: str = ""
    lookup: str = ""
    """The name that a resolver has to turn into the address first, as the program would."""


class _NotSentError(Exception):
    """There is no packet to send; why."""


class _UnresolvedError(Exception):
    """The name leads to no address; what the resolver said."""


def require_sendable(begin: str, end: str) -> None:
    """UnknownEndError for ends between which no packet can be sent from here."""
    if begin == INTERNET:
        raise UnknownEndError(
            "--probe sends from a container or from `host`: "
            "what comes from beyond the host has to be sent there"
        )
    if end == INTERNET:
        raise UnknownEndError(
            "--probe sends a packet to an address or a name: put one in the place of `internet`"
        )


def send(host: Host, site: PathEvidence, resolvers: Resolvers | None, path: Path) -> SentPacket:
    """Send one packet from the first end to the other, and say what became of it."""
    if path.begin.kind == "outside":
        return SentPacket(f"is not sent: {path.begin} is not on this host")
    sender = path.begin.container
    if sender is not None and not sender.is_running:
        return SentPacket(f"is not sent: {path.begin} is not running")
    try:
        goal = _destination(site, path)
        address = goal.address or _resolve(host, site, resolvers, sender, goal.lookup)
    except _NotSentError as why:
        return SentPacket(f"is not sent: {why}")
    except _UnresolvedError as why:
        return SentPacket(f"is not sent: {why}", "broken")
    proto = path.target.proto
    goal_clause = f"to {with_port(address, goal.port)}/{proto}"
    if path.target.record:
        query = QueryDns(address, ".", path.target.record, goal.port, pid=_pid(sender))
        return _asked_server(host, goal_clause, query)
    reply = host.ask(ProbeServer(address, goal.port, proto, _pid(sender)))
    if isinstance(reply, Failed):
        return SentPacket(f"{goal_clause} is not sent: {reply}", None, address, goal.port)
    is_proxied = path.end.kind == HOST and _has_proxy(site, proto, address, goal.port)
    fate = _FATES[reply.outcome].format(ms=reply.ms, s=reply.ms / 1000)
    verdict = _verdict(path, reply, is_proxied=is_proxied)
    text = f"{goal_clause}: {fate}{_remark_on_fate(path, reply, verdict, is_proxied=is_proxied)}"
    return SentPacket(text, verdict, address, goal.port, reply)


def _asked_server(host: Host, where: str, query: QueryDns) -> SentPacket:
    """The reply of a DNS server. Each one answers a query for the root, if only with REFUSED."""
    reply = host.ask(query)
    if isinstance(reply, Failed):
        return SentPacket(f"{where} is not sent: {reply}", None, query.server, query.port)
    outcome = _DNS_OUTCOMES.get(reply.icmp or "", "silent")
    probed = ProbeReply("answered" if reply.answered else outcome, reply.ms or 0.0)
    verdict: Literal["ok", "broken"] = "ok" if reply.answered else "broken"
    return SentPacket(f"{where}: {reply}", verdict, query.server, query.port, probed)


def _verdict(path: Path, reply: ProbeReply, *, is_proxied: bool) -> Literal["ok", "broken"] | None:
    """The verdict that the packet's fate gives. None where it decides nothing.

    A proxy accepts a connection before it has one to the program: only where the walk arrives, or
    the proxy closes it again, is that known.
    """
    if path.target.proto == "udp" and reply.outcome == "silent":
        return None
    if reply.outcome not in _ARRIVED:
        return "broken"
    if not is_proxied:
        return "ok"
    if reply.outcome == "closed":
        return "broken"
    return "ok" if path.walk == "ok" else None


def _remark_on_fate(path: Path, reply: ProbeReply, verdict: str | None, *, is_proxied: bool) -> str:
    """The remark that keeps a reader from taking too much from the packet's fate."""
    if path.target.proto == "udp" and reply.outcome == "silent":
        return "; many UDP services are silent to what they do not understand"
    if is_proxied and reply.outcome == "closed":
        return " by docker-proxy: the container does not take it"
    if is_proxied and verdict is None:
        return ", but docker-proxy accepts before it knows whether the container does"
    if verdict == "broken" and path.walk == "ok" and path.end.kind == "outside":
        return "; nothing on this host stops it: look at the other end and at what lies between"
    if verdict == "broken" and path.walk == "ok":
        return (
            "; the walk does not see what stops it: "
            "a packet filter inside the container, eBPF, or a change since"
        )
    return ""


def _destination(site: PathEvidence, path: Path) -> _Destination:
    """The address and port to which a real packet is sent for this path."""
    begin = path.begin.container
    end = path.end.container
    port = path.target.port_of(end)
    if path.end.kind == "outside":
        port = path.target.port or DEFAULT_PORT
        if path.end.address is not None:
            return _Destination(port, path.end.address)
        return _Destination(port, lookup=path.end.called)
    if share_namespace(begin, end):
        return _Destination(port, "127.0.0.1")
    if end is not None and not end.shares_host_network:
        return _to_container(site, path, end, port)
    return _Destination(port, path.end.address or _host_address(site, begin))


def _to_container(site: PathEvidence, path: Path, end: Container, port: int) -> _Destination:
    """The destination of a packet to the other end.

    Its address on a network that both are on, otherwise on any of its networks. Where the engine's
    resolver knows its name, the name is looked up instead.
    """
    if not end.is_running:
        raise _NotSentError(f"{path.end} is not running")
    if path.end.address is not None:
        return _Destination(port, path.end.address)
    begin = path.begin.container
    theirs = site.containers.owner_of(end).endpoints
    ours = site.containers.owner_of(begin).endpoints if begin is not None else {}
    shared = [name for name in sorted(theirs) if name in ours]
    for name in shared or sorted(theirs):
        endpoint = theirs[name]
        if not endpoint.ip_address:
            continue
        names = (*end.dns_names, *(endpoint.dns_names or ()))
        has_name = bool(shared) and name != "bridge" and path.end.called in names
        if has_name:
            return _Destination(port, lookup=path.end.called)
        return _Destination(port, endpoint.ip_address)
    raise _NotSentError(f"{path.end} has no IPv4 address")


def _host_address(site: PathEvidence, begin: Container | None) -> str:
    """The host as a container calls it: the gateway of its network."""
    if begin is None or begin.shares_host_network:
        return "127.0.0.1"
    stack = site.host_stack.stack if site.host_stack is not None else None
    by_name = site.networks.by_name if site.networks is not None else {}
    for name, endpoint in sorted(site.containers.owner_of(begin).endpoints.items()):
        if endpoint.gateway:
            return endpoint.gateway
        if stack is not None and name in by_name:
            address = stack.address_on(by_name[name].bridge, "ip")
            if address:
                return address
    raise _NotSentError(f"{begin} has no gateway: name an address of the host")


def _resolve(
    host: Host, site: PathEvidence, resolvers: Resolvers | None, sender: Container | None, name: str
) -> str:
    """The first IPv4 address of a name, by the sender's first resolver."""
    conf = _resolv_conf(site, resolvers, sender)
    if conf is None or not conf.nameservers:
        raise _NotSentError(f'the resolver of "{name}" is not known: name the address')
    server = conf.nameservers[0]
    reply = host.ask(QueryDns(server, name, "A", pid=_pid(sender)))
    if isinstance(reply, Failed):
        raise _NotSentError(f'resolver {server} is not asked for "{name}": {reply}')
    if not reply.answered:
        raise _UnresolvedError(f'resolver {server} does not answer for "{name}"')
    for answer in reply.answers:
        if is_address(answer) and family_of(answer) == "ip":
            return answer
    raise _UnresolvedError(f'resolver {server} has no address for "{name}": {reply.rcode}')


def _resolv_conf(
    site: PathEvidence, resolvers: Resolvers | None, sender: Container | None
) -> ResolvConf | None:
    if resolvers is None:
        return None
    if sender is not None and not sender.shares_host_network:
        inside = resolvers.inside
        return inside.get(sender.id) or inside.get(site.containers.owner_of(sender).id)
    return resolvers.host if isinstance(resolvers.host, ResolvConf) else None


def _has_proxy(site: PathEvidence, proto: str, address: str, port: int) -> bool:
    """Whether the engine's proxy listens there: it accepts what no rule has translated before."""
    listeners = site.listeners.on(proto, address, port) if site.listeners is not None else ()
    return any(listener.comm == DOCKER_PROXY for listener in listeners)


def _pid(sender: Container | None) -> int | None:
    """The process whose namespace the packet leaves; None for the host's."""
    if sender is None or sender.shares_host_network:
        return None
    return sender.state.pid
