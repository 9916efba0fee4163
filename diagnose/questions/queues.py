"""Questions about the queues of interfaces: what they may send, and what they lost."""

from collections.abc import Sequence

import msgspec

from diagnose.questions.question import Policy, Question


class QueueCounters(msgspec.Struct, frozen=True):
    """The limits and counters of one queue of an interface, or of one class in it.

    The counters begin when the queue is set up.
    """

    index: int
    """The index of the interface."""
    kind: str = ""
    """tbf, htb, cake or netem."""
    handle: str = ""
    """As `tc` writes it: 1:10 for a class."""
    rate: int | None = None
    """Bytes a second that it lets pass; None where it has no limit of that kind."""
    loss: float = 0.0
    """The share of the packets that it loses on purpose."""
    delay_ms: float = 0.0
    """By how much it delays each on purpose."""
    sent: int = 0
    """Packets."""
    dropped: int = 0
    """Packets."""
    backlog: int = 0
    """Bytes that wait to be sent."""


class WatchQueues(Question[list[list[QueueCounters]]], frozen=True):
    """The queues that limit what interfaces send, read twice with a second between."""

    POLICY = Policy(
        "net.queues",
        what="the queues of interfaces",
        collector="network.process:watch_queues",
        lane="probe",
        scope="network",
        deadline=4,
        priority=4,
    )
    indices: Sequence[int]
    """Those of the interfaces."""
    pid: int | None = None
    """A process in whose network namespace they are; None for the tool's own one."""
