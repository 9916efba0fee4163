"""Search domains that answer for names which are not theirs."""

from collections.abc import Iterator

from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.dns.names.unresolved_names import UnresolvedName, unresolved_names
from diagnose.evidence.dns.names.wildcard_names import WildcardName, stops_search, wildcard_names
from diagnose.evidence.dns.resolvers import Resolvers, resolving_containers
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity, Skipped
from diagnose.phrases import and_more, quoted, sentence, shortened
from diagnose.registry import check

_OF_A_STRANGER = frozenset({"dns", "refused", "timeout"})
"""Classes of error of a call that reaches another machine than it means."""


@check("dns.search-wildcard", severity=Severity.critical)
def search_wildcard(
    containers: Containers,
    resolvers: Resolvers,
    lookups: Lookups,
    log_tails: LogTails | None,
    failed_names: FailedNames | None,
) -> CheckResult:
    """A search domain answers in the place of the name that a container calls.

    A resolver adds the search domain to a short name that it does not find. Where the domain has a
    wildcard, a service that is stopped or misspelt is not "unknown": its callers reach a stranger,
    often the company's web server. It is a warning until a log shows the stranger's address.
    A name with fewer dots than `ndots` asks for is tried with the search domains first. The engine
    writes `ndots:0` on networks that users made, and keeps an `ndots` of the host's resolv.conf: a
    wildcard then answers for the names of all neighbours. With `ndots:5`, as Kubernetes has it, it
    answers for names of the internet too, which have fewer dots. Where such a domain has no address
    for it, and does not deny it either (NXDOMAIN), musl stops there, and never asks for the name
    itself, which the server knows.
    """
    wild = {
        domain: tuple(reply.answers) for domain, reply in lookups.wildcards.items() if reply.knows
    }
    if not lookups.wildcards:
        return Skipped("no running container calls a name that a search domain may answer for")
    names_by_network = containers.names_by_network
    askers = resolving_containers(containers) if wild else ()
    for container in askers:
        for stray in wildcard_names(container, containers, names_by_network, resolvers, wild):
            lines = log_tails.of(container).lines if log_tails is not None else ()
            if stray.is_dotted:
                yield _dotted_finding(container, stray, lines, resolvers)
            elif stray.beside is not None:
                yield _neighbour_finding(container, stray, lines, resolvers)
            else:
                yield _finding(container, stray, lines)
    if failed_names is not None:
        yield from _stopped_findings(containers, failed_names, lookups, resolvers)


def _stopped_findings(
    containers: Containers, failed_names: FailedNames, lookups: Lookups, resolvers: Resolvers
) -> Iterator[Finding]:
    """Findings about names that a server knows, and that musl does not ask for, since a search
    domain comes first.

    One finding for each container and domain.
    """
    known_pairs: set[tuple[str, str]] = set()
    for failure in unresolved_names(containers, failed_names, lookups):
        container = failure.container
        name = failure.name.name
        conf = resolvers.inside.get(container.id)
        if conf is None or not failure.is_known or name.count(".") >= conf.ndots:
            continue
        replies_by_name = lookups.failed_by_name(container)
        for domain in (word.strip(".") for word in conf.search):
            replies = replies_by_name.get(f"{name}.{domain}", {}).values()
            stop = next((reply for reply in replies if stops_search(reply)), None)
            if stop is not None and (container.id, domain) not in known_pairs:
                known_pairs.add((container.id, domain))
                yield _stopped_finding(failure, domain, conf.ndots, stop)
            if stop is not None:
                break


def _stopped_finding(failure: UnresolvedName, domain: str, ndots: int, stop: DnsReply) -> Finding:
    container = failure.container
    name = failure.name.name
    answer = "SERVFAIL" if stop.rcode == "SERVFAIL" else "empty, without NXDOMAIN (no such name)"
    return Finding.about(
        container,
        f'{container} cannot resolve "{name}": with ndots:{ndots} it asks for '
        f'"{name}.{domain}" first, the answer is {answer}, and programs on musl (Alpine) stop there',
        {
            f"{name}.{domain} A": str(stop),
            f"{name} A": next(str(reply) for reply in failure.replies.values() if reply.knows),
            "log": quoted(failure.name.line),
        },
        discriminator=domain,
        signs=frozenset({"dns"}),
        recheck=(container.run,),
        variables=_option_variables(container, "ndots:1"),
    )


def _neighbour_finding(
    container: Container, stray: WildcardName, lines: tuple[str, ...], resolvers: Resolvers
) -> Finding:
    """The finding about a neighbour's name for which the search domain answers first."""
    call = f'{container} calls {stray.beside} by the name "{stray.name}"'
    finding = _taken_call_finding(container, stray, lines, resolvers, call)
    return finding.with_variables(_option_variables(container, "ndots:0"))


def _dotted_finding(
    container: Container, stray: WildcardName, lines: tuple[str, ...], resolvers: Resolvers
) -> Finding:
    """The finding about a name of another machine for which the search domain answers first."""
    call = f'{container} calls "{stray.name}"'
    finding = _taken_call_finding(container, stray, lines, resolvers, call)
    finding = replace(finding, signs=_OF_A_STRANGER | {"certificate", "tls"})
    return finding.with_variables(_option_variables(container, "ndots:1"))


def _taken_call_finding(
    container: Container,
    stray: WildcardName,
    lines: tuple[str, ...],
    resolvers: Resolvers,
    call: str,
) -> Finding:
    """The finding about a name for which the search domain answers first.

    call: the begin of its sentence, up to the name that is called.
    """
    conf = resolvers.inside[container.id]
    line = next(filter(stray.is_in, lines), "")
    return Finding.about(
        container,
        f"{call}, and reaches {and_more(stray.addresses)}: with ndots:{conf.ndots} "
        f'"{stray.name}.{stray.domain}" is asked for first, and the wildcard of that search domain '
        "answers",
        present(
            {
                "called by": stray.where,
                f"*.{stray.domain} A": list(stray.addresses),
                "options in its resolv.conf": list(conf.options),
                "log": shortened(line),
            }
        ),
        discriminator=stray.name,
        severity=None if line else Severity.warning,
        signs=_OF_A_STRANGER,
        recheck=(container.run,),
    )


def _option_variables(container: Container, option: str) -> PageVariables:
    """The page variables that give a container another `ndots`."""
    has_options = bool(container.host_config.dns_options)
    return {"redotted" if has_options else "dotted": container.name, "dns_option": option}


def _finding(container: Container, stray: WildcardName, lines: tuple[str, ...]) -> Finding:
    repeated_line = next(filter(stray.is_in, lines), "")
    evidence: dict[str, Json] = {
        "called by": stray.where,
        f"*.{stray.domain} A": list(stray.addresses),
    }
    if repeated_line:
        evidence["log"] = repeated_line[:200]
    return Finding.about(
        container,
        sentence(
            f'{container} calls "{stray.name}", which no running container on its networks has: '
            f'the wildcard of search domain "{stray.domain}" answers with '
            f"{and_more(stray.addresses)}",
            _owner_clause(stray),
        ),
        evidence,
        discriminator=stray.name,
        severity=None if repeated_line else Severity.warning,
        signs=_OF_A_STRANGER,
        recheck=(container.run,),
        variables=_cure(container, stray),
    )


def _owner_clause(stray: WildcardName) -> str:
    """The container that has the name, and is stopped or on another network; "" without one."""
    if stray.stopped is not None:
        return f"{stray.stopped} has the name and is stopped"
    if stray.elsewhere is not None:
        owner = stray.elsewhere.owner
        return f'{owner} has the name on network "{stray.elsewhere.network}"'
    return ""


def _cure(container: Container, stray: WildcardName) -> PageVariables:
    """The page variables that bring the owner of the name back, or else switch the search off."""
    if stray.stopped is not None:
        return {"stopped": stray.stopped.name}
    if stray.elsewhere is not None and not container.shares_network:
        return {"apart": container.name, "its_network": stray.elsewhere.network}
    return {"no_search_json": '{"dns-search": ["."]}'}
