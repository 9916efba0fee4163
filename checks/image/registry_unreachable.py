"""image.registry-unreachable: a registry does not answer the engine."""

import json

from checks.image.failed_pulls import FailedPulls, mirrors_of, own_mirrors, reason_of
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info, Ping
from diagnose.evidence.images.pulls.missing_proxy import missing_proxy
from diagnose.evidence.images.pulls.pull_words import LayerServer
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.images.pulls.registry_names import HUB_HOST, host_name, with_port
from diagnose.evidence.images.pulls.unused_proxies import UnusedProxies
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.first_steps.engine.registry_steps import (
    asked_registry,
    called_server,
    hub_store,
    without_mirror,
)
from diagnose.model import CheckResult, Count, EvidenceGroup, Finding, Seconds, Severity
from diagnose.phrases import count
from diagnose.registry import check

WEB_PAGE = (
    "a web page answers in place of the registry: a proxy or a portal on the way, or another server"
)
CONCURRENT = "max-concurrent-downloads"
DEFAULT_DOWNLOADS = 3
UNANSWERED = (
    "it accepts connections, but the TLS handshake does not finish within 10 s: large packets are "
    "lost on the way (MTU, a filter), or the way is too slow"
)


class EngineFacts(EvidenceGroup, frozen=True):
    """The engine's settings, and the programs of this host that may serve a mirror."""

    info: Info | None
    config: DaemonConfig | None
    ping: Ping | None
    unused: UnusedProxies | None
    containers: Containers | None
    interfaces: Interfaces | None


@check(
    "image.registry-unreachable",
    severity=Severity.warning,
    caused_by=[
        "dns.host-broken",
        "network.local-net-diverted",
        "network.subnet-overlaps-route",
        "network.conntrack-full",
    ],
    observed=True,
)
def registry_unreachable(
    pulls: Pulls,
    clock: Clock,
    facts: EngineFacts,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """A registry cannot be reached from this host.

    The text names the layer: a lookup that failed is the host's DNS (the daemon uses the host's
    resolver, not its containers'), a dial that failed a firewall, a route or a registry that is
    down, a status of 5xx the registry itself, and HTML where JSON is due a proxy, a portal that
    wants a login, or another server. For registries of the internet, the report names a proxy that
    a file has and the engine lacks. A download that broke off shows that the registry itself has
    answered: layers lie on another server, or the way is too slow for all of them at once. Hosts
    without a way to the internet are silent as long as nobody pulls. A mirror that a container of
    this host serves comes before Docker Hub, which such a host may not reach at all.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    unreachable = pulls.of("unreachable")
    mirrors = own_mirrors(mirrors_of(facts.info), facts.containers, facts.interfaces)
    has_failing_mirror = any(trouble.registry in mirrors for trouble in unreachable)
    hub = next((trouble for trouble in unreachable if trouble.host == HUB_HOST), None)
    for trouble in unreachable:
        if trouble.registry in mirrors:
            yield _own_mirror_finding(failures, trouble, mirrors[trouble.registry], hub)
        elif not has_failing_mirror or trouble.host != HUB_HOST:
            # else said of the mirror, by which this host gets all images
            yield _unreachable_finding(failures, trouble, facts)
    by_proxy = {trouble.registry for trouble in pulls.of("proxy")}
    for trouble in pulls.of("web-page"):
        # the page is from the proxy that refuses HTTPS as well
        if not trouble.registry or trouble.registry not in by_proxy:
            yield failures.finding(trouble, reason=WEB_PAGE)


def _unreachable_finding(
    failures: FailedPulls, trouble: PullTrouble, facts: EngineFacts
) -> Finding:
    """The finding about a registry, its server of layers or a mirror that does not answer."""
    mirror = mirrors_of(facts.info).get(trouble.registry)
    layer_server = trouble.words.layer_server
    if trouble.words.why_cut_off:
        return _cut_off_finding(failures, trouble, facts.config)
    if mirror is None and trouble.words.handshake_timed_out:
        return _handshake_finding(failures, trouble)
    if layer_server is not None:
        return _layer_server_finding(failures, trouble, layer_server)
    if mirror is not None:
        return _mirror_finding(failures, trouble, mirror, facts.config)
    missing = missing_proxy(trouble, facts.info, facts.ping, facts.config, facts.unused)
    return failures.finding(
        trouble,
        proof=missing.proof,
        variables=missing.variables
        or called_server(trouble)
        or asked_registry(trouble, facts.info),
        clause=missing.clause,
    )


def _handshake_finding(failures: FailedPulls, trouble: PullTrouble) -> Finding:
    host = trouble.host
    variables = {"registry": host, "handshake": host_name(host)}
    return failures.finding(trouble, reason=UNANSWERED, variables=variables)


def _layer_server_finding(
    failures: FailedPulls, trouble: PullTrouble, server: LayerServer
) -> Finding:
    return failures.finding(
        trouble,
        reason="the registry answers, but the server that stores its layers, "
        f"{server.address}, cannot be reached: {server.why}",
        variables={"layer_server": with_port(server.address)},
    )


def _cut_off_finding(
    failures: FailedPulls, trouble: PullTrouble, config: DaemonConfig | None
) -> Finding:
    """The finding about a download whose connection broke: the registry had answered, and named the
    layers."""
    if trouble.words.handshake_timed_out:
        return _slow_handshakes_finding(failures, trouble, config)
    reason = _why_cut_off(trouble)
    return failures.finding(
        trouble,
        reason="the registry answers, but the connection to the server of the layers was ended "
        f"({reason}): by a web filter, a proxy or a firewall on the way, or by that server",
        variables={"cut_off": reason, **hub_store(trouble)},
    )


def _slow_handshakes_finding(
    failures: FailedPulls, trouble: PullTrouble, config: DaemonConfig | None
) -> Finding:
    """The finding about downloads whose TLS handshakes took too long."""
    file = config.path if config is not None else "daemon.json"
    configured = config.value(CONCURRENT) if config is not None else None
    at_once = configured if isinstance(configured, int) else DEFAULT_DOWNLOADS
    if at_once > 1:
        variables = {"one_json": json.dumps({CONCURRENT: 1})}
    else:
        variables = {"cut_off": _why_cut_off(trouble)}
    return failures.finding(
        trouble,
        proof={f"{file} {CONCURRENT}": at_once},
        reason="the registry answers, but TLS handshakes of the downloads take longer than 10 s: "
        f"the connection is too slow for {count(at_once, 'download')} at once, or large packets "
        "from the server of the layers are lost",
        variables=variables,
    )


def _why_cut_off(trouble: PullTrouble) -> str:
    return trouble.words.why_cut_off.rpartition(": ")[2]


def _mirror_finding(
    failures: FailedPulls, trouble: PullTrouble, mirror: str, config: DaemonConfig | None
) -> Finding:
    return failures.finding(
        trouble,
        proof={"RegistryConfig.Mirrors": mirror},
        variables={"registry": trouble.registry} | without_mirror(mirror, config),
        clause="; it is a mirror of registry-mirrors, and pulls go to Docker Hub without it",
    )


def _own_mirror_finding(
    failures: FailedPulls, trouble: PullTrouble, container: Container, hub: PullTrouble | None
) -> Finding:
    """The finding about a mirror that a container of this host serves."""
    clause = f"; it is the engine's mirror of Docker Hub, and a port of {container}"
    if hub is not None:
        clause += f"; Docker Hub itself is not reached either ({reason_of(hub)})"
    return failures.finding(
        trouble,
        proof={"port": f"published by {container.name}"},
        variables={
            "mirror_container": container.name,
            "mirror_url": f"http://{trouble.registry}/v2/",
        },
        touches=(container.subject,),
        clause=clause,
    )
