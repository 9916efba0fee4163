"""Web pages that programs on the host's network say they serve, where a rule closes their port."""

import msgspec

from diagnose.evidence.network.rules.host_ports import ClosedHostPorts
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.container_logs import ReadLogs
from diagnose.registry import evidence

MOST = 10
"""Containers whose log is read."""
LINES = 200
BYTES = 65536
_PAGE = LazyPattern(r"\bhttps?://[\w.*\[\]:-]{0,80}?:(\d{2,5})(?!\d)")
"""An address with a port, as servers print theirs at their start."""


class AnnouncedPorts(msgspec.Struct, frozen=True):
    """The ports of addresses in the logs of programs whose port is closed, by container id."""

    by_id: dict[str, frozenset[int]]

    def of(self, id: str) -> frozenset[int]:
        return self.by_id.get(id, frozenset())


@evidence
def announced_ports(host: Host, closed_host_ports: ClosedHostPorts) -> AnnouncedPorts:
    """The ports that logs announce, of containers whose port a rule closes.

    One log each, only where no setting asks for the port to be reached. An unreadable log announces
    nothing.
    """
    ids = {closed.port.container.id for closed in closed_host_ports if not closed.port.wanted}
    read = host.first(sorted(ids), MOST, "containers whose port a rule closes")
    logs = host.ask_about(read, lambda id: ReadLogs(id, LINES, BYTES))
    return AnnouncedPorts({id: _ports(log.text) for id, log in logs if not isinstance(log, Failed)})


def _ports(text: str) -> frozenset[int]:
    return frozenset(int(match[1]) for match in _PAGE.finditer(text))
