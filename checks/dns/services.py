"""Names of containers: asked where the engine cannot resolve them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.loopback_words import with_name
from diagnose.evidence.dns.failed_names import FailedNames, referenced_names
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.networks import Networks
from diagnose.mappings import names_of, subjects_of
from diagnose.model import CheckResult, Finding, Severity, Subject
from diagnose.phrases import agree, joined, named, sentence
from diagnose.registry import check

_DEFAULT_NETWORK = "bridge"
"""The network on which the engine resolves no names of containers."""


@check(
    "dns.service-on-other-network",
    severity=Severity.critical,
    causes=["container.restart-loop", "container.exits-at-start", "container.unhealthy"],
)
def service_on_other_network(
    containers: Containers, networks: Networks, failed: FailedNames | None, ping: Ping | None
) -> CheckResult:
    """A container looks up the name of a container that is not on its networks.

    The engine resolves a container's name only for containers on one of its user-defined networks,
    and no names at all on the default network. Critical where the container's log says that the
    name failed. Where only its environment or command names a service of its own compose project,
    it is a warning.
    """
    for container in containers:
        mode = container.host_config.network_mode
        if mode == "none" or mode.startswith("container:"):
            continue
        names = {} if failed is None else {item.name: item.source for item in failed.of(container)}
        for name, source in names.items():
            owners = _owners(name, container, containers)
            if owners and not _resolves(
                name, container, owners, podman=ping is not None and ping.is_podman
            ):
                yield _finding(_Call(container, name, source), owners, networks, Severity.critical)
        yield from _by_configuration(container, containers, networks, set(names))
    if failed is not None:
        yield from failed.unread
    return None


class _Call(msgspec.Struct, frozen=True):
    """A container that calls a name, and where that is known from."""

    caller: Container
    name: str
    source: str


def _by_configuration(
    caller: Container, containers: Containers, networks: Networks, failed: set[str]
) -> Iterator[Finding]:
    """Names of services of the caller's own project in its configuration."""
    if not caller.is_running or caller.shares_host_network or not caller.compose_project:
        return
    for name, place in referenced_names(caller).items():
        owners = [
            owner
            for owner in _owners(name, caller, containers)
            if owner.is_running and owner.compose_project == caller.compose_project
        ]
        if name not in failed and owners and not _resolves(name, caller, owners, podman=False):
            yield _finding(_Call(caller, name, place), owners, networks, Severity.warning)


def _owners(name: str, caller: Container, containers: Containers) -> list[Container]:
    """The containers that answer to a name.

    Services of the caller's own project first, else any container.
    """
    others = [owner for owner in containers.by_dns_name.get(name, ()) if owner.id != caller.id]
    # an old container that a recreate has kept has the name too
    owners = sorted(others, key=lambda owner: not owner.is_running)
    project = caller.compose_project
    of_project = [owner for owner in owners if project and owner.compose_project == project]
    return of_project or owners


def _resolves(name: str, caller: Container, owners: list[Container], *, podman: bool) -> bool:
    """Whether the caller is given an address for the name.

    The engine gives it, or a line of the caller's hosts file.
    """
    if name in caller.extra_names:
        return True
    if any(
        link.rpartition(":")[2].rpartition("/")[2] == name
        for link in caller.host_config.links or ()
    ):
        return True
    shared = {
        network for owner in owners for network in owner.endpoints if network in caller.endpoints
    }
    return bool(shared if podman else shared - {_DEFAULT_NETWORK})


def _finding(
    call: _Call, owners: list[Container], networks: Networks, severity: Severity
) -> Finding:
    caller, owner = call.caller, owners[0]
    finding = Finding.about(
        caller,
        sentence(f'{caller} cannot resolve "{call.name}": {_why(caller, owner)}', _down(owner)),
        {
            "the name is in": call.source[:300],
            f"networks of {caller.name}": _places(caller),
            f"networks of {owner.name}": _places(owner),
        },
        discriminator=call.name,
        severity=severity,
        touches=(owner.subject, *(Subject("network", name) for name in owner.endpoints)),
        signs=frozenset({"dns"}),
        name=call.name,
        owner=owner.name,
    )
    return finding.with_variables(_cure(caller, owner, networks))


def _down(owner: Container) -> str:
    """A container that does not run has no name on any network."""
    return "" if owner.is_running else f"{owner} does not run ({owner.state.status})"


def _places(container: Container) -> list[str]:
    return ["the host's network"] if container.shares_host_network else sorted(container.endpoints)


def _why(caller: Container, owner: Container) -> str:
    if caller.shares_host_network:
        return (
            f'it uses the host\'s network, where names of containers such as "{owner.name}" do not '
            "exist"
        )
    if owner.shares_host_network:
        return f"{owner} uses the host's network and has no name on any network"
    if set(caller.endpoints) == set(owner.endpoints) == {_DEFAULT_NETWORK}:
        return f"both it and {owner} are on the default network, where the engine resolves no names"
    return f"it is on {_named_networks(caller)}, {owner} on {_named_networks(owner)}"


def _named_networks(container: Container) -> str:
    names = sorted(container.endpoints)
    quoted = joined([f'"{name}"' for name in names])
    return f"{agree(names, 'network', 'networks')} {quoted}" if names else "no network"


def _cure(caller: Container, owner: Container, networks: Networks) -> dict[str, str]:
    """The network to connect the caller to.

    Where the owner has none that resolves names: the name of a new network for both.
    """
    if caller.shares_host_network:
        return _by_published_port(caller, owner)
    if owner.shares_host_network:
        return {}
    usable = [
        network
        for name in sorted(owner.endpoints)
        if name != _DEFAULT_NETWORK
        and (network := networks.by_name.get(name)) is not None
        and network.is_bridge
    ]
    down = {} if owner.is_running else {"down": owner.name}
    if not usable:
        return {"created": f"{caller.name}-net", **down}
    open_ones = [network for network in usable if not network.internal]
    return {"network": (open_ones or usable)[0].name, **down}


def _by_published_port(caller: Container, owner: Container) -> dict[str, str]:
    """The command or variable of the caller with the other one's published port on the host.

    Nothing where no word of them, or several, name the other container with such a port.
    """
    cures = [
        with_name(caller, f"{name}:{port.removesuffix('/tcp')}", f"127.0.0.1:{binding.host_port}")
        for port, binding in owner.published_ports
        for name in sorted(owner.dns_names)
        if port.endswith("/tcp")
    ]
    different = {tuple(cure.items()) for cure in cures if cure}
    return dict(different.pop()) if len(different) == 1 else {}


@check("dns.name-shared-by-projects", severity=Severity.warning)
def name_shared_by_projects(containers: Containers, networks: Networks) -> CheckResult:
    """Services of two compose projects have one name on a network that both use.

    The engine answers a query for the name with the addresses of both, in changing order. A
    container that is configured to call the name reaches the other project's service now and then.
    Nothing is said where no container calls the name.
    """
    for network in networks:
        if network.name == _DEFAULT_NETWORK:
            continue
        members = [
            container
            for container in containers.running_on(network.name)
            if container.compose_project
        ]
        shared = {
            name: owners
            for name, owners in _names_on(network.name, members).items()
            if len({owner.compose_project for owner in owners}) > 1
        }
        if not shared:
            continue
        called = _called_names(members)
        for name, owners in shared.items():
            projects = {owner.compose_project for owner in owners}
            callers = [
                member for member in called.get(name, ()) if member.compose_project in projects
            ]
            if callers:
                yield _shared_name(network.name, name, owners, callers)
    return None


def _called_names(members: list[Container]) -> dict[str, list[Container]]:
    """Who is configured to call each name."""
    called: dict[str, list[Container]] = {}
    for member in members:
        for name in referenced_names(member):
            called.setdefault(name, []).append(member)
    return called


def _names_on(network: str, members: list[Container]) -> dict[str, list[Container]]:
    """The containers of each name on a network, in the order of their own names."""
    owners: dict[str, list[Container]] = {}
    for member in sorted(members, key=lambda member: member.name):
        endpoint = member.endpoints[network]
        for name in sorted({*(endpoint.aliases or ()), *(endpoint.dns_names or ())}):
            owners.setdefault(name, []).append(member)
    return owners


def _shared_name(
    network: str, name: str, owners: list[Container], callers: list[Container]
) -> Finding:
    caller = callers[0]
    project = caller.compose_project
    strangers = [owner for owner in owners if owner.compose_project != project]
    is_private = any(_has_own_place(caller, owners, network) for caller in callers)
    calling = {caller.compose_project for caller in callers}
    movable = [owner for owner in strangers if owner.compose_project not in calling]
    return Finding(
        subject=Subject("network", network),
        summary=(
            f'on network "{network}" the name "{name}" is that '
            f"of {named('container', names_of(owners))}, of different projects: "
            f'{caller} calls "{name}" and reaches either'
        ),
        evidence={
            "projects": {owner.name: owner.compose_project for owner in owners},
            "addresses": {owner.name: owner.endpoints[network].ip_address for owner in owners},
            "called by": {caller.name: referenced_names(caller)[name] for caller in callers[:5]},
        },
        variables={
            "network": network,
            **({"stranger": movable[0].name} if len(strangers) == len(movable) == 1 else {}),
        },
        discriminator=name,
        severity=Severity.advice if is_private else None,
        touches=subjects_of((*owners, *callers)),
    )


def _has_own_place(caller: Container, owners: list[Container], network: str) -> bool:
    """Whether the caller shares another network with the service of its own project.

    The engine asks a container's networks one after the other, and may take the other one first.
    """
    own = [owner for owner in owners if owner.compose_project == caller.compose_project]
    return any((caller.endpoints.keys() & owner.endpoints.keys()) - {network} for owner in own)
