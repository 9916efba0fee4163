"""Checks of packets that the host itself may not send: to its containers, its DNS servers and
its registries."""

from msgspec.structs import replace

from checks.firewall.helpers import with_bridges
from diagnose.evidence.dns.filtered_queries import DnsPath
from diagnose.evidence.dns.lookups import Lookups
from diagnose.evidence.dns.resolvers import Resolvers
from diagnose.evidence.images.pulls.stopped_pulls import StoppedPull, StoppedPulls
from diagnose.evidence.network.paths.host_paths import HostPath, HostPaths, Obstacle
from diagnose.evidence.network.paths.packet_paths import PacketPaths, Step
from diagnose.evidence.network.rules.rule_programs import place_of
from diagnose.first_steps.network import rule_cures
from diagnose.first_steps.network.rule_cures import (
    is_for_answers,
    of_blocked_calls,
    of_blocked_paths,
)
from diagnose.mappings import by_key, names_of, paired, present, subjects_of
from diagnose.model import DAEMON, HOST, CheckResult, Finding, Severity, Skipped
from diagnose.phrases import agree, and_more, joined, named
from diagnose.registry import check


@check(
    "firewall.output-dropped",
    severity=Severity.critical,
    causes=["dns.host-broken", "dns.udp-blocked", "image.registry-unreachable"],
)
def output_dropped(
    host_paths: HostPaths,
    dns_path: DnsPath | None,
    packet_paths: PacketPaths | None,
    stopped_pulls: StoppedPulls | None,
    resolvers: Resolvers | None,
    lookups: Lookups | None,
) -> CheckResult:
    """The host's own packet filter drops what the host sends.

    The kill switch of a VPN lets out what goes to its tunnel, and knows nothing of Docker's
    bridges: docker-proxy and clients on the host do not reach containers, while clients from
    outside do. A container with host networking that runs such a VPN closes the host. A rule that
    drops everything a container sends also drops its answers to the host: that is
    firewall.forward-dropped.

    The engine's resolver asks the servers of containers from the host. A rule against one that the
    host itself does not use is a warning, and so is one beside which another server answers.
    """
    queries = (dns_path or DnsPath({})).of_host
    pulls = stopped_pulls if stopped_pulls is not None else StoppedPulls()
    if host_paths.why_none:
        return Skipped(host_paths.why_none)
    if not len(host_paths) and not queries and not len(pulls):
        return Skipped("no running container publishes a TCP port on a bridge network")
    blocked = _paths_by_obstacle(host_paths, packet_paths)
    servers_by_rule = by_key((rule, server) for server, rule in queries.items())
    for obstacle, paths in blocked.items():
        yield _blocked_paths_finding(obstacle, paths, servers_by_rule.get(obstacle.by, []))
    reported = {obstacle.by for obstacle in blocked}
    for server, rule in queries.items():
        if rule not in reported:
            yield _blocked_query_finding(server, rule, resolvers, lookups)
    for step, stopped in by_key((pull.by, pull) for pull in pulls).items():
        if step not in reported and step not in servers_by_rule:
            yield _blocked_pull_finding(step, stopped)


def _paths_by_obstacle(
    host_paths: HostPaths, packet_paths: PacketPaths | None
) -> dict[Obstacle, list[HostPath]]:
    """The paths of the host that a rule of its own blocks, by the rule."""
    outbound_paths = packet_paths.outbound_paths if packet_paths is not None else ()
    of_containers = {
        outbound.sample.by for outbound in outbound_paths if outbound.sample.is_blocked
    }
    return by_key(
        (obstacle, path)
        for path, obstacle in paired(host_paths, _rule_of_host)
        if not (obstacle.part == "reply" and obstacle.by in of_containers)
    )


def _rule_of_host(path: HostPath) -> Obstacle | None:
    """The rule for the host's own packets that blocks a path.

    FORWARD is not a hook of theirs: a route leads them elsewhere, which
    network.subnet-overlaps-route reports.
    """
    obstacle = path.trace.obstacle
    if obstacle is None or not path.trace.is_blocked:
        return None
    return obstacle if obstacle.reason == "rule" and obstacle.hook != "forward" else None


def _blocked_paths_finding(
    obstacle: Obstacle, paths: list[HostPath], servers: list[str]
) -> Finding:
    step = obstacle.by
    first = paths[0]
    packets = "the answers" if obstacle.part == "reply" else "what it sends"
    names = sorted(path.container.name for path in paths)
    networks = named("network", sorted(path.network.name for path in paths))
    dns = f", and not DNS server {and_more(servers)}" if servers else ""
    return Finding(
        subject=HOST,
        summary=(
            f"this host itself cannot reach containers on {networks}{dns}: {step} drops {packets}"
        ),
        evidence=present(
            {
                **step.evidence,
                "for example": f"this host to {first.address}:{first.port} ({first.container.name})",
                "containers that publish ports": names,
                "DNS servers": servers,
            }
        ),
        variables=of_blocked_paths(obstacle, first, servers),
        discriminator=step.key,
        severity=None if servers else Severity.warning,
        touches=with_bridges([path.network for path in paths]) + ((DAEMON,) if servers else ()),
        signs=frozenset({"dns"}) if servers else frozenset(),
    )


def _blocked_query_finding(
    server: str, step: Step, resolvers: Resolvers | None, lookups: Lookups | None
) -> Finding:
    finding = Finding(
        subject=HOST,
        summary=f"this host itself cannot ask DNS server {server}: {step} drops the query or its answer",
        evidence={**step.evidence, "DNS servers": [server]},
        variables=of_blocked_calls(step, "", [server]),
        discriminator=f"{server} {step.key}",
        touches=(DAEMON,),
        signs=frozenset({"dns"}),
    )
    if resolvers is None or lookups is None or resolvers.host_unread:
        return finding
    if server not in resolvers.host_servers:
        return _containers_query_finding(finding, server, step, lookups)
    if any(lookups.reaches(other) for other in resolvers.host_servers):
        return replace(finding, severity=Severity.warning)
    return finding


def _containers_query_finding(
    finding: Finding, server: str, step: Step, lookups: Lookups
) -> Finding:
    """The finding about a server that the engine's resolver asks for containers, and that the host
    does not use for itself."""
    members = [
        container for path in lookups.ways if path.server == server for container in path.members
    ]
    users = named("container", names_of(members)) if members else "containers"
    return replace(
        finding,
        summary=(
            f"the engine on this host cannot ask DNS server {server} for {users}: {step} drops the "
            "query or its answer"
        ),
        severity=Severity.warning,
        touches=subjects_of(members),
    )


def _blocked_pull_finding(step: Step, pulls: list[StoppedPull]) -> Finding:
    registries = list(dict.fromkeys(pull.trouble.registry for pull in pulls))
    quoted = joined([f'"{registry}"' for registry in registries])
    port = {"answers_port" if is_for_answers(step) else "pull_port": str(pulls[0].port)}
    return Finding(
        subject=HOST,
        summary=(
            f"this host itself cannot reach {agree(registries, 'registry', 'registries')} {quoted}: "
            f"{step} drops what it sends or the answers"
        ),
        evidence={**step.evidence, "registries": registries},
        variables=rule_cures.unban(step) or {**place_of(step), **port},
        discriminator=f"registry {step.key}",
        severity=Severity.warning,
        touches=(DAEMON, *(pull.trouble.subject for pull in pulls)),
    )
