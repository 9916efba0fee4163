"""Lines of containers' hosts files that give a name another address than its owner has now.

The C library reads /etc/hosts before it asks any server, so that such a line hides the engine's
answer. A line may also lead to an address of one of Docker's networks that no container has any
more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from ipaddress import ip_address

import msgspec
from msgspec.structs import replace

from diagnose.error_signatures import NO_WAY_OUT, signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.items import Items
from diagnose.evidence.network.addresses import is_address
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.evidence.network.calls.logged_failures import LoggedFailures
from diagnose.evidence.network.calls.unanswered_calls import UnansweredCalls
from diagnose.evidence.network.interfaces import Interfaces
from diagnose.evidence.network.networks import DEFAULT_NETWORK, Networks
from diagnose.evidence.network.proxies.pages.failed_answers import AllFailedAnswers
from diagnose.mappings import only
from diagnose.model import EvidenceGroup
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

MOST = 20
"""Hosts files that are read: those of containers that complain."""
_OF_CALLS = NO_WAY_OUT | {"refused", "certificate"}
"""Classes of errors of a call that reached no program, or a wrong one."""
HOSTS = "/etc/hosts"


class PinnedName(msgspec.Struct, frozen=True):
    """A name in a hosts file with a neighbour's address, or an unused one."""

    container: Container
    name: str
    address: str
    """The address in the line."""
    peers: tuple[Container, ...]
    """The containers that have the name; empty for an unused address."""
    left_on: str = ""
    """The network with the address in its subnet, where no container has it any more."""
    meant: Container | None = None
    """The only container on that network that offers the called port."""
    is_configured: bool = False
    """Whether the container was created with the line (`--add-host`, `extra_hosts`)."""
    is_blamed: bool = False
    """Whether a call of the container failed, or its log names the line's name or address."""

    @property
    def file(self) -> str:
        """The file of the host that is mounted there; "" for the engine's own."""
        mount = self.container.mount_at(HOSTS)
        return mount.source if mount is not None else ""

    @property
    def present_address(self) -> str:
        """The address of the meant container on that network; "" where none is known."""
        return self.meant.endpoints[self.left_on].ip_address if self.meant is not None else ""

    @property
    def own_addresses(self) -> dict[str, list[str]]:
        """The addresses of those containers, by their names."""
        return {peer.name: _addresses_beside(peer, self.container) for peer in self.peers}


def _addresses_beside(peer: Container, container: Container) -> list[str]:
    """The addresses of a container on the networks of another one."""
    shared = peer.shared_networks(container)
    ends = (end for network, end in peer.endpoints.items() if network in shared)
    return [address for end in ends for address in end.addresses]


class PinnedNames(Items[PinnedName], frozen=True):
    """The pinned names of containers that complain."""

    def blamed(
        self, failing: Collection[str], complaint_lines: Mapping[str, Sequence[str]]
    ) -> PinnedNames:
        """The same names, each with whether the complaint may be about it.

        failing: ids of containers whose calls or requests fail. complaint_lines: what others say,
        by id.
        """
        return PinnedNames(
            tuple(
                replace(
                    pinned,
                    is_blamed=pinned.container.id in failing
                    or _may_blame(complaint_lines.get(pinned.container.id, ()), pinned),
                )
                for pinned in self
            )
        )


def _may_blame(lines: Sequence[str], pinned: PinnedName) -> bool:
    """Whether lines show a call that failed, or name where the hosts file leads."""
    return any(
        pinned.name in line or pinned.address in line or signs(line) & _OF_CALLS for line in lines
    )


class NameComplaints(EvidenceGroup, frozen=True):
    """Evidence that a container does not reach another."""

    log_tails: LogTails | None = None
    repeated_errors: RepeatedErrors | None = None
    logged_failures: LoggedFailures | None = None
    unanswered_calls: UnansweredCalls | None = None
    all_failed_answers: AllFailedAnswers | None = None

    @property
    def failing(self) -> frozenset[str]:
        """The ids of containers whose calls or requests fail."""
        calls = (*(self.logged_failures or ()), *(self.unanswered_calls or ()))
        troubles = (*calls, *(self.all_failed_answers or ()))
        return frozenset(trouble.container.id for trouble in troubles)

    @property
    def said(self) -> dict[str, list[str]]:
        """The lines of containers that failed, or that repeat an error, by their ids."""
        tails = self.log_tails.by_id if self.log_tails is not None else {}
        lines_by_id = {id: list(tail.lines) for id, tail in tails.items()}
        for error in self.repeated_errors or ():
            lines_by_id.setdefault(error.container.id, []).extend((error.line.whole, *error.lines))
        for failure in self.logged_failures or ():
            lines_by_id.setdefault(failure.container.id, []).append(failure.line)
        return lines_by_id


@evidence
def pinned_names(
    host: Host,
    containers: Containers,
    complaints: NameComplaints,
    networks: Networks | None,
    links: Interfaces | None,
) -> PinnedNames:
    """Names of other containers with a pinned address in a failing container's hosts file.

    Each complaining container takes one question, up to `MOST`. The file that the engine keeps is
    read, which is the one that the container has mounted.
    """
    failing = complaints.failing
    complaint_lines = complaints.said
    complaining = failing | complaint_lines.keys()
    suspects = [
        container
        for container in containers
        if container.id in complaining and _is_given_names(container)
    ]
    chosen = host.first(suspects, MOST, "hosts files of containers that complain")
    files = host.answers_about(
        [container.hosts_path for container in chosen], lambda path: ReadFile(path, follow=False)
    )
    names: list[PinnedName] = []
    for container in chosen:
        if container.hosts_path in files:
            text = files[container.hosts_path].text
            names += _names_of_others(container, text, containers)
            if networks is not None and links is not None:
                left_over = _names_left_over(container, text, containers, networks, links)
                lines = complaint_lines.get(container.id, [])
                names += _called_names(left_over, containers, lines, complaints.unanswered_calls)
    return PinnedNames(tuple(names)).blamed(failing, complaint_lines)


def _is_given_names(container: Container) -> bool:
    """Whether a container has a hosts file, and a network by which it may call others."""
    return bool(container.hosts_path and container.endpoints)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Address and name; of two lines with one name the first counts."""
    known_names = set()
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        for name in names:
            if name not in known_names:
                known_names.add(name)
                yield address, name


def _names_of_others(
    container: Container, text: str, containers: Containers
) -> Iterator[PinnedName]:
    """The names of others in a hosts file."""
    for address, name in _lines(text):
        peers = _peers(container, name, containers)
        is_configured = name in container.extra_names
        pinned = PinnedName(container, name, address, peers, is_configured=is_configured)
        own_addresses = [own for owns in pinned.own_addresses.values() for own in owns]
        if own_addresses and address not in own_addresses:
            yield pinned


def _names_left_over(
    container: Container, text: str, containers: Containers, networks: Networks, links: Interfaces
) -> Iterator[PinnedName]:
    """The names in a hosts file with an address of Docker's that no container has any more.

    The container's own line is left out: a container that is between two starts has no address.
    """
    names_of_container = {container.config.hostname, *container.dns_names}
    for address, name in _lines(text):
        if (
            name in names_of_container
            or not is_address(address)
            or _peers(container, name, containers)
        ):
            continue
        network = networks.bridge_of(ip_address(address))
        is_left = network is not None and (network.name, address) not in containers.by_place
        if network is None or not is_left or links.holds(address):
            continue
        is_configured = name in container.extra_names
        left_on = network.name
        yield PinnedName(container, name, address, (), left_on=left_on, is_configured=is_configured)


def _called_names(
    names: Iterator[PinnedName],
    containers: Containers,
    complaint_lines: Sequence[str],
    unanswered_calls: UnansweredCalls | None,
) -> Iterator[PinnedName]:
    """The names whose calls fail, each with the intended container.

    complaint_lines: the log lines of the calling container.
    """
    lines_of_calls = [line for line in complaint_lines if signs(line) & _OF_CALLS]
    for pinned in names:
        ports = set(_ports_in_lines(pinned, lines_of_calls))
        ports.update(
            call.port
            for call in unanswered_calls or ()
            if call.container.id == pinned.container.id and call.address == pinned.address
        )
        if not ports:
            continue
        texts = set(map(str, ports))
        offering = [
            other
            for other in containers.running_on(pinned.left_on)
            if other.id != pinned.container.id and not other.offered_ports.isdisjoint(texts)
        ]
        yield replace(pinned, meant=only(offering))


def _ports_in_lines(pinned: PinnedName, lines: Sequence[str]) -> Iterator[int]:
    """The port that each line about a call to a pinned name gives; 0 where it gives none."""
    for line in lines:
        if _is_named(pinned.name, line) or _is_named(pinned.address, line):
            host, port = place_in(line)
            yield port if host in (pinned.name, pinned.address) else 0


def _is_named(word: str, line: str) -> bool:
    """Whether a name or an address is in a line as a whole."""
    return re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-]|\.\w)", line) is not None


def _peers(container: Container, name: str, containers: Containers) -> tuple[Container, ...]:
    """The other running containers that the engine gives for that name; none for its own names."""
    if name in container.dns_names or name in container.linked_names:
        return ()
    networks = container.endpoints.keys() - {DEFAULT_NETWORK}
    called = {peer.id: peer for network in networks for peer in containers.called(network, name)}
    return tuple(peer for peer in called.values() if peer.is_running)
