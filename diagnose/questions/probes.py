"""Probes: one packet or connection, and how far it got."""

from typing import Literal

import msgspec

from diagnose.questions.question import Policy, Question

ProbeOutcome = Literal[
    "accepted", "closed", "answered", "refused", "unreachable", "prohibited", "silent"
]


class ProbeReply(msgspec.Struct, frozen=True):
    """The outcome of one probe.

    accepted: the connection stands. closed: it was accepted, and ended at once. answered: a
    datagram came back. refused: a reset, or ICMP port unreachable. unreachable: another ICMP error,
    or no route. prohibited: a rule of the sender's own namespace.
    """

    outcome: ProbeOutcome
    ms: float = 0.0
    """Milliseconds until the outcome."""


class ProbeServer(Question[ProbeReply], frozen=True, omit_defaults=False):
    """One TCP connect, or one UDP datagram, to an address.

    It leaves the network namespace of a process, or (None) this one.
    """

    POLICY = Policy(
        "net.probe",
        what="the answer to a packet",
        collector="network.probe:probe",
        lane="probe",
        scope="network",
        deadline=3.5,
        priority=1,
    )
    server: str
    port: int
    transport: Literal["tcp", "udp"] = "tcp"
    pid: int | None = None
    is_near: bool = False
    """Whether the address is that of a container here: such a connect needs no `path --probe`."""

    def about(self) -> str:
        return f"the answer of {self.server} port {self.port}"
