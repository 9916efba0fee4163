"""The nouns of a path: what is known of the host, hops, and the path that they make."""

from collections.abc import Mapping
from typing import Literal, TypeVar

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.host_stack import HostStack
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import Networks
from diagnose.evidence.network.sockets.listeners import Listeners
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.model import Subject, Unavailable
from diagnose.path.ends import End, PathTarget
from diagnose.questions.probes import ProbeReply

KINDS = (Containers, Networks, HostStack, Interfaces, Uplinks, Namespaces, Listeners)
"""The evidence that a path is walked through, in the order of `PathEvidence`'s fields."""

State = Literal["ok", "broken", "unknown"]
HopKind = Literal[
    "process", "name", "network", "namespace", "bridge", "filter", "forwarding", "translation",
    "route", "uplink", "listener", "answer", "packet"
]  # fmt: skip
Kind = TypeVar("Kind")


class PathEvidence(msgspec.Struct, frozen=True):
    """The host that a path leads through; a part is None where it could not be had."""

    containers: Containers
    networks: Networks | None
    host_stack: HostStack | None
    interfaces: Interfaces | None
    uplinks: Uplinks | None
    namespaces: Namespaces | None
    listeners: Listeners | None
    reasons: Mapping[type, str] = {}
    """Why a part could not be had."""

    def because(self, part: type) -> str:
        """The end of a sentence about a part that could not be had; empty where nothing tells."""
        reason = self.reasons.get(part, "")
        return f": {reason}" if reason else ""


class Hop(msgspec.Struct, frozen=True):
    """One hop."""

    kind: HopKind
    place: str
    """The hop's place, in a word or two."""
    text: str
    state: State = "ok"
    about: tuple[Subject, ...] = ()
    """What it stands on, for the finding that explains it."""
    hint: str = ""
    """A command that mends or tells more, where the hop is broken and no finding is about it."""
    opening: str = ""
    """A command that lets the connection through, where a rule closes a port on purpose or not."""


class SentPacket(msgspec.Struct, frozen=True):
    """The fate of the packet that `--probe` sends."""

    text: str
    """All of it in words."""
    verdict: Literal["ok", "broken"] | None = None
    """Whether it came through ("ok") or not ("broken"); None where it decides nothing.

    Where walk and packet disagree, the packet counts. reply None: nothing was sent.
    """
    address: str = ""
    port: int = 0
    reply: ProbeReply | None = None

    @property
    def hop(self) -> Hop:
        return Hop("packet", "packet", self.text, self.verdict or "unknown")


class Path(msgspec.Struct, frozen=True):
    """All hops up to the first broken one."""

    begin: End
    target: PathTarget
    end: End
    hops: tuple[Hop, ...]
    packet: SentPacket | None = None
    """What `--probe` saw, None without it."""

    @property
    def walk(self) -> State:
        """The state that the hops add up to. unknown: some hop could not be judged, and none is
        broken."""
        states = {hop.state for hop in self.hops}
        if "broken" in states:
            return "broken"
        return "unknown" if "unknown" in states or not self.hops else "ok"

    @property
    def state(self) -> State:
        """The state by the packet; by the walk where no packet decides.

        Whoever asks for a packet wants more than a walk: an open walk whose packet decides nothing
        is not known to be open.
        """
        if self.packet is None:
            return self.walk
        if self.packet.verdict is not None:
            return self.packet.verdict
        return "unknown" if self.walk == "ok" else self.walk

    @property
    def agrees(self) -> bool | None:
        """Whether walk and packet say the same; None where one of them decides nothing."""
        if self.packet is None or self.packet.verdict is None or self.walk == "unknown":
            return None
        return self.packet.verdict == self.walk

    @property
    def decisive(self) -> Hop | None:
        """The hop that breaks the path, or the first that leaves it unknown."""
        if self.state == "ok":
            return None
        hops = (*self.hops, self.packet.hop) if self.packet is not None else self.hops
        return next((hop for hop in hops if hop.state == self.state), None)

    @property
    def subjects(self) -> frozenset[Subject]:
        """All that the hops stand on."""
        return frozenset(subject for hop in self.hops for subject in hop.about)


def site(evidence: Mapping[type, object]) -> PathEvidence | Unavailable:
    """The host from collected evidence; Unavailable without the containers."""
    containers = evidence.get(Containers)
    if not isinstance(containers, Containers):
        if isinstance(containers, Unavailable):
            return containers
        return Unavailable("missing", "the list of containers")

    def known(kind: type[Kind]) -> Kind | None:
        value = evidence.get(kind)
        return value if isinstance(value, kind) else None

    return PathEvidence(
        containers,
        networks=known(Networks),
        host_stack=known(HostStack),
        interfaces=known(Interfaces),
        uplinks=known(Uplinks),
        namespaces=known(Namespaces),
        listeners=known(Listeners),
        reasons={
            kind: str(part) for kind, part in evidence.items() if isinstance(part, Unavailable)
        },
    )
