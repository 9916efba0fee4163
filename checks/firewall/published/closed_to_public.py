"""Published ports that a rule leaves open to private addresses only."""

from checks.firewall.helpers import container_subjects
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.network.paths.packet_paths import PacketPaths
from diagnose.evidence.network.paths.published.privately_open import (
    PrivatelyOpen,
    PrivatelyOpenPorts,
)
from diagnose.evidence.network.rules.rule_programs import program_of
from diagnose.mappings import present
from diagnose.model import HOST, CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import agree, count, named, numbered, sentence
from diagnose.registry import check


@check(
    "firewall.closed-to-public",
    severity=Severity.advice,
    caused_by=["firewall.opened-for-former-address"],
    aloud=(
        "has published ports that are closed to all but private addresses",
        "have published ports that are closed to all but private addresses",
    ),
)
def closed_to_public(ports: PrivatelyOpenPorts, packet_paths: PacketPaths) -> CheckResult:
    """A firewall rule closes published ports to all but private addresses.

    The rules of ufw-docker do so in DOCKER-USER, until `ufw route allow` opens a port: that may be
    meant. Where ufw does not know them any more, no command of ufw opens a port: a warning. The
    advice is quiet where another port is open to everybody, and where the rules are not of ufw:
    whoever wrote them knows how a port is opened. A rule whose counter says that nothing has come
    to it is not reported, nor one that lets in some private addresses only.
    """
    if not packet_paths.inbound_paths:
        return Skipped(packet_paths.why_none or "no running container publishes a port")
    for closed in ports:
        yield _finding(closed)


def _finding(closed: PrivatelyOpen) -> Finding:
    inbound_paths = closed.inbound_paths
    step = closed.by
    ports = numbered("port", sorted({inbound.host_port for inbound in inbound_paths}))
    owners = named("container", sorted({inbound.container.name for inbound in inbound_paths}))
    is_or_are = agree(inbound_paths, "is", "are")
    return Finding(
        subject=HOST,
        summary=sentence(
            f"published {ports} of {owners} {is_or_are} closed to all but private addresses: {step}",
            f"{closed.left_over}: the rules are left over" if closed.left_over else "",
            f"{count(closed.dropped, 'packet')} so far" if closed.dropped else "",
        ),
        evidence=present(
            {
                **step.evidence,
                "published ports": [
                    f"{inbound.container.name} {inbound.host_port} -> {inbound.port}"
                    for inbound in inbound_paths
                ],
                "packets that met the rule": closed.dropped,
                "ufw": closed.left_over,
            }
        ),
        severity=Severity.warning if closed.left_over else None,
        discriminator=step.chain,
        touches=container_subjects((), inbound_paths),
        signs=NO_WAY_OUT,
        recheck=tuple(inbound.container.run for inbound in inbound_paths),
        is_quiet=closed.has_open_neighbours or not closed.is_of_ufw,
        variables=_cure(closed),
    )


def _cure(closed: PrivatelyOpen) -> PageVariables:
    """The page variables that remove rules which are left over, or open the first port."""
    inbound = closed.inbound_paths[0]
    if closed.left_over:
        return {"program": program_of(closed.by)}
    if not closed.is_of_ufw:
        return {}
    address = min(inbound.addresses, default="")
    return present(
        {
            "address": address,
            "container_port": str(inbound.container_port),
            "proto": inbound.protocol,
        }
    )
