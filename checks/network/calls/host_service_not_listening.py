"""Services of the host that containers call at an address where nothing listens."""

from diagnose.evidence.network.paths.wanted.wanted_paths import UnservedWant, WantedPaths, failing
from diagnose.mappings import by_key, names_of, subjects_of
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import agree, named, sentence
from diagnose.registry import check


@check("network.host-service-not-listening", severity=Severity.critical)
def host_service_not_listening(wanted_paths: WantedPaths) -> CheckResult:
    """A container calls a service of its host at an address where nothing listens.

    A program that listens on 127.0.0.1 is out of reach of every container, and so is a port that
    another container publishes on 127.0.0.1: a container calls the host by the address of a bridge.
    `host-gateway-ip` may name an address that the host has lost.
    """
    if wanted_paths.why_none:
        return Skipped(wanted_paths.why_none)
    if not wanted_paths.unserved and not any(path.kind == "to the host" for path in wanted_paths):
        return Skipped("no running container is configured to use a service on this host")
    places = by_key(
        ((lack.address, lack.want.port if lack.has_address else 0), lack)
        for lack in wanted_paths.unserved
    )
    for lacks in places.values():
        yield _finding(lacks)


def _finding(lacks: list[UnservedWant]) -> Finding:
    first = lacks[0]
    containers = {lack.want.container.id: lack.want.container for lack in lacks}
    names = sorted(names_of(containers.values()))
    callers = f"{named('container', names)} {agree(names, 'calls', 'call')}"
    return Finding(
        subject=first.want.container.subject if len(containers) == 1 else HOST,
        summary=sentence(f"{callers} {_summary_of(first)}", _other_place(first)),
        evidence={
            "wanted by": {
                lack.want.container.name: f"{lack.want.source}: {lack.want.where}"
                for lack in lacks[:5]
            },
            "listening on the port": [
                f"{listener.address}: {listener.holder}" for listener in first.elsewhere
            ]
            or None,
            "network": first.network.name,
        },
        variables=_cure(first),
        discriminator=f"{first.address}:{first.want.port}",
        severity=_severity(lacks),
        touches=(first.network.subject, *subjects_of(containers.values())),
        recheck=tuple(run for caller in containers.values() for run in caller.caller_runs),
    )


def _summary_of(lack: UnservedWant) -> str:
    """The address or port of the host that is called, and the reason why nobody answers there."""
    if not lack.has_address:
        return f"this host at {lack.address}, an address that the host does not have"
    return f"port {lack.want.port} of this host at {lack.address}, where nothing listens"


def _other_place(lack: UnservedWant) -> str:
    if not lack.elsewhere:
        return ""
    places = ", ".join(sorted({listener.address for listener in lack.elsewhere}))
    return f"{lack.elsewhere[0].holder} listens on {places} only"


def _severity(lacks: list[UnservedWant]) -> Severity | None:
    """The severity: a port without any program may belong to a service that is off on purpose."""
    has_failed = any(lack.want.has_failed for lack in lacks)
    if lacks[0].has_address and not lacks[0].elsewhere:
        return Severity.warning if has_failed else Severity.advice
    return None if failing(lacks) else Severity.warning


def _cure(lack: UnservedWant) -> PageVariables:
    if not lack.has_address:
        return {"container": lack.want.container.name, "lost_address": lack.address}
    names = {"container": lack.want.container.name, "port": str(lack.want.port)}
    if not any(listener.address == "127.0.0.1" for listener in lack.elsewhere):
        return names
    bridge = lack.network.bridge
    setting = f"net/ipv4/conf/{bridge}/route_localnet=1"
    return {**names, "bridge": bridge, "address": lack.address, "setting": setting}
