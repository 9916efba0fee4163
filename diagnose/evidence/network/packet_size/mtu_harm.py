"""Signs that packets which are too large for the uplink really get lost."""

import re

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.packet_size.packet_sizes import OversizedNetwork, PacketSizes
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.container_logs import ReadLogs
from diagnose.questions.dns import DnsReply, QuerySizedDns
from diagnose.questions.sockets import ListTcpStalls
from diagnose.registry import evidence

_MOST = 10
"""Containers of one network whose log and sockets are read."""
_LINES = 12
_BYTES = 16 * 1024
_HEADERS = 100
"""Bytes of the IP and TCP headers of a packet, rounded up."""
_RETRANSMISSIONS = 2
"""A packet that was sent three times without an acknowledgement; a single loss is ordinary."""

_STALLED_READ = LazyPattern(
    r"handshake.{0,40}(?:time[d-]? ?out)|(?:time[d-]? ?out).{0,40}handshake"
    r"|read.{0,20}time[d-]? ?out|time[d-]? ?out.{0,20}read(?:ing)?\b|download timed out"
    r"|timed out after \d+ milliseconds with \d+|SSL connection timeout|reading (?:response )?body",
    re.IGNORECASE,
)
"""Errors of programs whose connection was established and that miss large answers: Go, curl, wget,
OpenSSL, Python, Java."""


class Harm(msgspec.Struct, frozen=True):
    """A sign of loss, and the container that shows it."""

    container: Container
    sign: str


class MtuHarm(msgspec.Struct, frozen=True):
    """Signs that large packets get lost."""

    by_network: dict[str, tuple[Harm, ...]]
    """Signs of loss by the network's name."""
    probes: dict[str, str] = {}
    """The outcome of a DNS query of full size, by the network's name."""

    def __len__(self) -> int:
        return len(self.by_network)

    def of(self, oversized: OversizedNetwork) -> tuple[Harm, ...]:
        return self.by_network.get(oversized.network.name, ())


class _SizedQuery(msgspec.Struct, frozen=True):
    """A DNS query that fills a packet of the container's size, beside one that fits the uplink."""

    container: Container
    server: str
    size: int
    """Bytes of the large one."""
    large: DnsReply
    small: DnsReply

    @property
    def is_lost(self) -> bool:
        """Whether silence meets the large one alone."""
        return self.small.answered and not self.large.answered and not self.large.icmp

    @property
    def outcome(self) -> str:
        """The meaning of both queries for large packets, in words."""
        query = f"a DNS query of {self.size} bytes to {self.server}"
        if self.large.answered:
            return f"{query} is answered"
        if self.large.icmp == "too large":
            return f"{query} is refused as too large, so path discovery works"
        if self.is_lost:
            return f"lost: {query} gets no answer and no ICMP error; one that fits is answered"
        return "undecided"


@evidence
def mtu_harm(host: Host, sizes: PacketSizes, resolvers: Resolvers | None) -> MtuHarm:
    """The signs that large packets get lost, on networks whose packets are too large.

    Sockets and logs of their containers, and one query of full size. The collector asks nothing
    where all packets fit.
    """
    harms_of: dict[str, tuple[Harm, ...]] = {}
    probes: dict[str, str] = {}
    for oversized in sizes:
        members = oversized.members[:_MOST]
        harm = [*_stalls(host, members, sizes.limit), *_read_timeouts(host, members)]
        probe = _probe(host, oversized, sizes.limit, resolvers)
        if probe is not None:
            probes[oversized.network.name] = probe.outcome
            if probe.is_lost:
                harm.append(Harm(probe.container, probe.outcome))
        if harm:
            harms_of[oversized.network.name] = tuple(harm)
    return MtuHarm(harms_of, probes)


def _stalls(host: Host, members: tuple[Container, ...], limit: int) -> list[Harm]:
    """Connections that send again and again more than one packet of the right size holds."""
    harm = []
    answers = host.ask_about(members, lambda member: ListTcpStalls(member.state.pid))
    for member, stalls in answers:
        counted = () if isinstance(stalls, Failed) else stalls
        for stall in counted:
            is_large = stall.unacknowledged > limit - _HEADERS
            if is_large and stall.retransmissions >= _RETRANSMISSIONS:
                sign = (
                    f"{stall.unacknowledged} bytes to {stall.peer} unacknowledged "
                    f"after {stall.retransmissions} repetitions"
                )
                harm.append(Harm(member, sign))
    return harm


def _read_timeouts(host: Host, members: tuple[Container, ...]) -> list[Harm]:
    """Last lines of logs that mention an answer which did not arrive."""
    harm = []
    answers = host.ask_about(members, lambda member: ReadLogs(member.id, tail=_LINES, bytes=_BYTES))
    for member, log in answers:
        lines = [] if isinstance(log, Failed) else log.text.splitlines()
        line = next((line for line in reversed(lines) if _STALLED_READ.search(line)), "")
        if line:
            harm.append(Harm(member, f"log: {line.partition(' ')[2][:200]}"))
    return harm


def _probe(
    host: Host, oversized: OversizedNetwork, limit: int, resolvers: Resolvers | None
) -> _SizedQuery | None:
    """The outcome of a DNS query that fills a packet of the container's size.

    None where no server can be asked. A query that fits the uplink is sent too. Only where that one
    is answered and the larger one is met by silence is it lost: an ICMP error that says "too large"
    is how path discovery works.
    """
    affected = oversized.members if resolvers is not None else ()
    for container in affected:
        servers = () if resolvers is None else resolvers.upstreams(container)
        outer = [
            up.server
            for up in servers
            if not up.by_host and not is_loopback(up.server) and "." in up.server
        ]
        if not outer:
            continue
        pid = container.state.pid
        sizes = (limit - oversized.overhead, oversized.size)
        questions = [QuerySizedDns(outer[0], pid, size) for size in sizes]
        answers = dict(host.ask_many(questions))
        small, large = (answers[question] for question in questions)
        if isinstance(small, Failed) or isinstance(large, Failed):
            return None
        return _SizedQuery(container, outer[0], oversized.size, large, small)
    return None
