"""Clients that do not get through the engine's TLS socket."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.own_certificate import SETTING, OwnCertificate
from diagnose.evidence.engine.refused_handshakes import Reason, RefusedClients, RefusedHandshakes
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import present, subjects_of
from diagnose.model import DAEMON, CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import agree, duration, joined, named
from diagnose.registry import check

SENTENCES: Mapping[Reason, str] = {
    "early": "refused: the engine's clock is before the start of the client's certificate",
    "expired": "refused: the client's certificate has expired",
    "foreign": "refused: the client's certificate is not signed by the engine's authority",
    "usage": "refused: the certificate is not valid for clients (extendedKeyUsage clientAuth)",
    "engine": "not connected: the client refuses the engine's certificate",
    "none": "refused: the client has no certificate signed by the engine's authority",
    "plain": "refused: the client does not use TLS",
}
"""The sentence of a finding about its clients, by the reason."""
FILES: Mapping[Reason, str] = {"foreign": "tlscacert", "engine": "tlscert"}
"""The setting of the engine that names the file in question."""


@check("daemon.tls-client-refused", severity=Severity.warning, caused_by=["daemon.clock-skewed"])
def tls_client_refused(
    refused_clients: RefusedClients,
    daemon: Daemon,
    log: DaemonLog,
    config: DaemonConfig | None,
    own_certificate: OwnCertificate | None,
    clock: Clock | None,
    containers: Containers | None,
) -> CheckResult:
    """A client and the engine's TLS socket do not agree on their certificates.

    Local commands go through the Unix socket and see nothing of it. All clients that are refused
    for one reason are one finding. If the engine's own certificate has expired, all of them are cut
    off, and the reasons in the log do not count.
    """
    if daemon.is_podman:
        return Skipped("Podman answers here")
    if daemon.answers and own_certificate is not None and clock is not None:
        yield from _expiry_findings(own_certificate, clock)
    for refused in refused_clients:
        last = refused.lines[-1]
        setting = FILES.get(refused.reason, "")
        file = config.value(setting) if config is not None and setting else None
        callers = _callers(refused.clients, containers)
        clients = f"{_clients(refused.clients, callers)} {agree(refused.clients, 'is', 'are')}"
        yield Finding(
            subject=DAEMON,
            summary=f"{clients} {SENTENCES[refused.reason]}",
            evidence={
                log.where(last): last.message,
                "connections refused": len(refused.lines),
                **present({setting: file}),
            },
            variables=_variables(refused, callers, setting, file),
            discriminator=refused.reason,
            touches=subjects_of(callers.values()),
        )


def _callers(clients: Iterable[str], containers: Containers | None) -> dict[str, Container]:
    """The containers of this host among the clients, by their addresses on bridges."""
    places = containers.by_place if containers is not None else {}
    by_address = {address: container for (_, address), container in places.items()}
    return {client: by_address[client] for client in clients if client in by_address}


def _clients(clients: Sequence[str], callers: Mapping[str, Container]) -> str:
    if len(callers) < len(clients):
        return named("client", clients)
    return joined([f"{callers[client]} ({client})" for client in clients])


def _variables(
    refused: RefusedHandshakes, callers: Mapping[str, Container], setting: str, file: object
) -> PageVariables:
    if file:
        return {setting: str(file)}
    caller = callers.get(refused.clients[-1])
    if caller is not None and refused.reason == "none":
        return {"caller": caller.name}
    return {"client": refused.clients[-1]}


def _expiry_findings(certificate: OwnCertificate, clock: Clock) -> Iterator[Finding]:
    """Findings about the engine's own certificate, if it has expired."""
    age = clock.age(certificate.ends) if certificate.ends is not None else None
    if age is None or age <= 0:
        return
    yield Finding(
        subject=DAEMON,
        summary=(
            f"the engine's own certificate {certificate.path} expired {duration(age)} ago: clients of its TLS "
            "socket refuse it"
        ),
        evidence={SETTING: certificate.path, "expired": f"{duration(age)} ago"},
        variables={SETTING: certificate.path},
        discriminator="own",
    )
