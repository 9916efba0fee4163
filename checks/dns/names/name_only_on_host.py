"""dns.name-only-on-host: a container calls a name that the host can resolve, and no container."""

import ipaddress
from collections.abc import Mapping

from checks.dns.helpers import FAILED_CONTAINERS
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.dns.names.failed_names import FailedName, FailedNames
from diagnose.evidence.dns.names.host_known_names import HostKnownName, HostKnownNames
from diagnose.evidence.dns.names.hosts_file import PATH, HostsFile
from diagnose.evidence.dns.names.unresolved_names import OF_DESKTOP
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.addresses import is_loopback, with_port
from diagnose.model import CheckResult, Finding, Json, Severity
from diagnose.phrases import joined, quoted
from diagnose.registry import check

_GATEWAY = "host-gateway"
"""The word that the engine replaces by the host's address, since 20.10."""


@check("dns.name-only-on-host", severity=Severity.critical, causes=FAILED_CONTAINERS)
def name_only_on_host(
    containers: Containers,
    failed: FailedNames,
    hosts_file: HostsFile | None,
    log_tails: LogTails | None,
    ping: Ping | None,
    host_known_names: HostKnownNames | None,
) -> CheckResult:
    """A container cannot resolve a name that its host can.

    Its log shows it. The name is in the host's /etc/hosts, which containers do not read; or it is
    host.docker.internal, which only Docker Desktop defines by itself; or it ends in .local, and
    devices answer for it by multicast DNS, which programs in containers do not ask; or the DNS
    servers of the host know it, and those of the container deny it: a VPN's or a rule's own server
    is asked only on the host. Names of containers, and names that the container's own extra hosts
    have, are left out, and so is a failure that container.option-missing explains.
    """
    on_host = hosts_file.addresses if hosts_file is not None else {}
    is_podman = ping is not None and ping.is_podman
    known_names = host_known_names or HostKnownNames()
    for container in containers:
        if container.shares_host_network or _lacks_option(container, log_tails):
            continue
        for name in failed.of(container):
            if name.name in container.extra_names or name.name in containers.by_dns_name:
                continue
            lowered = name.name.lower()
            if lowered in OF_DESKTOP and not is_podman:
                reason = "which Linux has only with a line in extra_hosts (host-gateway)"
                yield _finding(container, name, reason, _GATEWAY)
            elif lowered in on_host:
                reason = f"which only the host's {PATH} has: containers do not read that file"
                yield _finding(container, name, reason, _address(on_host[lowered]))
            elif _is_multicast(lowered):
                reason = "which devices answer only by multicast DNS: no DNS server knows it"
                yield _finding(container, name, reason, "")
            elif answer := known_names.of(container, name.name):
                yield _known_finding(container, name, answer)
    yield from failed.unread


def _lacks_option(container: Container, log_tails: LogTails | None) -> bool:
    """Whether container.option-missing explains the failure."""
    failure = log_tails.of(container).failure if log_tails is not None else None
    return failure is not None and failure.confirmed_by == "container.option-missing"


def _is_multicast(name: str) -> bool:
    """Whether a name is a device's own; longer names below .local are those of a domain."""
    return name.endswith(".local") and name.count(".") == 1


def _address(address: str) -> str:
    """The address to give to a container: the gateway in place of the host's loopback, which is
    the container's own."""
    return _GATEWAY if is_loopback(address) else address


def _finding(
    container: Container,
    name: FailedName,
    reason: str,
    address: str,
    lookup_evidence: Mapping[str, Json] | None = None,
    severity: Severity | None = None,
) -> Finding:
    entry = {"entry": f"{name.name}:{address}"} if address else {"name": name.name}
    return Finding.about(
        container,
        f'{container} cannot resolve "{name.name}", {reason}',
        {
            "the name is in": quoted(name.source),
            **(lookup_evidence or {}),
            "HostConfig.ExtraHosts": container.host_config.extra_hosts or [],
        },
        discriminator=name.name,
        severity=severity,
        signs=frozenset({"dns"}),
        variables=entry,
    )


def _known_finding(container: Container, name: FailedName, known_name: HostKnownName) -> Finding:
    """The finding about a name that a DNS server of the host knows, and that those of the container
    deny.

    The container's server may deny it on purpose, as one that filters names does.
    """
    answer = known_name.answer
    redirect = known_name.answer.redirect
    lookup_evidence: dict[str, Json] = {
        f"{name.name} A at {answer.server}, asked by the host": answer.address,
        "the container's servers, which deny it": list(known_name.denied_by),
    }
    reason = f"which DNS server {answer.server} tells only the host"
    if not known_name.is_of_one_server:
        others = joined(known_name.denied_by)
        denial = "the answer that there is no such name"
        if known_name.is_without_address:
            denial = "an answer without an address"
            if ipaddress.ip_address(answer.address).is_private:
                denial += (
                    ", as from a server that withholds private ones (DNS rebinding protection)"
                )
        reason = (
            f"which the host's DNS server {answer.server} knows: the container asks {others} "
            f"and gets {denial}"
        )
    if redirect is None:
        return _finding(
            container,
            name,
            reason,
            answer.address,
            lookup_evidence=lookup_evidence,
            severity=Severity.warning,
        )
    place = with_port(redirect.address, redirect.port)
    reason += f": a rule leads the host's own queries to {place}, and those of containers bypass it"
    lookup_evidence["rule"] = redirect.rule
    finding = _finding(container, name, reason, answer.address, lookup_evidence)
    if is_loopback(redirect.address):
        return finding
    return finding.with_variables({"redirected": answer.server, "real_server": place})
