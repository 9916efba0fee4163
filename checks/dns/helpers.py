"""The functions that the checks of DNS share."""

from collections.abc import Iterable, Sequence

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.lookups import DnsReply
from diagnose.evidence.dns.query_groups import QueryGroup
from diagnose.mappings import distinct, names_of
from diagnose.model import Severity, Subject
from diagnose.phrases import named

FAILED_CONTAINERS = (
    "container.exits-at-start",
    "container.restart-loop",
    "container.restarts-exhausted",
    "container.unhealthy",
)
"""Checks of containers that fail because their program cannot call by name."""


def container_names(containers: Sequence[Container], most: int = 3) -> str:
    """The clause that names these containers: containers "a", "b", "c" and 2 more."""
    return named("container", names_of(containers), most)


def touched_subjects(groups: Iterable[QueryGroup]) -> tuple[Subject, ...]:
    """The networks and containers of these groups, each once."""
    return distinct(subject for group in groups for subject in group.subjects)


def severity_beside_answers(lost: Iterable[DnsReply | None]) -> Severity:
    """The severity of a lost server while another answers.

    Silence costs five seconds a lookup, a refusal nothing.
    """
    is_silent = any(reply is not None and reply.icmp is None for reply in lost)
    return Severity.warning if is_silent else Severity.advice


_GENERAL = True
_OF_NAME = False
"""Whether a server gives the error for all names that it was asked for, or for one."""
_SCOPE = {
    ("REFUSED", _GENERAL): (
        "it refuses other questions of this host too, so it does not serve this host, "
        "or was asked too often"
    ),
    ("REFUSED", _OF_NAME): "it answers other questions",
    ("SERVFAIL", _GENERAL): "its own servers do not answer it, or it cannot reach them",
    ("SERVFAIL", _OF_NAME): (
        "it answers other questions: the servers of that name do not answer, "
        "or its signatures (DNSSEC) are wrong"
    ),
}
"""The meaning of a server's error, by its name and by the number of names that fail."""


_WITH_BAD_SIGNATURES = {
    _GENERAL: (
        "it knows the address, and refuses it for its signatures (DNSSEC), as for all names: the "
        "server that it asks leaves them out, or this host's clock is wrong"
    ),
    _OF_NAME: "it knows the address, and refuses it since the name's signatures (DNSSEC) are wrong",
}


def scope_of_error(rcode: str, *, is_general: bool, is_validated: bool) -> str:
    """The meaning of a DNS server's error.

    is_general: whether it gives the same error for other names too. is_validated: whether it gives
    the address if it is asked not to check signatures (the CD bit of a query).
    """
    return _WITH_BAD_SIGNATURES[is_general] if is_validated else _SCOPE[rcode, is_general]
