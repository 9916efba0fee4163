"""dns.service-on-other-network: a container looks up a name of another network."""

from collections.abc import Iterator

from checks.dns.helpers import FAILED_CONTAINERS
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.names.failed_names import FailedNames, referenced_names
from diagnose.evidence.dns.names.name_calls import (
    NameCall,
    front_of,
    network_owner_of,
    owners_beside,
)
from diagnose.evidence.dns.names.service_names import resolves
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.networks import DEFAULT_NETWORK, Networks
from diagnose.first_steps.dns.name_cures import steps_to_owner
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import agree, joined, quoted, sentence
from diagnose.registry import check


@check(
    "dns.service-on-other-network",
    severity=Severity.critical,
    causes=FAILED_CONTAINERS,
    caused_by=["network.veth-detached"],
)
def service_on_other_network(
    containers: Containers, networks: Networks, failed: FailedNames | None, ping: Ping | None
) -> CheckResult:
    """A container looks up the name of a container that is not on its networks.

    The engine resolves a container's name only for containers on one of its user-defined networks,
    and no names at all on the default network. A container that uses the network of another one,
    as behind a VPN client, has no name: it is reached by the name of that one, and it asks for
    names on the networks of that one. It is critical where the container's log says that the name
    failed. Where only its environment or command names a service of its own compose project, it is
    a warning.
    """
    failed = FailedNames({}) if failed is None else failed
    is_podman = ping is not None and ping.is_podman
    for container in containers:
        network_owner = network_owner_of(container, containers)
        if network_owner is None:
            continue
        names = {failed_name.name: failed_name.source for failed_name in failed.of(container)}
        for name, source in names.items():
            owners = owners_beside(name, container, network_owner, containers)
            if owners and not resolves(name, network_owner, owners, podman=is_podman):
                front = front_of(owners[0], containers)
                call = NameCall(container, name, source, network_owner, front)
                yield _finding(call, owners, networks, Severity.critical)
        yield from _configured_name_findings(
            container, network_owner, containers, networks, set(names)
        )
    yield from failed.unread


def _configured_name_findings(
    caller: Container,
    network_owner: Container,
    containers: Containers,
    networks: Networks,
    failed: set[str],
) -> Iterator[Finding]:
    """Names of services of the caller's own project in its configuration."""
    if not caller.is_running or network_owner.shares_host_network:
        return
    for name, place in referenced_names(caller).items():
        if name in failed or not containers.named_in_project_of(caller, name):
            continue
        owners = owners_beside(name, caller, network_owner, containers)
        running = [owner for owner in owners if owner.is_running]
        if running and not resolves(name, network_owner, running, podman=False):
            call = NameCall(caller, name, place, network_owner, front_of(running[0], containers))
            yield _finding(call, running, networks, Severity.warning)


def _finding(
    call: NameCall, owners: list[Container], networks: Networks, severity: Severity
) -> Finding:
    caller = call.caller
    owner = owners[0]
    return Finding.about(
        caller,
        sentence(
            f'{caller} cannot resolve "{call.name}": {_unknown_name_clause(call, owner)}',
            _is_down_clause(owner),
        ),
        {
            "the name is in": quoted(call.source),
            f"networks of {call.network_owner.name}": _places(call.network_owner),
            f"networks of {owner.name}": _places(owner),
        },
        discriminator=call.name,
        severity=severity,
        touches=(owner.subject, *owner.network_subjects),
        signs=frozenset({"dns"}),
        variables={"name": call.name, "owner": owner.name, **steps_to_owner(call, owner, networks)},
    )


def _is_down_clause(owner: Container) -> str:
    """A container that does not run has no name on any network."""
    return "" if owner.is_running else f"{owner} is not running ({owner.state.status})"


def _places(container: Container) -> list[str]:
    if container.shares_host_network:
        return ["the host's network"]
    if container.joins_network_of_other:
        return ["that of another container"]
    return sorted(container.endpoints)


def _unknown_name_clause(call: NameCall, owner: Container) -> str:
    """The reason why the engine's resolver does not know the called container, as a clause."""
    network_owner = call.network_owner
    if network_owner.shares_host_network:
        return (
            f'it uses the host\'s network, where names of containers such as "{owner.name}" do not '
            "exist"
        )
    if owner.shares_host_network:
        return f"{owner} uses the host's network and has no name on any network"
    if call.share_one_network:
        return (
            f"both it and {owner} use the network of {network_owner}, where they reach each other "
            "at 127.0.0.1"
        )
    if call.front is not None:
        return (
            f"{owner} shares the network of {call.front} and can be reached only by the name of "
            "that container"
        )
    if set(network_owner.endpoints) == set(owner.endpoints) == {DEFAULT_NETWORK}:
        return f"both it and {owner} are on the default network, where the engine resolves no names"
    theirs = f"{owner} on {_named_networks(owner)}"
    if call.is_from_guest:
        networks_of_owner = _named_networks(network_owner)
        return f"it uses the network of {network_owner}, which is on {networks_of_owner}, {theirs}"
    return f"it is on {_named_networks(network_owner)}, {theirs}"


def _named_networks(container: Container) -> str:
    names = sorted(container.endpoints)
    quoted = joined([f'"{name}"' for name in names])
    return f"{agree(names, 'network', 'networks')} {quoted}" if names else "no network"
