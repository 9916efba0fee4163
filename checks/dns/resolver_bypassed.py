"""dns.resolver-bypassed: programs that ask no DNS server, or not the one of their container."""

from collections.abc import Mapping

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.absent_resolvers import AbsentResolver, AbsentResolvers
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.dns.resolvers import EMBEDDED, Resolvers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.first_steps.dns.resolver_steps import host_server_steps, resolver_steps
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import HOST, CheckResult, Finding, Severity, Subject
from diagnose.model.units import Seconds
from diagnose.phrases import count, named, quoted, sentence
from diagnose.registry import check

_NO_SERVER = LazyPattern(r"\bno resolver defined to resolve\b")
_ANSWERED_NO = LazyPattern(r"\bcould not be resolved \((?:2: Server failure|3: Host not found|5: )")


@check("dns.resolver-bypassed", severity=Severity.critical)
def resolver_bypassed(
    containers: Containers,
    failed: FailedNames,
    ping: Ping | None,
    clock: Clock | None,
    absent_resolvers: AbsentResolvers | None,
    resolvers: Resolvers | None,
    *,
    settled: Seconds = Seconds(60),
) -> CheckResult:
    """nginx asks no DNS server, or not the one of its container.

    A name in a variable, as in `proxy_pass http://$backend`, is looked up at each request, and by
    nginx itself: it asks the servers of its own directive `resolver` and never reads
    /etc/resolv.conf. Without the directive each request ends with 502. A server of the outside
    knows no names of containers.

    The log shows it repeatedly, and within the last moments; a name that the container's networks
    do not know either is left to dns.service-on-other-network. The name of a container that was
    restarted less than `settled` ago is left out too: in a restart loop it comes and goes.

    The engine's resolver, which guides recommend, exists only on user-defined networks: nginx on
    the default network, on the host's network or on the host itself is refused at 127.0.0.11.
    """
    for resolver in absent_resolvers or ():
        yield _absent_resolver_finding(resolver, resolvers)
    names_by_network = _without_restarting(containers, clock, settled).names_by_network
    for container in containers.running:
        for name in failed.of(container):
            has_no_server = _NO_SERVER.search(name.line) is not None
            if has_no_server or _asks_another(container, name, names_by_network):
                finding = _finding(container, name, has_no_server=has_no_server)
                if ping is None or not ping.is_podman:
                    cure = resolver_steps(container, has_no_server=has_no_server)
                    finding = finding.with_variables(cure)
                yield finding
    yield from failed.unread


def _absent_resolver_finding(resolver: AbsentResolver, resolvers: Resolvers | None) -> Finding:
    """The finding about nginx, of a container or of the host, that asks the engine's resolver and
    is refused."""
    container = resolver.container
    line = resolver.lines[-1]
    times = count(len(resolver.lines), "time")
    if container is None:
        return Finding(
            subject=HOST,
            summary=f"nginx on this host asks {EMBEDDED} for the server behind it ({times} "
            "recently): that is the engine's resolver, which exists only inside containers",
            evidence={"/var/log/nginx": quoted(line)},
            discriminator=EMBEDDED,
            signs=signs(line),
            variables=host_server_steps(resolvers, "this host"),
        )
    network = "the host's network" if resolver.is_on_host else named("network", [DEFAULT_NETWORK])
    finding = Finding.about(
        container,
        sentence(
            f"{container} cannot resolve names ({times} recently): its nginx asks {EMBEDDED}, the "
            "engine's resolver, which exists only on user-defined networks",
            f"the container is on {network}",
        ),
        {"log": quoted(line), "networks": sorted(container.endpoints)},
        discriminator=EMBEDDED,
        signs=signs(line),
        recheck=container.caller_runs,
    )
    if resolver.is_on_host:
        return finding.with_variables(host_server_steps(resolvers, container.name))
    return finding.with_variables({"unresolved": container.name})


def _without_restarting(containers: Containers, clock: Clock | None, settled: float) -> Containers:
    """The containers without those that may be between two runs of a restart loop."""
    return Containers(
        tuple(
            container
            for container in containers
            if clock is None
            or not container.restart_count
            or not clock.is_within(container.started_at, settled)
        )
    )


def _asks_another(
    container: Container, name: FailedName, names_by_network: Mapping[str, set[str]]
) -> bool:
    """Whether another server denies a name that the container's networks know."""
    networks = [network for network in container.endpoints if network != DEFAULT_NETWORK]
    is_near = any(name.name in names_by_network.get(network, ()) for network in networks)
    return is_near and _ANSWERED_NO.search(name.line) is not None


def _finding(container: Container, name: FailedName, *, has_no_server: bool) -> Finding:
    if has_no_server:
        cause = "nginx has no resolver directive"
    else:
        cause = "the DNS server in its resolver directive does not know names of containers"
    return Finding.about(
        container,
        f'{container} cannot resolve "{name.name}": {cause}',
        {"log": quoted(name.line), "networks": sorted(container.endpoints)},
        discriminator=name.name,
        touches=tuple(Subject("network", network) for network in sorted(container.endpoints)),
        signs=signs(name.line),
        recheck=container.caller_runs,
        variables={"name": name.name},
    )
