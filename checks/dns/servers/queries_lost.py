"""DNS servers that answer some queries and lose others."""

from collections.abc import Sequence

from checks.dns.helpers import touched_subjects
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.dns.ignored_questions import IgnoredQuestions, ServersWithoutAaaa
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.query_groups import QueryGroup, query_groups
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.dns.samples import DnsSamples, SampledPath
from diagnose.evidence.dns.server_losses import ServerLoss, server_losses, users_of
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.paths.outgoing.resolver_paths import ResolverPaths
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.sockets.losses import NetworkLosses
from diagnose.model import (
    CheckResult,
    EvidenceGroup,
    Finding,
    PageVariables,
    Severity,
    Skipped,
    Unavailable,
)
from diagnose.model.subjects import HOST
from diagnose.model.units import Percent
from diagnose.phrases import named, sentence
from diagnose.registry import check

_RANDOM = ("statistic", "limit", "numgen")
"""Words of rules that match only some of many equal packets."""


class LossPlaces(EvidenceGroup, frozen=True):
    """Evidence that may show the place where queries are lost."""

    resolver_paths: ResolverPaths | None
    network_losses: NetworkLosses | None


@check(
    "dns.queries-lost",
    severity=Severity.critical,
    caused_by=["network.conntrack-full"],
    causes=["dns.upstream-unreachable", "dns.host-broken"],
)
def queries_lost(
    lookups: Lookups,
    samples: DnsSamples | Unavailable,
    resolvers: Resolvers,
    containers: Containers | None,
    places: LossPlaces,
    without_aaaa: ServersWithoutAaaa | None,
    *,
    warn_pct: Percent = Percent(15),
    critical_pct: Percent = Percent(40),
) -> CheckResult:
    """A DNS server leaves some queries without an answer.

    Eight queries are sent to each server, from the host and from one container of each network, and
    twelve more where some of them were lost. Each lost query makes a program wait for five seconds.
    It is a warning while another server loses nothing. A server that answers questions for IPv4
    addresses and none for IPv6 addresses is a warning too: it is asked about two names. What would
    fool it: a server that limits how many equal queries it answers.
    """
    if isinstance(samples, Unavailable):
        return samples
    if not samples.paths:
        return Skipped("no DNS server was sent several queries")
    groups = query_groups(containers, resolvers, lookups)
    losses = places.network_losses
    sent_again = losses.sent_again if losses is not None else {}
    for loss in server_losses(samples, groups, sent_again, warn_pct):
        yield _finding(loss, places.resolver_paths, critical_pct)
    lossy_servers = {path.server for path in samples.paths if path.loses_some}
    for ignored in without_aaaa or ():
        if ignored.server not in lossy_servers:
            users = users_of(ignored.server, groups)
            yield _ignored_finding(ignored, users, _answering_server(lookups, without_aaaa))


def _finding(
    loss: ServerLoss, resolver_paths: ResolverPaths | None, critical_pct: float
) -> Finding:
    server = loss.server
    sample = loss.worst.sample
    rule = _random_rule(loss, resolver_paths)
    evidence: dict[str, object] = {
        f"DNS server {server} asked from {_caller_clause(path)}": str(path.sample)
        for path in loss.paths
    }
    if loss.is_of_network:
        evidence["TCP segments that were sent again"] = {
            name: f"{pct:.0f} %" for name, pct in list(loss.sent_again.items())[:5]
        }
    if rule is not None:
        evidence["rule that matches some packets"] = str(rule)
    severe = sample.lost_pct >= critical_pct and not loss.sound
    return Finding(
        subject=HOST,
        summary=sentence(
            f"DNS server {server} does not answer {sample.lost} of {sample.sent} queries, "
            "and each lookup that loses one takes seconds longer",
            _loss_clause(loss),
            f"the rule {rule} matches some of the packets" if rule is not None else "",
            f"{loss.sound} answers all" if loss.sound else "",
        ),
        evidence=evidence,
        variables=_variables(loss),
        discriminator=server,
        severity=None if severe else Severity.warning,
        touches=touched_subjects(loss.users),
        signs=frozenset({"dns"}),
    )


def _variables(loss: ServerLoss) -> PageVariables:
    """The page variables: the server to which the path is examined, or the server to use
    instead."""
    if loss.is_of_network:
        return {"beyond": loss.server}
    if loss.sound and ":" not in loss.server + loss.sound:
        return {"lossy_server": loss.server, "sound_server": loss.sound}
    # what the host's own queries do not lose, a ping of the host does not lose either
    return {"inward": loss.server} if loss.host_loses_none else {"server": loss.server}


def _answering_server(lookups: Lookups, without_aaaa: ServersWithoutAaaa | None) -> str:
    """Another server of the host that answers both kinds of questions; empty if there is none."""
    ignoring = {ignored.server for ignored in without_aaaa or ()}
    others = (server for server, reply in lookups.host.items() if reply.answered)
    remote = (server for server in others if server not in ignoring and not is_loopback(server))
    return next(remote, "")


def _ignored_finding(ignored: IgnoredQuestions, users: Sequence[QueryGroup], sound: str) -> Finding:
    server = ignored.server
    variables = {"ignoring_server": server}
    if sound and ":" not in server + sound:
        variables = {"lossy_server": server, "sound_server": sound}
    return Finding(
        subject=HOST,
        summary=sentence(
            f"DNS server {server} answers no question for IPv6 addresses (AAAA), and programs "
            "that ask for both kinds of addresses wait for seconds at each lookup",
            f"{sound} answers both" if sound else "",
        ),
        evidence={
            f"DNS server {server} asked for com. A": str(ignored.ipv4),
            f"DNS server {server} asked for com. AAAA": str(ignored.ipv6),
        },
        variables=variables,
        discriminator=f"{server} AAAA",
        severity=Severity.warning,
        touches=touched_subjects(users),
        signs=frozenset({"dns"}),
    )


def _caller_clause(path: SampledPath) -> str:
    return f"network {'+'.join(path.networks)}" if path.networks else "host"


def _loss_clause(loss: ServerLoss) -> str:
    """The clause about the place of the loss: the host's network, the path to the server, or the
    networks themselves."""
    if loss.is_of_network:
        most = max(loss.sent_again, key=loss.sent_again.__getitem__)
        return (
            f'this host loses TCP packets too: container "{most}" had to send '
            f"{loss.sent_again[most]:.0f} % of its packets again"
        )
    if not loss.host_loses_none:
        return "the server, or the way to it, loses them"
    networks = named("network", loss.networks)
    return f"the host's own are all answered, so they are lost on the way from {networks}"


def _random_rule(loss: ServerLoss, resolver_paths: ResolverPaths | None) -> Step | None:
    """A rule of the host on the way of these queries that matches by chance or by rate."""
    for path in resolver_paths or ():
        obstacle = path.trace.obstacle
        is_here = path.server == loss.server and path.network.name in loss.networks
        if is_here and obstacle is not None and any(word in obstacle.by.rule for word in _RANDOM):
            return obstacle.by
    return None
