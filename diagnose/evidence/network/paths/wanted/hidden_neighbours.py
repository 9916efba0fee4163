"""Neighbours on one network whose calls a rule hides behind the address of its gateway. Pure."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.network.calls.client_refusals import REFUSES
from diagnose.evidence.network.networks import Network
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.paths.wanted.wanted_paths import WantedPath
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import EvidenceGroup

_NO_ENTRY = LazyPattern(r"no pg_hba\.conf entry|not authorized|unauthorized", re.IGNORECASE)


class RefusalLogs(EvidenceGroup, frozen=True):
    """Log lines of containers: of late, and from before they failed."""

    recent_logs: RecentLogs | None
    log_tails: LogTails | None

    def refusal_of(self, address: str, containers: Sequence[Container]) -> str:
        """The last line that refuses a client with this address; "" where there is none."""
        whole = re.compile(rf"(?<![\d.]){re.escape(address)}(?![\d.]*\d)")
        refusal = ""
        for text in self._lines(containers):
            is_refusal = REFUSES.search(text) is not None or _NO_ENTRY.search(text) is not None
            if is_refusal and whole.search(text) is not None:
                refusal = text
        return refusal

    def _lines(self, containers: Sequence[Container]) -> Iterator[str]:
        for container in containers:
            if self.log_tails is not None:
                yield from self.log_tails.of(container).lines
            if self.recent_logs is not None:
                yield from self.recent_logs.texts_of(container)


class HiddenNeighbour(msgspec.Struct, frozen=True):
    """A network, the rule that translates, and the container that is refused for it."""

    network: Network
    rule: Step
    gateway: str
    line: str
    containers: tuple[Container, ...]


def hidden_neighbour(paths: Sequence[WantedPath], logs: RefusalLogs) -> HiddenNeighbour | None:
    """The first path whose callee refuses the gateway's address, because a rule hides the caller
    behind it."""
    for path in paths:
        endpoint = path.want.container.endpoints.get(path.network.name)
        gateway = endpoint.gateway if endpoint is not None else ""
        rule = path.hiding_rule
        peer = path.peer
        if rule is None or peer is None:
            continue
        both = (path.want.container, peer)
        line = logs.refusal_of(gateway, both) if gateway else ""
        if line:
            return HiddenNeighbour(
                path.network, rule=rule, gateway=gateway, line=line, containers=both
            )
    return None
