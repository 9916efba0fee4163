"""Names of containers: asked where the engine cannot resolve them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.settings.loopback_words import with_name
from diagnose.evidence.dns.failed_names import FailedNames, referenced_names
from diagnose.evidence.dns.service_names import (
    called_names,
    names_on,
    of_project,
    owners_of,
    resolves,
)
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.networks import DEFAULT_NETWORK, Network, Networks
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Subject
from diagnose.phrases import agree, joined, named, quoted, sentence
from diagnose.registry import check


@check(
    "dns.service-on-other-network",
    severity=Severity.critical,
    causes=["container.restart-loop", "container.exits-at-start", "container.unhealthy"],
    caused_by=["network.veth-detached"],
)
def service_on_other_network(
    containers: Containers, networks: Networks, failed: FailedNames | None, ping: Ping | None
) -> CheckResult:
    """A container looks up the name of a container that is not on its networks.

    The engine resolves a container's name only for containers on one of its user-defined networks,
    and no names at all on the default network. A container that uses the network of another one,
    as behind a VPN client, has no name: it is reached by the name of that one. Critical where the
    container's log says that the name failed. Where only its environment or command names a service
    of its own compose project, it is a warning.
    """
    failed = FailedNames({}) if failed is None else failed
    is_podman = ping is not None and ping.is_podman
    for container in containers:
        if not _has_names_of_its_own(container):
            continue
        names = {item.name: item.source for item in failed.of(container)}
        for name, source in names.items():
            owners = owners_of(name, container, containers)
            if owners and not resolves(name, container, owners, podman=is_podman):
                call = _Call(container, name, source, _front(owners[0], containers))
                yield _finding(call, owners, networks, Severity.critical)
        yield from _configured_name_findings(container, containers, networks, set(names))
    yield from failed.unread
    return None


def _has_names_of_its_own(container: Container) -> bool:
    """Whether a container asks for names itself, and not as another container does."""
    has_network = container.host_config.network_mode != "none"
    return has_network and not container.joins_network_of_other


class _Call(msgspec.Struct, frozen=True):
    """A container that calls a name, and where that is known from.

    front: the container whose network the owner of the name uses.
    """

    caller: Container
    name: str
    source: str
    front: Container | None


def _front(owner: Container, containers: Containers) -> Container | None:
    """The running container whose network another one uses in place of its own."""
    front = containers.owner_of(owner)
    return front if front.id != owner.id and front.is_running else None


def _configured_name_findings(
    caller: Container, containers: Containers, networks: Networks, failed: set[str]
) -> Iterator[Finding]:
    """Names of services of the caller's own project in its configuration."""
    if not caller.is_running or caller.shares_host_network:
        return
    for name, place in referenced_names(caller).items():
        owners = of_project(owners_of(name, caller, containers), caller)
        running = [owner for owner in owners if owner.is_running]
        is_news = bool(running) and name not in failed
        if is_news and not resolves(name, caller, running, podman=False):
            call = _Call(caller, name, place, _front(running[0], containers))
            yield _finding(call, running, networks, Severity.warning)


def _finding(
    call: _Call, owners: list[Container], networks: Networks, severity: Severity
) -> Finding:
    caller, owner = call.caller, owners[0]
    finding = Finding.about(
        caller,
        sentence(f'{caller} cannot resolve "{call.name}": {_why(call, owner)}', _down(owner)),
        {
            "the name is in": quoted(call.source),
            f"networks of {caller.name}": _places(caller),
            f"networks of {owner.name}": _places(owner),
        },
        discriminator=call.name,
        severity=severity,
        touches=(owner.subject, *owner.network_subjects),
        signs=frozenset({"dns"}),
        name=call.name,
        owner=owner.name,
    )
    return finding.with_variables(_cure(call, owner, networks))


def _down(owner: Container) -> str:
    """A container that does not run has no name on any network."""
    return "" if owner.is_running else f"{owner} does not run ({owner.state.status})"


def _places(container: Container) -> list[str]:
    return ["the host's network"] if container.shares_host_network else sorted(container.endpoints)


def _why(call: _Call, owner: Container) -> str:
    """Why the engine's resolver does not know the called container, in words."""
    caller = call.caller
    if caller.shares_host_network:
        return (
            f'it uses the host\'s network, where names of containers such as "{owner.name}" do not '
            "exist"
        )
    if owner.shares_host_network:
        return f"{owner} uses the host's network and has no name on any network"
    if call.front is not None:
        return (
            f"{owner} shares the network of {call.front} and answers only to the name of that one"
        )
    if set(caller.endpoints) == set(owner.endpoints) == {DEFAULT_NETWORK}:
        return f"both it and {owner} are on the default network, where the engine resolves no names"
    return f"it is on {_named_networks(caller)}, {owner} on {_named_networks(owner)}"


def _named_networks(container: Container) -> str:
    names = sorted(container.endpoints)
    quoted = joined([f'"{name}"' for name in names])
    return f"{agree(names, 'network', 'networks')} {quoted}" if names else "no network"


def _cure(call: _Call, owner: Container, networks: Networks) -> PageVariables:
    """The network to connect the caller to.

    Where the owner has none that resolves names: the name of a new network for both.
    """
    caller = call.caller
    if caller.shares_host_network:
        return _by_published_port(caller, call.front or owner)
    if owner.shares_host_network:
        return {}
    if call.front is not None:
        return _by_front(caller, call.front, networks)
    if owner.joins_network_of_other or not owner.endpoints:
        return {}
    down = {} if owner.is_running else {"down": owner.name}
    network = _shared_place(owner, networks)
    if network is None:
        return {"created": f"{caller.name}-net", **down}
    return {"network": network.name, **down}


def _by_front(caller: Container, front: Container, networks: Networks) -> PageVariables:
    """The network on which the caller reaches the other container's front."""
    network = _shared_place(front, networks)
    if network is None or network.name not in caller.endpoints:
        return {}
    return {"front": front.name, "front_network": network.name}


def _shared_place(owner: Container, networks: Networks) -> Network | None:
    """The network of the owner on which others can call it by name; one that leads out first."""
    usable = filter(_resolves_names, networks.of(owner))
    return min(usable, key=lambda network: network.internal, default=None)


def _resolves_names(network: Network) -> bool:
    return network.is_bridge and network.name != DEFAULT_NETWORK


def _by_published_port(caller: Container, owner: Container) -> PageVariables:
    """The command or variable of the caller with the other one's published port on the host.

    Nothing where no word of them, or several, name the other container with such a port.
    """
    cures = [
        with_name(caller, f"{name}:{published.number}", f"127.0.0.1:{published.host_port}")
        for published in owner.published_by("tcp")
        for name in sorted(owner.dns_names)
    ]
    different = {tuple(cure.items()) for cure in cures if cure}
    return dict(different.pop()) if len(different) == 1 else {}


@check("dns.name-shared-by-projects", severity=Severity.warning, causes=["container.errors-in-log"])
def name_shared_by_projects(
    containers: Containers, networks: Networks, recent_logs: RecentLogs | None
) -> CheckResult:
    """Services of two compose projects have one name on a network that both use.

    The engine answers a query for the name with the addresses of both, in changing order. A
    container that is configured to call the name reaches the other project's service now and then.
    It is critical where a line of its log has the address of that service beside the name, or says
    that a call to that address failed. Nothing is said where no container calls the name.
    """
    for network in networks:
        if network.name == DEFAULT_NETWORK:
            continue
        members = [
            container
            for container in containers.running_on(network.name)
            if container.compose_project
        ]
        shared = _shared_names(network.name, members)
        called = called_names(members) if shared else {}
        for name, owners in shared.items():
            projects = _projects_of(owners)
            callers = [
                member for member in called.get(name, ()) if member.compose_project in projects
            ]
            led_astray = _led_astray(network.name, name, owners, members, recent_logs)
            if callers or led_astray:
                shared_name = _SharedName(network.name, name, owners, callers, led_astray)
                yield _shared_name_finding(shared_name)
    return None


_FAILED_CALL = frozenset({"refused", "timeout", "unreachable"})
_PAIR = 2
"""Services that may each give up the name on the shared network."""
_WORD = LazyPattern(r"[A-Za-z0-9_][\w-]*")
_ADDRESS = LazyPattern(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)")


class _Astray(msgspec.Struct, frozen=True):
    """A line of a caller's log that shows whom it reached by the name."""

    caller: Container
    owner: Container
    line: str


def _led_astray(
    network: str,
    name: str,
    owners: list[Container],
    members: list[Container],
    recent_logs: RecentLogs | None,
) -> list[_Astray]:
    """The members that reached the other project's service, by the newest line of each."""
    found = []
    for member in members if recent_logs is not None else ():
        strangers = {
            owner.endpoints[network].ip_address: owner
            for owner in owners
            if owner.compose_project != member.compose_project
        }
        is_of_both = len(strangers) < len(owners)
        lines = recent_logs.of(member) if recent_logs is not None and is_of_both else ()
        telling = (item.text for item in reversed(lines) if _tells_of_call(item.text, name))
        reached = ((text, _owner_in(text, strangers)) for text in telling)
        for text, owner in reached:
            if owner is not None:
                found.append(_Astray(member, owner, text))
                break
    return found


def _tells_of_call(text: str, name: str) -> bool:
    """Whether a line says the name, or that a call failed: many print the address alone."""
    return bool(signs(text) & _FAILED_CALL) or name in _WORD.findall(text)


def _owner_in(text: str, owners: Mapping[str, Container]) -> Container | None:
    """The first owner whose address stands in a line."""
    return next((owners[found] for found in _ADDRESS.findall(text) if found in owners), None)


def _shared_names(network: str, members: list[Container]) -> dict[str, list[Container]]:
    """The names that services of several projects have on a network."""
    names = names_on(network, members)
    return {name: owners for name, owners in names.items() if len(_projects_of(owners)) > 1}


def _projects_of(containers: list[Container]) -> set[str]:
    return {container.compose_project for container in containers}


class _SharedName(msgspec.Struct, frozen=True):
    """A name of two services on one network, who is configured to call it, and whom that led."""

    network: str
    name: str
    owners: list[Container]
    configured: list[Container]
    led_astray: list[_Astray]

    @property
    def callers(self) -> list[Container]:
        callers = [*(item.caller for item in self.led_astray), *self.configured]
        return list({caller.id: caller for caller in callers}.values())

    @property
    def severity(self) -> Severity | None:
        if self.led_astray:
            return Severity.critical
        return Severity.advice if any(map(self._has_own_place, self.callers)) else None

    @property
    def has_private_places(self) -> bool:
        """Whether every caller has the service of its own project on another network too."""
        return all(map(self._has_own_place, self.callers))

    def _has_own_place(self, caller: Container) -> bool:
        """Whether the caller shares another network with the service of its own project.

        The engine asks a container's networks one after the other, and may take the other one
        first.
        """
        return any(
            (caller.endpoints.keys() & owner.endpoints.keys()) - {self.network}
            for owner in of_project(self.owners, caller)
        )


def _shared_name_finding(shared: _SharedName) -> Finding:
    network, name, owners, callers = shared.network, shared.name, shared.owners, shared.callers
    variables = {"network": network}
    stranger = _movable_stranger(owners, callers)
    if stranger is not None:
        variables["stranger"] = stranger.name
    elif shared.has_private_places and len(owners) == _PAIR:
        variables |= {"first": owners[0].name, "second": owners[1].name}
    reached = f"has reached {shared.led_astray[0].owner}" if shared.led_astray else "reaches either"
    return Finding(
        subject=Subject("network", network),
        summary=(
            f'on network "{network}" the name "{name}" is that '
            f"of {named('container', names_of(owners))}, of different projects: "
            f'{callers[0]} calls "{name}" and {reached}'
        ),
        evidence=present(
            {
                "projects": {owner.name: owner.compose_project for owner in owners},
                "addresses": {owner.name: owner.endpoints[network].ip_address for owner in owners},
                "called by": {
                    caller.name: referenced_names(caller)[name] for caller in shared.configured[:5]
                },
                "log": quoted(shared.led_astray[0].line) if shared.led_astray else "",
            }
        ),
        variables=variables,
        discriminator=name,
        severity=shared.severity,
        touches=subjects_of((*owners, *callers)),
    )


def _movable_stranger(owners: list[Container], callers: list[Container]) -> Container | None:
    """The one container of another project that has the name, where its project calls nobody."""
    strangers = [owner for owner in owners if owner.compose_project != callers[0].compose_project]
    is_movable = _projects_of(strangers).isdisjoint(_projects_of(callers))
    return strangers[0] if len(strangers) == 1 and is_movable else None
