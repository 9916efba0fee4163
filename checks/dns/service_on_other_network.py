"""dns.service-on-other-network: a container looks up a name of another network."""

import re
from collections.abc import Iterator

import msgspec

from checks.dns.helpers import FAILED_CONTAINERS
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.settings.loopback_words import with_name
from diagnose.evidence.dns.names.failed_names import FailedNames, referenced_names
from diagnose.evidence.dns.names.service_names import of_project, owners_of, resolves
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.networks import DEFAULT_NETWORK, Network, Networks
from diagnose.mappings import only
from diagnose.model import CheckResult, Finding, PageVariables, Severity
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
    names on the networks of that one. Critical where the container's log says that the name failed.
    Where only its environment or command names a service of its own compose project, it is a
    warning.
    """
    failed = FailedNames({}) if failed is None else failed
    is_podman = ping is not None and ping.is_podman
    for container in containers:
        seat = _seat(container, containers)
        if seat is None:
            continue
        names = {failed_name.name: failed_name.source for failed_name in failed.of(container)}
        for name, source in names.items():
            owners = _owners_beside(name, container, seat, containers)
            if owners and not resolves(name, seat, owners, podman=is_podman):
                front = _front(owners[0], containers)
                call = _NameCall(container, name, source, seat, front)
                yield _finding(call, owners, networks, Severity.critical)
        yield from _configured_name_findings(container, seat, containers, networks, set(names))
    yield from failed.unread


def _seat(container: Container, containers: Containers) -> Container | None:
    """The container on whose networks another one asks for names: itself, or the one it joined.

    None where it has no network, and where the joined one does not run.
    """
    if container.host_config.network_mode == "none":
        return None
    if not container.joins_network_of_other:
        return container
    seat = containers.owner_of(container)
    return seat if seat.id != container.id and seat.is_running else None


def _owners_beside(
    name: str, caller: Container, seat: Container, containers: Containers
) -> list[Container]:
    """The owners of a name, without the container whose network the caller uses.

    None where that one has the name too, as a VPN client with the names of its guests: the engine
    gives its address, at which they all are.
    """
    named = {owner.id for owner in containers.by_dns_name.get(name, ())}
    if seat.id != caller.id and seat.id in named and set(seat.endpoints) != {DEFAULT_NETWORK}:
        return []
    return [owner for owner in owners_of(name, caller, containers) if owner.id != seat.id]


class _NameCall(msgspec.Struct, frozen=True):
    """A container that calls a name, and where that is known from.

    seat: the container on whose networks it asks. front: the container whose network the owner of
    the name uses.
    """

    caller: Container
    name: str
    source: str
    seat: Container
    front: Container | None

    @property
    def is_from_guest(self) -> bool:
        """Whether the caller uses the network of another container."""
        return self.seat.id != self.caller.id

    @property
    def is_at_home(self) -> bool:
        """Whether caller and owner use the network of one other container."""
        return self.front is not None and self.front.id == self.seat.id


def _front(owner: Container, containers: Containers) -> Container | None:
    """The running container whose network another one uses in place of its own."""
    front = containers.owner_of(owner)
    return front if front.id != owner.id and front.is_running else None


def _configured_name_findings(
    caller: Container, seat: Container, containers: Containers, networks: Networks, failed: set[str]
) -> Iterator[Finding]:
    """Names of services of the caller's own project in its configuration."""
    if not caller.is_running or seat.shares_host_network:
        return
    for name, place in referenced_names(caller).items():
        owners = of_project(_owners_beside(name, caller, seat, containers), caller)
        running = [owner for owner in owners if owner.is_running]
        is_news = bool(running) and name not in failed
        if is_news and not resolves(name, seat, running, podman=False):
            call = _NameCall(caller, name, place, seat, _front(running[0], containers))
            yield _finding(call, running, networks, Severity.warning)


def _finding(
    call: _NameCall, owners: list[Container], networks: Networks, severity: Severity
) -> Finding:
    caller, owner = call.caller, owners[0]
    finding = Finding.about(
        caller,
        sentence(
            f'{caller} cannot resolve "{call.name}": {_unknown_name_clause(call, owner)}',
            _is_down_clause(owner),
        ),
        {
            "the name is in": quoted(call.source),
            f"networks of {call.seat.name}": _places(call.seat),
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


def _is_down_clause(owner: Container) -> str:
    """A container that does not run has no name on any network."""
    return "" if owner.is_running else f"{owner} does not run ({owner.state.status})"


def _places(container: Container) -> list[str]:
    if container.shares_host_network:
        return ["the host's network"]
    if container.joins_network_of_other:
        return ["that of another container"]
    return sorted(container.endpoints)


def _unknown_name_clause(call: _NameCall, owner: Container) -> str:
    """Why the engine's resolver does not know the called container, in words."""
    seat = call.seat
    if seat.shares_host_network:
        return (
            f'it uses the host\'s network, where names of containers such as "{owner.name}" do not '
            "exist"
        )
    if owner.shares_host_network:
        return f"{owner} uses the host's network and has no name on any network"
    if call.is_at_home:
        return f"both it and {owner} use the network of {seat}, where they meet at 127.0.0.1"
    if call.front is not None:
        return (
            f"{owner} shares the network of {call.front} and answers only to the name of that one"
        )
    if set(seat.endpoints) == set(owner.endpoints) == {DEFAULT_NETWORK}:
        return f"both it and {owner} are on the default network, where the engine resolves no names"
    theirs = f"{owner} on {_named_networks(owner)}"
    if call.is_from_guest:
        return f"it uses the network of {seat}, which is on {_named_networks(seat)}, {theirs}"
    return f"it is on {_named_networks(seat)}, {theirs}"


def _named_networks(container: Container) -> str:
    names = sorted(container.endpoints)
    quoted = joined([f'"{name}"' for name in names])
    return f"{agree(names, 'network', 'networks')} {quoted}" if names else "no network"


def _cure(call: _NameCall, owner: Container, networks: Networks) -> PageVariables:
    """The network to connect the caller to.

    Where the owner has none that resolves names: the name of a new network for both.
    """
    caller = call.caller
    if call.seat.shares_host_network:
        return _published_port_variables(caller, call.front or owner)
    if call.is_at_home:
        return _loopback_variables(caller, call.name)
    if owner.shares_host_network:
        return {}
    if call.is_from_guest:
        return _seat_variables(call, owner, networks)
    if call.front is not None:
        return _front_variables(caller, call.front, networks)
    if owner.joins_network_of_other or not owner.endpoints:
        return {}
    down = {} if owner.is_running else {"down": owner.name}
    network = _shared_place(owner, networks)
    if network is None:
        return {"created": f"{caller.name}-net", **down}
    return {"network": network.name, **down}


def _seat_variables(call: _NameCall, owner: Container, networks: Networks) -> PageVariables:
    """The network to which the container is to be connected whose network the caller uses."""
    network = None if call.front is not None else _shared_place(owner, networks)
    if network is None or not owner.is_running:
        return {}
    return {"seat": call.seat.name, "seat_network": network.name}


def _loopback_variables(caller: Container, name: str) -> PageVariables:
    """The caller's command or variable with 127.0.0.1 in the place of a name, before a port."""
    words = [*caller.command, *(value for _, value in caller.config.environment)]
    called = re.compile(rf"(?<![\w.-]){re.escape(name)}:(\d{{2,5}})(?!\d)")
    ports = {match[1] for word in words for match in called.finditer(word)}
    port = only(sorted(ports))
    return {} if port is None else {**with_name(caller, f"{name}:{port}", f"127.0.0.1:{port}")}


def _front_variables(caller: Container, front: Container, networks: Networks) -> PageVariables:
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


def _published_port_variables(caller: Container, owner: Container) -> PageVariables:
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
