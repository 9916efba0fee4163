"""DNS servers that answer with an error, and the names that they were asked for."""

from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.forwarding_circles import ForwardingCircle
from diagnose.evidence.dns.lookups import DnsReply
from diagnose.evidence.dns.names.unresolved_names import ERRORS, ServerError, UnresolvedName


def failures_by_error(
    failures: Iterable[UnresolvedName],
) -> dict[ServerError, list[UnresolvedName]]:
    """The names that a server answers with an error, and no other server knows or denies."""
    by_error: dict[ServerError, list[UnresolvedName]] = {}
    for failure in failures:
        error = failure.first_error
        if error is not None and not failure.is_known and not failure.is_denied:
            by_error.setdefault(error, []).append(failure)
    return by_error


class FailingServer(msgspec.Struct, frozen=True):
    """An error of one server, and the names with this error."""

    server: str
    rcode: str
    failures: list[UnresolvedName]
    of_root: DnsReply | None
    """The reply to the host's question about the root."""
    program: str
    """The program of this host that listens at its address; empty where it is another machine."""
    holder: Container | None = None
    """The container that is the server."""
    circle: ForwardingCircle | None = None
    """The circle of servers that ask the container and are asked by it."""
    is_validated: bool = False
    """Whether it knows the name where it shall check no signature."""

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(failure.name.name for failure in self.failures))

    @property
    def callers(self) -> list[Container]:
        by_id = {failure.container.id: failure.container for failure in self.failures}
        return list(by_id.values())

    @property
    def is_general(self) -> bool:
        """Whether the server returns this error for other questions too."""
        return self.of_root is not None and self.of_root.rcode in ERRORS
