"""Clients whose TLS handshake with the engine failed over a certificate, by the engine's log."""

import ipaddress
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Literal

import msgspec

from diagnose.evidence.engine.log import DaemonLog, LogLine
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key, paired
from diagnose.registry import evidence

Reason = Literal["early", "expired", "foreign", "usage", "engine", "none", "plain"]

HANDSHAKE = LazyPattern(r"TLS handshake error from \[?(?P<client>[^\s\]]+)\]?:\d+: (?P<error>.+)")
"""Go's net/http."""
REASONS: Mapping[Reason, LazyPattern] = {
    "early": LazyPattern(r"x509: certificate has expired or is not yet valid: .{0,200} is before"),
    "expired": LazyPattern(r"x509: certificate has expired"),
    "foreign": LazyPattern(r"x509: certificate signed by unknown authority"),
    "usage": LazyPattern(r"x509: certificate specifies an incompatible key usage"),
    "engine": LazyPattern(
        r"remote error: tls: (?:bad|expired|revoked|unknown|unsupported) certificate"
    ),
    "none": LazyPattern(r"client didn't provide a certificate"),
    "plain": LazyPattern(r"client sent an HTTP request to an HTTPS server"),
}
"""The reasons, of which the first that fits counts. The client's certificate is early, expired,
foreign or not for this usage; the client refuses the engine's; or it has none; or it speaks plain
HTTP. Go's crypto/tls and crypto/x509, seen on engines 20.10.24 and 28.5.2. A client in Go reports
"bad certificate" for any defect, and shows no foreign certificate."""
SCANNED: tuple[Reason, ...] = ("none", "plain")
"""Reasons that a port scanner causes too: it has no certificate."""
PERSISTENT = 3
"""Lines of a client that is not a lone probe: one `docker ps` is refused three times."""


class RefusedHandshakes(msgspec.Struct, frozen=True):
    """The refused handshakes of one reason."""

    reason: Reason
    clients: tuple[str, ...]
    """Addresses, each once, in the order of their first line."""
    lines: tuple[LogLine, ...]


class RefusedClients(Items[RefusedHandshakes], frozen=True):
    """The refused clients by reason; empty where no client was refused."""


@evidence
def refused_clients(log: DaemonLog, clock: Clock, options: Options) -> RefusedClients:
    """The clients that the engine refused since its last start, by reason.

    With a start it may have read new certificates. A reason that port scanners cause too counts
    only from private addresses, and if it is repeated.
    """
    since = clock.wall - options.since_s
    recent = [line for line in log.last_start if line.at is not None and line.at >= since]
    by_client = by_key((refusal, line) for line, refusal in paired(recent, _refusal))
    refused: dict[Reason, dict[str, list[LogLine]]] = {}
    for (reason, client), lines in by_client.items():
        if not _may_be_a_scan(reason, client, lines):
            refused.setdefault(reason, {})[client] = lines
    return RefusedClients(
        tuple(
            RefusedHandshakes(reason, tuple(clients), tuple(chain.from_iterable(clients.values())))
            for reason, clients in refused.items()
        )
    )


def _refusal(line: LogLine) -> tuple[Reason, str] | None:
    """The reason why a client was refused, and its address; None for other lines."""
    match = HANDSHAKE.search(line.message)
    reason = _reason(match["error"]) if match is not None else None
    return (reason, match["client"]) if match is not None and reason is not None else None


def _may_be_a_scan(reason: Reason, client: str, lines: Sequence[LogLine]) -> bool:
    is_insistent = len(lines) >= PERSISTENT and _is_private(client)
    return reason in SCANNED and not is_insistent


def _reason(error: str) -> Reason | None:
    return next((reason for reason, words in REASONS.items() if words.search(error)), None)


def _is_private(client: str) -> bool:
    try:
        return ipaddress.ip_address(client.partition("%")[0]).is_private
    except ValueError:
        return False
