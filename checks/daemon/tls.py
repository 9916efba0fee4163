"""Clients that do not get through the engine's TLS socket."""

from __future__ import annotations

from collections.abc import Mapping

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.refused_handshakes import Reason, RefusedClients
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped
from diagnose.phrases import agree, named
from diagnose.registry import check

SENTENCES: Mapping[Reason, str] = {
    "early": "turned away: the engine's clock is before the start of the client's certificate",
    "expired": "turned away: the client's certificate has expired",
    "foreign": "turned away: the client's certificate is not from the engine's authority",
    "usage": "turned away: the certificate is not made for clients (extendedKeyUsage clientAuth)",
    "engine": "not connected: the client refuses the engine's certificate",
    "none": "turned away: the client has no certificate from the engine's authority",
    "plain": "turned away: the client does not use TLS",
}
"""What a finding says of its clients, by the reason."""
FILES: Mapping[Reason, str] = {"foreign": "tlscacert", "engine": "tlscert"}
"""The setting of the engine that names the file in question."""


@check("daemon.tls-client-refused", severity=Severity.warning, caused_by=["daemon.clock-skewed"])
def tls_client_refused(
    refused_clients: RefusedClients, daemon: Daemon, log: DaemonLog, config: DaemonConfig | None
) -> CheckResult:
    """A client and the engine's TLS socket do not agree on their certificates.

    Local commands go through the Unix socket and see nothing of it. A client of one reason is one
    finding with all others of that reason.
    """
    if daemon.is_podman:
        return Skipped("Podman answers here")
    for refused in refused_clients:
        last = refused.lines[-1]
        setting = FILES.get(refused.reason, "")
        file = config.value(setting) if config is not None and setting else None
        clients = f"{named('client', refused.clients)} {agree(refused.clients, 'is', 'are')}"
        yield Finding(
            subject=DAEMON,
            summary=f"{clients} {SENTENCES[refused.reason]}",
            evidence={
                log.where(last): last.message,
                "times": len(refused.lines),
                **({setting: file} if file else {}),
            },
            variables={setting: str(file)} if file else {"client": refused.clients[-1]},
            discriminator=refused.reason,
        )
    return None
