"""What the checks of this family share: what groups of containers have in common, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import DnsReply
from diagnose.evidence.dns.query_groups import QueryGroup
from diagnose.evidence.network.addresses import EVERYWHERE
from diagnose.mappings import names_of, subjects_of
from diagnose.model import Severity, Skipped, Subject, Unavailable
from diagnose.phrases import named


def unasked(why: Unavailable) -> Skipped | Unavailable:
    """The result of a check that needs replies when there are none.

    Without probes it does not apply: the user wished so.
    """
    return Skipped(why.detail) if why.reason == "not allowed" else why


def listed(containers: Sequence[Container], most: int = 3) -> str:
    """Containers by their names: containers "a", "b", "c" and 2 more."""
    return named("container", names_of(containers), most)


def touched(groups: Iterable[QueryGroup]) -> tuple[Subject, ...]:
    """The networks and containers of these groups: what a fault of their servers reaches."""
    subjects: dict[Subject, None] = {}
    for group in groups:
        subjects |= dict.fromkeys(Subject("network", name) for name in group.networks)
        subjects |= dict.fromkeys(subjects_of(group.members))
    return tuple(subjects)


def dns_container(
    containers: Containers | None, server: str, *, is_of_host: bool
) -> Container | None:
    """The container, running or not, that should answer at a server's address.

    By its own address, or by port 53 of the host.
    """
    for container in containers or ():
        if any(
            server in (endpoint.ip_address, endpoint.fixed_address)
            for endpoint in container.endpoints.values()
        ):
            return container
        publishes = [
            binding
            for port, binding in container.wanted_ports
            if port == "53/udp" or binding.host_port == "53"
        ]
        if is_of_host and any(binding.host_ip in (*EVERYWHERE, server) for binding in publishes):
            return container
    return None


def severity_beside_answers(lost: Iterable[DnsReply]) -> Severity:
    """How bad a lost server is while another answers.

    Silence costs five seconds a lookup, a refusal nothing.
    """
    is_silent = any(reply.icmp is None for reply in lost)
    return Severity.warning if is_silent else Severity.advice
