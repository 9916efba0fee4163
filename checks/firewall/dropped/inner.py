"""Connections that containers want and do not get: to a program of the host, and to each other."""

from collections.abc import Sequence

from checks.firewall.helpers import with_bridges
from diagnose.error_signatures import NO_WAY_OUT
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.network.paths.packet_paths import Step
from diagnose.evidence.network.paths.wanted.wanted_paths import WantedPath, WantedPaths, failing
from diagnose.evidence.network.rules.packet_filter import Firewall
from diagnose.evidence.network.sockets.docker_proxies import DOCKER_PROXY
from diagnose.first_steps.network import rule_cures
from diagnose.first_steps.network.rule_cures import between_bridges
from diagnose.mappings import by_key, names_of, only, subjects_of
from diagnose.model import CheckResult, Finding, Json, Severity, Skipped, Unexamined
from diagnose.model.subjects import HOST
from diagnose.phrases import named, numbered
from diagnose.registry import check


@check("firewall.input-dropped", severity=Severity.critical)
def input_dropped(
    wanted_paths: WantedPaths, firewall: Firewall | None, containers: Containers | None
) -> CheckResult:
    """The host's firewall blocks a service that containers are configured to use.

    A packet from a container to an address of the host meets the input rules like one from outside,
    and its interface is the bridge: ufw's and firewalld's defaults drop it. A port that no
    container needs may be closed. A port that leads to another container is called by way of
    docker-proxy, a program of the host: on a network of both, that container's name leads past it.
    """
    if wanted_paths.why_none:
        return Skipped(wanted_paths.why_none)
    paths = [path for path in wanted_paths if path.kind == "to the host"]
    if not paths:
        return Skipped("no running container is configured to use a service on this host")
    yield from _undecided_items(paths)
    for step, blocked in _by_rule(_surely_blocked(paths)).items():
        yield _to_host_finding(step, blocked, firewall, containers)


def _surely_blocked(paths: Sequence[WantedPath]) -> list[WantedPath]:
    """The paths that a rule certainly stops.

    Where only the host is needed, and no port of it, all of its ports must be closed.
    """
    open_to = {
        path.want.container.id for path in paths if not path.want.port and not path.trace.is_blocked
    }
    return [
        path
        for path in paths
        if path.trace.is_blocked and (path.want.port or path.want.container.id not in open_to)
    ]


def _by_rule(paths: Sequence[WantedPath]) -> dict[Step, list[WantedPath]]:
    """The paths that a rule stops, by the rule."""
    stopped = ((path.trace.rule_in_the_way, path) for path in paths)
    return by_key((obstacle.by, path) for obstacle, path in stopped if obstacle is not None)


def _undecided_items(paths: Sequence[WantedPath]) -> CheckResult:
    known_ids = set()
    for path in paths:
        container = path.want.container
        if path.trace.outcome == "unknown" and container.id not in known_ids:
            known_ids.add(container.id)
            yield Unexamined(container.subject, f"the verdict depends on {path.trace.by}")


def _to_host_finding(
    step: Step, paths: Sequence[WantedPath], firewall: Firewall | None, known: Containers | None
) -> Finding:
    first = paths[0]
    listener = paths[0].listener
    published_by = _container_behind(paths, known)
    leads_clause = f", which leads to {published_by}" if published_by is not None else ""
    containers = {path.want.container.id: path.want.container for path in paths}
    names = sorted(names_of(containers.values()))
    is_wanted = bool(first.want.port or first.want.has_failed) and failing(paths)
    obstacle = first.trace.rule_in_the_way
    is_answer = obstacle is not None and obstacle.part == "reply"
    packets = "answers to" if is_answer else "packets from"
    place = f"{listener.address}:{listener.port}, {listener.holder}" if listener else None
    return Finding(
        subject=HOST,
        summary=(
            f"{named('container', names)} cannot reach {_service(paths)} on this host"
            f"{leads_clause}: {step} drops {packets} {first.network.bridge}"
        ),
        evidence={
            **step.evidence,
            "wanted by": _connection_evidence(paths),
            "listener": place,
            **_way_past_host(first, published_by),
        },
        variables=rule_cures.of_calls_to_host(
            firewall, step, first.network.bridge, first.port, is_answer=is_answer
        ),
        discriminator=step.key,
        severity=None if is_wanted else Severity.warning,
        touches=with_bridges([path.network for path in paths]) + subjects_of(containers.values()),
        signs=NO_WAY_OUT,
    )


def _container_behind(
    paths: Sequence[WantedPath], containers: Containers | None
) -> Container | None:
    """The container to which the one port of the host leads that is called by docker-proxy."""
    port = only({path.port for path in paths})
    listener = paths[0].listener
    is_proxied = listener is not None and listener.comm == DOCKER_PROXY
    return containers.publisher_of(port) if containers and port and is_proxied else None


def _way_past_host(path: WantedPath, published_by: Container | None) -> dict[str, Json]:
    """The network on which the caller may call the container by its name; {} without one."""
    if published_by is None:
        return {}
    common = sorted(path.want.container.shared_networks(published_by))
    if not common:
        return {}
    return {f"network of both, where {published_by.name} is a name": common[0]}


def _service(paths: Sequence[WantedPath]) -> str:
    """The needed ports, and the program behind a single one, as a clause."""
    ports = sorted({path.port for path in paths})
    listener = paths[0].listener
    program = listener.comm if listener is not None and len(ports) == 1 else ""
    at = numbered("port", ports)
    return f"{at} ({program})" if program else at


def _connection_evidence(paths: Sequence[WantedPath]) -> Json:
    """The settings and logs that show the connections that containers need, as evidence."""
    return {
        f"{path.want.container.name} "
        f"to {path.address}:{path.port}": f"{path.want.source}: {path.want.where}"
        for path in paths[:5]
    }


@check(
    "firewall.between-containers",
    severity=Severity.critical,
    caused_by=["firewall.chains-missing", "firewall.backend-mixed"],
)
def between_containers(wanted_paths: WantedPaths, config: DaemonConfig | None) -> CheckResult:
    """A rule drops what one container is configured to send to another.

    On one bridge the packets meet iptables where `net.bridge.bridge-nf-call-iptables` is 1; between
    bridges they meet the engine's isolation, also where a container calls a published port by the
    host's own address and no docker-proxy takes the call. Networks with enable_icc=false are closed
    on purpose.
    """
    if wanted_paths.why_none:
        return Skipped(wanted_paths.why_none)
    paths = [
        path for path in wanted_paths if path.kind == "between containers" and not _is_apart(path)
    ]
    if not paths:
        return Skipped("no running container is configured to call another one at a known port")
    yield from _undecided_items(paths)
    for step, blocked in _by_rule([path for path in paths if path.trace.is_blocked]).items():
        yield _between_finding(step, blocked, config)


def _is_apart(path: WantedPath) -> bool:
    """Whether the network should keep its containers apart."""
    return path.bridged and path.network.option("com.docker.network.bridge.enable_icc") == "false"


def _between_finding(
    step: Step, paths: Sequence[WantedPath], config: DaemonConfig | None
) -> Finding:
    first = paths[0]
    peer = first.peer
    callee = str(peer) if peer is not None else first.address
    callers = sorted({path.want.container.name for path in paths})
    by_host = ""
    proxy = None
    if not first.bridged:
        by_host = f" by the host's address {first.address}"
        proxy = config.value("userland-proxy") if config is not None else None
    return Finding(
        subject=first.want.container.subject if len(callers) == 1 else HOST,
        summary=(
            f"{named('container', callers)} cannot reach port {first.port} "
            f"of {callee}{by_host}: {step} drops the packets"
        ),
        evidence={
            **step.evidence,
            "wanted by": _connection_evidence(paths),
            "userland-proxy": proxy,
        },
        variables=between_bridges(step, first),
        discriminator=step.key,
        severity=None if failing(paths) else Severity.warning,
        touches=with_bridges([path.network for path in paths])
        + tuple(path.want.container.subject for path in paths),
        calls=subjects_of([peer]),
        signs=NO_WAY_OUT,
    )
