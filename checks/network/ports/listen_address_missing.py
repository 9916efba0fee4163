"""Programs that are configured to listen at an address that their network does not have."""

from __future__ import annotations

import re

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.settings.changed_words import with_text, with_text_in_file
from diagnose.evidence.network.addresses import ANY, is_everywhere
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.phrases import quoted
from diagnose.registry import check

_ADDRESS = LazyPattern(
    r"(?<![\w.])(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?::(?P<port>\d{1,5}))?(?![\w.])"
)
_NOT_OURS = LazyPattern(r"(?:bind|listen).{0,300}assign requested address", re.IGNORECASE)
"""bind(2) fails so for an address that no interface of the namespace has (EADDRNOTAVAIL)."""

_OF_CALLS = ("://", "advertis", "announce", "proxy_pass", "replicaof", "slaveof", "upstream")
"""Texts of lines in files of settings in which an address is called or announced."""


class _Refused(msgspec.Struct, frozen=True):
    """The address that a program could not listen at, and the line that says so."""

    address: str
    port: str
    line: str


@check(
    "network.listen-address-missing",
    severity=Severity.critical,
    causes=["container.restart-loop", "container.exits-at-start", "container.crashed"],
)
def listen_address_missing(
    containers: Containers, log_tails: LogTails, links: Interfaces | None
) -> CheckResult:
    """A program is configured to listen at an address that its network does not have.

    A load balancer on the host's network that is configured to listen at a floating address which
    another machine holds now, or a program in a container whose configuration names an address of
    the host. Its log says so.
    """
    failed = [container for container in containers if container.id in log_tails.by_id]
    if not failed and not log_tails.unexamined:
        return Skipped("no container has failed")
    for container in failed:
        refused = _refused(log_tails, container)
        if refused is None:
            continue
        if container.shares_host_network and links is not None and links.holds(refused.address):
            continue
        yield _finding(container, refused, links)
    yield from log_tails.unexamined
    return None


def _refused(log_tails: LogTails, container: Container) -> _Refused | None:
    """What the last such line of its log names."""
    tail = log_tails.of(container)
    for line in reversed((*tail.earlier, *tail.lines)):
        match = _ADDRESS.search(line) if _NOT_OURS.search(line) else None
        if match is not None and not is_everywhere(match["address"]):
            return _Refused(match["address"], match["port"] or "", quoted(line))
    return None


def _finding(container: Container, refused: _Refused, links: Interfaces | None) -> Finding:
    if container.shares_host_network:
        where, cure = "which this host does not have", {"floating": container.name}
    else:
        where, cure = "which its network does not have", _on_all_addresses(container, refused)
        if links is not None and links.holds(refused.address):
            where = "an address of the host, which its own network does not have"
    of_host = [own.address for own in links.addresses] if links is not None else []
    port = f" port {refused.port}" if refused.port else ""
    finding = Finding.about(
        container,
        f"{container} is configured to listen at {refused.address}{port}, {where}",
        present(
            {
                "log": refused.line,
                "HostConfig.NetworkMode": container.host_config.network_mode,
                "addresses of the host": of_host,
            }
        ),
        discriminator=refused.address,
        address=refused.address,
    )
    return finding.with_variables(cure)


def _on_all_addresses(container: Container, refused: _Refused) -> PageVariables:
    """The variables with which the program listens on all addresses of the container.

    The address is in its command, a variable or a mounted file; empty where it is not found.
    """
    in_file = with_text_in_file(container, refused.address, ANY, besides=_OF_CALLS)
    return with_text(container, refused.address, ANY) or in_file
