"""dns.engine-resolver-bypassed: a container on a network of its own does not ask the engine."""

import msgspec

from checks.dns.helpers import FAILED_CONTAINERS
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.dns.resolvers import EMBEDDED, ResolvConf, Resolvers
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.model import CheckResult, Finding, Severity, Skipped
from diagnose.phrases import joined
from diagnose.registry import check


@check("dns.engine-resolver-bypassed", severity=Severity.critical, causes=FAILED_CONTAINERS)
def engine_resolver_bypassed(
    containers: Containers, resolvers: Resolvers, failed_names: FailedNames, ping: Ping | None
) -> CheckResult:
    """A container does not ask the engine for the names of other containers.

    Only the engine knows those names. It answers at 127.0.0.11 on user-defined networks. VPN
    clients write their own server into resolv.conf, and containers that share their network share
    the file. Such a container's log says that it cannot resolve the name of a container that runs
    on the same network.
    """
    if ping is not None and ping.is_podman:
        return Skipped("Podman has another resolver, at the gateway of each network")
    for container in containers.running:
        owner = containers.owner_of(container)
        conf = resolvers.inside.get(owner.id)
        if conf is None or conf.is_embedded:
            continue
        for failed in failed_names.of(container):
            known_name = _known_name(failed.name, owner, containers)
            if known_name is not None and failed.name not in owner.extra_names:
                yield _finding(container, owner, conf, known_name)
    yield from failed_names.unread


class _KnownName(msgspec.Struct, frozen=True):
    """A name of a running container on a network of another one."""

    name: str
    other: Container
    """The container that has it."""
    address: str


def _known_name(name: str, owner: Container, containers: Containers) -> _KnownName | None:
    for other in containers.by_dns_name.get(name, ()):
        if not other.is_running or other.id == owner.id:
            continue
        for network, endpoint in other.endpoints.items():
            is_shared = network in owner.endpoints and network != DEFAULT_NETWORK
            if is_shared and endpoint.ip_address:
                return _KnownName(name, other, endpoint.ip_address)
    return None


def _finding(
    container: Container, owner: Container, conf: ResolvConf, known_name: _KnownName
) -> Finding:
    name = known_name.name
    other = known_name.other
    address = known_name.address
    owner_clause = "" if owner.id == container.id else f" of {owner}, whose network it shares,"
    servers = joined(conf.nameservers) if conf.nameservers else "no server"
    return Finding.about(
        container,
        f'{container} cannot resolve "{name}", the name of {other} on its network: '
        f"/etc/resolv.conf{owner_clause} names {servers} and not the engine's resolver "
        f"{EMBEDDED}, the only one that knows names of containers",
        {
            f"/etc/resolv.conf of {owner.name}": list(conf.nameservers),
            f"address of {other.name}": address,
        },
        discriminator=name,
        touches=(owner.subject,),
        calls=(other.subject,),
        signs=frozenset({"dns"}),
        recheck=(*container.caller_runs, *owner.caller_runs, other.run),
        variables={"owner": owner.name, "line": f"{address} {name}", "called": name},
    )
