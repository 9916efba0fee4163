"""Programs that are configured to listen at an address that their network does not have."""

from collections.abc import Iterator

from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.settings.changed_words import with_text, with_text_in_file
from diagnose.evidence.network.addresses import ANY
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.sockets.refused_addresses import (
    RefusedAddress,
    refused_address,
    refused_in,
)
from diagnose.evidence.network.uplinks import Uplinks
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import quoted
from diagnose.registry import check

_OF_CALLS = ("://", "advertis", "announce", "proxy_pass", "replicaof", "slaveof", "upstream")
"""Texts of lines in files of settings in which an address is called or announced."""


@check(
    "network.listen-address-missing",
    severity=Severity.critical,
    causes=[
        "container.restart-loop",
        "container.restarts-exhausted",
        "container.exits-at-start",
        "container.crashed",
    ],
)
def listen_address_missing(
    containers: Containers,
    log_tails: LogTails,
    links: Interfaces | None,
    recent_logs: RecentLogs | None,
    uplinks: Uplinks | None,
) -> CheckResult:
    """A program is configured to listen at an address that its network does not have.

    A load balancer on the host's network that is configured to listen at a floating address which
    another machine holds now, or a program in a container whose configuration names an address of
    the host. Its log shows it. It is a warning where the program still runs, as keepalived does
    with a source address that the host had before: it then stays out of its cluster.
    """
    yield from _running_findings(containers, links, recent_logs, uplinks)
    failed = [container for container in containers if container.id in log_tails.by_id]
    sharing = [container for container in containers.running if container.shares_host_network]
    if not failed and not sharing and not log_tails.unexamined:
        return Skipped("no container has failed, and none uses the host's network")
    for container in failed:
        refused = refused_address(log_tails.of(container))
        if refused is None:
            continue
        if container.shares_host_network and links is not None and links.holds(refused.address):
            continue
        yield _finding(container, refused, links)
    yield from log_tails.unexamined


def _running_findings(
    containers: Containers,
    links: Interfaces | None,
    recent_logs: RecentLogs | None,
    uplinks: Uplinks | None,
) -> Iterator[Finding]:
    """Findings about programs on the host's network that still run, without an address that the
    host does not have."""
    if recent_logs is None or links is None:
        return
    for container in containers.running:
        if not container.shares_host_network:
            continue
        refused = refused_in([line.text for line in recent_logs.of_this_run(container)])
        if refused is not None and not links.holds(refused.address):
            finding = _finding(container, refused, links)
            host_address = uplinks.preferred if uplinks is not None else None
            edit = _own_address_variables(
                container, refused, host_address.address if host_address else None
            )
            yield replace(finding, severity=Severity.warning, variables={}).with_variables(
                {"container": container.name, "address": refused.address, **edit}
            )


def _own_address_variables(
    container: Container, refused: RefusedAddress, own_address: str | None
) -> PageVariables:
    """The page variables that replace the former address by the host's present one, in the only
    mounted file."""
    edited = with_text_in_file(container, refused.address, own_address) if own_address else {}
    return {"edited": edited["edited"], "own_edit": edited["edit"]} if edited else {}


def _finding(container: Container, refused: RefusedAddress, links: Interfaces | None) -> Finding:
    if container.shares_host_network:
        lack_clause = "which this host does not have"
        cure = {"floating": container.name}
    else:
        lack_clause = "which its network does not have"
        cure = _listen_anywhere_variables(container, refused)
        if links is not None and links.holds(refused.address):
            lack_clause = "an address of the host, which its own network does not have"
    of_host = [entry.address for entry in links.addresses] if links is not None else []
    port = f" port {refused.port}" if refused.port else ""
    return Finding.about(
        container,
        f"{container} is configured to listen at {refused.address}{port}, {lack_clause}",
        present(
            {
                "log": quoted(refused.line),
                "HostConfig.NetworkMode": container.host_config.network_mode,
                "addresses of the host": of_host,
            }
        ),
        discriminator=refused.address,
        variables={"address": refused.address, **cure},
    )


def _listen_anywhere_variables(container: Container, refused: RefusedAddress) -> PageVariables:
    """The page variables with which the program listens on all addresses of the container.

    The address is in its command, a variable or a mounted file; empty where it is not found.
    """
    in_file = with_text_in_file(container, refused.address, ANY, besides=_OF_CALLS)
    return with_text(container, refused.address, ANY) or in_file
