"""Calls of a cloud's metadata service that get no answer, by logs."""

import re

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.unanswered_call import METADATA, UnansweredCall
from diagnose.evidence.network.protocol_counters import PROTOCOLS, counter
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile

_WITHOUT_CREDENTIALS = LazyPattern(
    r"unable to locate credentials|NoCredentialProviders|no EC2 IMDS role found|ec2imds: "
    r"|could not load credentials from any providers|EC2MetadataError"
    r"|unable to load credentials from any of the providers|Instance Metadata Service",
    re.IGNORECASE,
)
"""Errors of Amazon's libraries about missing credentials; few of them name the service that they
have asked last. Three words tell quickly that a line is about something else."""


def calls_without_metadata(
    host: Host, containers: Containers, recent_logs: RecentLogs | None, clock: Clock
) -> list[UnansweredCall]:
    """The containers on bridges whose log reports now that the metadata service gives no answer.

    A library that found no credentials may have asked no server: it counts where the host has
    thrown away at least as many packets, since their hop limit ended here.
    """
    if recent_logs is None:
        return []
    named_calls: list[UnansweredCall] = []
    unnamed: list[UnansweredCall] = []
    for container in containers.running:
        if container.shares_host_network:
            continue
        lines = recent_logs.repeated(container, _tells_of_metadata, clock)
        lines_without = recent_logs.repeated(container, _tells_of_no_credentials, clock)
        if lines:
            named_calls.append(UnansweredCall(container, METADATA, 80, len(lines) - 1))
        elif lines_without:
            unnamed.append(UnansweredCall(container, METADATA, 80, len(lines_without) - 1))
    expired = _expired_packets(host) if named_calls or unnamed else 0
    # each call of the service loses a packet; an old traceroute loses only a few
    calls = [*named_calls, *(call for call in unnamed if expired > call.repeats)]
    return [msgspec.structs.replace(call, expired=expired) for call in calls]


def _expired_packets(host: Host) -> int:
    """ICMP messages "time exceeded" that this host has sent (RFC 1213, icmpOutTimeExcds)."""
    answer = host.ask(ReadFile(PROTOCOLS))
    return 0 if isinstance(answer, Failed) else counter(answer.text, "Icmp", "OutTimeExcds")


def _tells_of_metadata(text: str) -> bool:
    return METADATA in text and bool(signs(text) & {"timeout", "unreachable"})


def _tells_of_no_credentials(text: str) -> bool:
    lowered = text.lower()
    has_mark = "credential" in lowered or "ec2" in lowered or "metadata" in lowered
    return has_mark and _WITHOUT_CREDENTIALS.search(text) is not None
