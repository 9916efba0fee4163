"""Services of the host that containers call at an address where nothing listens."""

from __future__ import annotations

from collections import defaultdict

from diagnose.evidence.network.paths.wanted_paths import UnservedWant, WantedPaths, failing
from diagnose.mappings import names_of, subjects_of
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped
from diagnose.phrases import agree, named
from diagnose.registry import check


@check("network.host-service-not-listening", severity=Severity.critical)
def host_service_not_listening(wanted_paths: WantedPaths) -> CheckResult:
    """A container calls a service of its host at an address where nothing listens.

    A program that listens on 127.0.0.1 is out of reach of every container, and so is a port that
    another container publishes on
    127.0.0.1: a container calls the host by the address of a bridge. `host-gateway-ip` may name an
    address that the host has lost.
    """
    if wanted_paths.why_none:
        return Skipped(wanted_paths.why_none)
    if not wanted_paths.unserved and not any(path.kind == "to the host" for path in wanted_paths):
        return Skipped("no running container is configured to use a service on this host")
    lacks_of: dict[tuple[str, int], list[UnservedWant]] = defaultdict(list)
    for lack in wanted_paths.unserved:
        lacks_of[lack.address, lack.want.port if lack.has_address else 0].append(lack)
    for lacks in lacks_of.values():
        yield _unserved(lacks)
    return None


def _unserved(lacks: list[UnservedWant]) -> Finding:
    first = lacks[0]
    containers = {lack.want.container.id: lack.want.container for lack in lacks}
    names = sorted(names_of(containers.values()))
    callers = named("container", names)
    calls = agree(names, "calls", "call")
    if not first.has_address:
        summary = (
            f"{callers} {calls} this host at {first.address}, "
            "an address that the host does not have"
        )
    else:
        summary = (
            f"{callers} {calls} port {first.want.port} "
            f"of this host at {first.address}, where nothing listens"
        )
    if first.elsewhere:
        places = ", ".join(sorted({listener.address for listener in first.elsewhere}))
        summary += f"; {first.elsewhere[0].holder} listens on {places} only"
    return Finding(
        subject=first.want.container.subject if len(containers) == 1 else HOST,
        summary=summary,
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
        stable=tuple(container.life for container in containers.values()),
    )


def _severity(lacks: list[UnservedWant]) -> Severity | None:
    """A port without any program may be of a service that is off on purpose."""
    has_failed = any(lack.want.has_failed for lack in lacks)
    if lacks[0].has_address and not lacks[0].elsewhere:
        return Severity.warning if has_failed else Severity.advice
    return None if failing(lacks) else Severity.warning


def _cure(lack: UnservedWant) -> dict[str, str]:
    if not lack.has_address:
        return {"container": lack.want.container.name, "lost_address": lack.address}
    where = {"container": lack.want.container.name, "port": str(lack.want.port)}
    if not any(listener.address == "127.0.0.1" for listener in lack.elsewhere):
        return where
    bridge = lack.network.bridge
    setting = f"net/ipv4/conf/{bridge}/route_localnet=1"
    return {**where, "bridge": bridge, "address": lack.address, "setting": setting}
