"""Services of a compose file that have no container."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.compose.written_projects import WrittenProject, WrittenService
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.machine.clock import Clock

OFF = "0"
"""The number of containers of a service that is switched off."""
_GAVE_UP_S = 30.0
_LATELY_S = 86400.0
"""Seconds within which compose starts the containers that it has created; one that stays created
for longer than the second value may be left on purpose."""


class AbsentService(msgspec.Struct, frozen=True):
    """A service without a container, and the services that need it."""

    project: WrittenProject
    service: WrittenService
    missing: Sequence[Container]
    """The containers whose log says that the name fails."""
    naming: Sequence[Container]
    """The containers whose command or variables call it."""


def absent_services(
    project: WrittenProject, containers: Containers, failed_names: FailedNames | None
) -> Iterator[AbsentService]:
    """The services of a project without a container, which another of its containers needs."""
    present = {container.compose_service for container in project.containers}
    for service in project.written.services:
        if service.name in present or service.name in containers.by_dns_name:
            continue
        missing = [
            container
            for container in project.containers
            if failed_names is not None and _fails(container, service.name, failed_names)
        ]
        naming = [container for container in project.containers if _calls(container, service.name)]
        if missing or naming:
            yield AbsentService(project, service, missing, naming)


def was_given_up(project: WrittenProject, containers: Containers, clock: Clock) -> bool:
    """Whether compose has created containers of a project lately, and started none."""
    waiting = {container.id for container in containers.never_started}
    ages = [clock.age(container.created_at) for container in project.containers]
    is_lately = all(age is not None and _GAVE_UP_S <= age <= _LATELY_S for age in ages)
    return is_lately and all(container.id in waiting for container in project.containers)


def _fails(container: Container, name: str, failed_names: FailedNames) -> bool:
    return any(failed.name == name for failed in failed_names.of(container))


def _calls(container: Container, name: str) -> bool:
    """Whether a container runs, and is given the name in an address or with a port."""
    place = re.compile(
        rf"(?:://|@)(?:[^\s/@]{{0,99}}@)?{re.escape(name)}(?:[:/?]|$)|(?:^|[\s=,]){re.escape(name)}:\d{{2,5}}(?!\d)"
    )
    texts = (*container.config.variable_values, *container.command)
    return container.is_running and any(place.search(text) for text in texts)


def is_off(service: WrittenService) -> bool:
    """Whether a person has decided that the service does not run."""
    return bool(service.profiles) or service.scale == OFF
