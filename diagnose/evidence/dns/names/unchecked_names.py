"""Names that a DNS server knows, and refuses for their signatures (DNSSEC)."""

import msgspec

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.dns.names.unresolved_names import (
    ServerError,
    UnresolvedName,
    unresolved_names,
)
from diagnose.evidence.dns.resolvers import EMBEDDED
from diagnose.mappings import paired
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.dns import QueryUncheckedDns
from diagnose.registry import evidence

_MOST = 4
"""Names that are asked for."""
_RCODE = "SERVFAIL"


class UncheckedNames(msgspec.Struct, frozen=True):
    """The servers that know a name where they shall check no signature."""

    errors: frozenset[ServerError] = frozenset()

    def holds(self, error: ServerError) -> bool:
        return error in self.errors


class _ServerFailure(msgspec.Struct, frozen=True):
    """A name that a container cannot resolve, and the server that fails at it."""

    failure: UnresolvedName
    error: ServerError

    def query(self) -> QueryUncheckedDns:
        """The same once more, without a check of signatures."""
        pid = self.failure.container.state.pid
        return QueryUncheckedDns(self.error.server, self.failure.name.name, pid)


@evidence
def unchecked_names(
    host: Host, containers: Containers, failed_names: FailedNames, lookups: Lookups
) -> UncheckedNames:
    """The failed names that resolve without DNSSEC validation.

    Only a server that answers SERVFAIL is asked once more, with the bit CD.
    """
    unresolved = unresolved_names(containers, failed_names, lookups)
    unknown = (failure for failure in unresolved if not failure.is_known)
    failing = [
        _ServerFailure(failure, error)
        for failure, error in paired(unknown, lambda failure: failure.first_error)
        if error.rcode == _RCODE and error.server != EMBEDDED
    ]
    answered = {
        query.error
        for query, reply in host.ask_about(
            host.first(failing, _MOST, "names with SERVFAIL"), _ServerFailure.query
        )
        if not isinstance(reply, Failed) and reply.knows
    }
    return UncheckedNames(frozenset(answered))
