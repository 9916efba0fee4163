"""dns.name-shared-by-projects: two projects have a service of one name on one network."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.dns.failed_names import referenced_names
from diagnose.evidence.dns.service_names import (
    called_names,
    names_on,
    of_project,
)
from diagnose.evidence.network.networks import DEFAULT_NETWORK, Networks
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import names_of, present, subjects_of
from diagnose.model import CheckResult, Finding, Severity, Subject
from diagnose.phrases import named, quoted
from diagnose.registry import check


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
