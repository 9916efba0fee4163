"""The engine's own resolver, as containers on user-defined networks meet it."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.lookups import DnsReply, Lookups
from diagnose.evidence.dns.resolvers import EMBEDDED
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Subject
from diagnose.registry import check


@check(
    "dns.embedded-rules-missing",
    severity=Severity.critical,
    caused_by=["daemon.not-running", "daemon.hung"],
)
def embedded_rules_missing(
    containers: Containers, lookups: Lookups, namespaces: Namespaces | None, daemon: Daemon | None
) -> CheckResult:
    """A container's DNS queries no longer reach the engine's resolver.

    127.0.0.11:53 is redirected to a socket of the engine by nat rules inside the container's
    namespace; a firewall script or VPN client in the container that flushes nat takes them away,
    and nothing listens on port 53 then. The socket ends with the engine: where containers outlive
    it, queries are refused although the rules are there.
    """
    yield from lookups.unasked
    for container in containers.running:
        reply = lookups.embedded.get(container.id)
        if (
            reply is not None
            and reply.icmp == "refused"
            and container.host_config.runtime != "runsc"
        ):
            netns = None if namespaces is None else namespaces.of(container)
            yield _finding(container, reply, netns, daemon)


def _finding(
    container: Container, reply: DnsReply, netns: ContainerNetns | None, daemon: Daemon | None
) -> Finding:
    engine_answers = daemon is not None and daemon.answers
    listens = engine_answers if netns is None else _listens(netns)
    if listens:
        cause = "the rules that lead them to the engine's resolver are gone from its network"
    elif netns is not None:
        cause = "the engine's resolver does not listen there"
    else:
        cause = "the engine, whose resolver should listen there, does not answer"
    finding = Finding.about(
        container,
        f"{container} cannot resolve any name: queries to {EMBEDDED} are refused, since {cause}",
        {
            f"{EMBEDDED}:53 asked from the container": str(reply),
            f"sockets of the engine on {EMBEDDED}": _sockets(netns) if netns else "not seen",
        },
        touches=(
            *(Subject("network", name) for name in container.endpoints),
            *(() if listens else (DAEMON,)),
        ),
        signs=frozenset({"dns"}),
        recheck=(container.run,),
    )
    # a restart needs the engine, and with it nothing else
    return finding.with_variables({"restarted": container.name}) if engine_answers else finding


def _sockets(netns: ContainerNetns) -> list[str]:
    sockets = {
        f"{socket.protocol} {socket.port}"
        for socket in netns.listeners
        if socket.address == EMBEDDED
    }
    return sorted(sockets)


def _listens(netns: ContainerNetns) -> bool:
    """Whether the engine's resolver takes queries over UDP, like the query that was refused."""
    return any(
        socket.protocol == "udp" and socket.address == EMBEDDED for socket in netns.listeners
    )
