"""Names that services of several projects have on one network, and their callers. Pure."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.error_signatures import FOUND_NOBODY, signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.dns.names.service_names import called_names, names_on, of_project
from diagnose.lazy_pattern import LazyPattern

_WORD = LazyPattern(r"[A-Za-z0-9_][\w-]*")
_ADDRESS = LazyPattern(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)")


class ReachedByName(msgspec.Struct, frozen=True):
    """A line of a caller's log that shows which container the name reached."""

    caller: Container
    owner: Container
    line: str


class SharedName(msgspec.Struct, frozen=True):
    """A name of two services on one network, its configured callers, and the misled ones."""

    network: str
    name: str
    owners: list[Container]
    configured: list[Container]
    reached: list[ReachedByName]

    @property
    def callers(self) -> list[Container]:
        callers = [*(call.caller for call in self.reached), *self.configured]
        return list({caller.id: caller for caller in callers}.values())

    @property
    def has_some_private_place(self) -> bool:
        """Whether some caller has the service of its own project on another network too."""
        return any(map(self._has_own_place, self.callers))

    @property
    def has_private_places(self) -> bool:
        """Whether every caller has the service of its own project on another network too."""
        return all(map(self._has_own_place, self.callers))

    @property
    def movable_stranger(self) -> Container | None:
        """The only container of another project with the name, if that project does not call it."""
        callers = self.callers
        project_of_caller = callers[0].compose_project
        strangers = [owner for owner in self.owners if owner.compose_project != project_of_caller]
        is_movable = _projects_of(strangers).isdisjoint(_projects_of(callers))
        return strangers[0] if len(strangers) == 1 and is_movable else None

    def _has_own_place(self, caller: Container) -> bool:
        """Whether the caller shares another network with the service of its own project.

        The engine asks a container's networks one after the other, and may take the other one
        first.
        """
        return any(
            (caller.endpoints.keys() & owner.endpoints.keys()) - {self.network}
            for owner in of_project(self.owners, caller)
        )


def shared_names(
    network: str, containers: Containers, recent_logs: RecentLogs | None
) -> Iterator[SharedName]:
    """The names on a network that services of several projects have, and that a container calls."""
    members = [
        container for container in containers.running_on(network) if container.compose_project
    ]
    shared = {
        name: owners
        for name, owners in names_on(network, members).items()
        if len(_projects_of(owners)) > 1
    }
    called = called_names(members) if shared else {}
    for name, owners in shared.items():
        projects = _projects_of(owners)
        configured = [
            container for container in called.get(name, ()) if container.compose_project in projects
        ]
        reached = _reached_by_name(network, name, owners, members, recent_logs)
        if configured or reached:
            yield SharedName(network, name, owners, configured, reached)


def _reached_by_name(
    network: str,
    name: str,
    owners: Sequence[Container],
    members: Sequence[Container],
    recent_logs: RecentLogs | None,
) -> list[ReachedByName]:
    """The members that reached the other project's service, by the newest line of each."""
    if recent_logs is None:
        return []
    misled = []
    for member in members:
        strangers = {
            owner.endpoints[network].ip_address: owner
            for owner in owners
            if owner.compose_project != member.compose_project
        }
        is_of_both = len(strangers) < len(owners)
        lines = recent_logs.of(member) if is_of_both else ()
        telling = (line.text for line in reversed(lines) if _tells_of_call(line.text, name))
        reached = ((text, _owner_in(text, strangers)) for text in telling)
        for text, owner in reached:
            if owner is not None:
                misled.append(ReachedByName(member, owner, text))
                break
    return misled


def _tells_of_call(text: str, name: str) -> bool:
    """Whether a line says the name, or that a call failed: many print the address alone."""
    return bool(signs(text) & FOUND_NOBODY) or name in _WORD.findall(text)


def _owner_in(text: str, owners: Mapping[str, Container]) -> Container | None:
    """The first owner whose address is in a line."""
    return next((owners[address] for address in _ADDRESS.findall(text) if address in owners), None)


def _projects_of(containers: Sequence[Container]) -> set[str]:
    return {container.compose_project for container in containers}
