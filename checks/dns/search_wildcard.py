"""Search domains in which every name has an address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from checks.dns.helpers import unasked
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.dns.failed_names import names_by_network, stray_names
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import Resolvers, resolving
from diagnose.model import CheckResult, Finding, Json, Severity, Skipped, Unavailable
from diagnose.phrases import and_more, sentence
from diagnose.registry import check


class _StrayName(msgspec.Struct, frozen=True):
    """A name that a container calls, that nobody near it has, and where it leads instead."""

    name: str
    where: str
    domain: str
    addresses: tuple[str, ...]
    stopped: Container | None
    """A container that has the name and does not run."""


@check("dns.search-wildcard", severity=Severity.critical)
def search_wildcard(
    containers: Containers,
    resolvers: Resolvers,
    lookups: Lookups | Unavailable,
    log_tails: LogTails | None,
) -> CheckResult:
    """A wildcard of the search domain answers for a name that does not exist.

    A resolver adds the search domain to a short name that it does not find. Where the domain has a
    wildcard, a service that is stopped or misspelt is not "unknown": its callers reach a stranger,
    often the company's web server. A warning until a log shows the stranger's address.
    """
    if isinstance(lookups, Unavailable):
        return unasked(lookups)
    wild = {
        domain: tuple(reply.answers) for domain, reply in lookups.wildcards.items() if reply.knows
    }
    if not lookups.wildcards:
        return Skipped(
            "no running container with a search domain calls a short name that nobody near it has"
        )
    near = names_by_network(containers)
    for container in resolving(containers) if wild else ():
        for stray in _stray_names(container, containers, near, resolvers, wild):
            lines = log_tails.of(container).lines if log_tails is not None else ()
            yield _finding(container, stray, lines)
    return None


def _stray_names(
    container: Container,
    containers: Containers,
    near: Mapping[str, set[str]],
    resolvers: Resolvers,
    wild: dict[str, tuple[str, ...]],
) -> Iterator[_StrayName]:
    conf = resolvers.inside.get(container.id)
    searched = [domain.rstrip(".") for domain in conf.search] if conf is not None else []
    domain = next((domain for domain in searched if domain in wild), "")
    if not domain:
        return
    for name, where in stray_names(container, near).items():
        owners = [other for other in containers.by_dns_name.get(name, ()) if not other.is_running]
        stopped = next(iter(owners), None)
        yield _StrayName(name, where, domain, wild[domain], stopped)


def _finding(container: Container, stray: _StrayName, lines: tuple[str, ...]) -> Finding:
    seen = next((line for line in lines if any(own in line for own in stray.addresses)), "")
    stopped = f"{stray.stopped} has the name and is stopped" if stray.stopped else ""
    evidence: dict[str, Json] = {
        "called by": stray.where,
        f"*.{stray.domain} A": list(stray.addresses),
    }
    if seen:
        evidence["log"] = seen[:200]
    finding = Finding.about(
        container,
        sentence(
            f'{container} calls "{stray.name}", which no container near it has: '
            f'the wildcard of search domain "{stray.domain}" answers with '
            f"{and_more(stray.addresses)}",
            stopped,
        ),
        evidence,
        discriminator=stray.name,
        severity=None if seen else Severity.warning,
        signs=frozenset({"dns", "refused", "timeout"}),
        stable=(container.life,),
    )
    variables = {"no_search_json": '{"dns-search": ["."]}'}
    if stray.stopped is not None:
        variables = {"stopped": stray.stopped.name}
    return finding.with_variables(variables)
