"""Questions to DNS servers."""

import msgspec

from diagnose.questions.question import Policy, Question


class DnsReply(msgspec.Struct, frozen=True):
    """The reply to a DNS query, or why there is none.

    Any reply proves that the server is reachable, no more.
    """

    answered: bool = False
    """Any reply is an answer, also SERVFAIL and REFUSED."""
    rcode: str | None = None
    """The name of the response code; None for a reply that is not a DNS message."""
    answers: list[str] = []
    ms: float | None = None
    """Milliseconds from the query that was answered to its reply."""
    sent: int = 0
    """How many queries were sent."""
    icmp: str | None = None
    """refused, unreachable (no route too), prohibited (a local firewall rejects or drops it), too
    large, or None."""
    truncated: bool = False

    def __post_init__(self) -> None:
        if self.answered and self.ms is None:
            raise ValueError("an answer without its time")

    @property
    def denies(self) -> bool:
        """Whether a library takes it as final that the name has no address.

        It asks no further server then. A reply that was cut short is asked for again over TCP.
        """
        is_empty = self.rcode == "NOERROR" and not self.answers and not self.truncated
        return self.rcode == "NXDOMAIN" or is_empty

    @property
    def knows(self) -> bool:
        return self.rcode == "NOERROR" and bool(self.answers)

    def __str__(self) -> str:
        if self.answered:
            return (
                f"answered {self.rcode or 'something that is not a DNS message'} "
                f"in {self.ms or 0:.0f} ms"
            )
        if self.icmp:
            return {
                "refused": "refused, nothing listens there",
                "unreachable": "unreachable, no route leads there or a router refused",
                "prohibited": "stopped by the sender's own packet filter or routes",
            }.get(self.icmp, self.icmp)
        return f"silent after {self.sent} queries"


class QueryDns(Question[DnsReply], frozen=True, omit_defaults=False):
    """One DNS query to one server, from the network namespace of a process, or (None) from ours."""

    POLICY = Policy(
        "dns.query",
        what="the answer of a DNS server",
        collector="network.dns:query",
        lane="probe",
        scope="network",
        deadline=3.5,
        priority=1,
    )
    server: str
    name: str
    type: str
    port: int = 53
    transport: str = "udp"
    pid: int | None = None
    start: float | None = None

    def about(self) -> str:
        return f"the answer of DNS server {self.server}"


class QueryUncheckedDns(Question[DnsReply], frozen=True):
    """The query for a name's IPv4 addresses, for which a server shall check no signature.

    Its bit CD is set (RFC 4035): a resolver that validates gives what it has. From the network
    namespace of a process.
    """

    POLICY = Policy(
        "dns.unchecked",
        what="the answer of a DNS server that checks no signature",
        collector="network.dns:unchecked",
        lane="probe",
        scope="network",
        deadline=3.5,
        priority=4,
    )
    server: str
    name: str
    pid: int


class QuerySizedDns(Question[DnsReply], frozen=True):
    """A DNS query for the root's name servers in a packet of a given size.

    From the network namespace of a process.
    """

    POLICY = Policy(
        "dns.sized",
        what="the answer to a large DNS query",
        collector="network.dns:sized",
        lane="probe",
        scope="network",
        deadline=3.5,
        priority=4,
    )
    server: str
    pid: int
    packet_bytes: int


class DnsSample(msgspec.Struct, frozen=True):
    """How many of several queries to one server were answered."""

    sent: int = 0
    answered: int = 0
    rcode: str | None = None
    """The response code of the first reply."""
    ms: float | None = None
    """How long the slowest reply took."""
    icmp: str | None = None
    """As in a reply."""

    @property
    def lost(self) -> int:
        return self.sent - self.answered

    @property
    def lost_pct(self) -> float:
        """Percent of the queries that were lost."""
        return 100 * self.lost / self.sent if self.sent else 0.0

    @property
    def loses_some(self) -> bool:
        """Whether some queries were answered and some were not."""
        return 0 < self.answered < self.sent

    def __str__(self) -> str:
        if self.icmp:
            return f"{self.icmp} after {self.sent} queries"
        return f"{self.answered} of {self.sent} queries answered"


class SampleDns(Question[DnsSample], frozen=True, omit_defaults=False):
    """Several DNS queries to one server, for the root's name servers.

    From the network namespace of a process or (None) from this one.
    """

    POLICY = Policy(
        "dns.sample",
        what="how many queries a DNS server answers",
        collector="network.dns_loss:sample",
        lane="probe",
        scope="network",
        deadline=3.5,
        priority=2,
    )
    server: str
    pid: int | None = None

    def about(self) -> str:
        return f"how many queries DNS server {self.server} answers"
