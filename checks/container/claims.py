"""The claim of a program's log line, for checks that confirm the line on the host."""

from collections.abc import Iterator, Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.run_evidence import LINE, written_to
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Finding, PageVariables, Subject
from diagnose.programs.failures import Recognised

STEADY_S = 120.0
"""A container that has run for this time, and is not unhealthy, has recovered from the error of an
earlier run."""


class Claim(msgspec.Struct, frozen=True):
    """A failed container, and the known failure that its log shows."""

    container: Container
    tail: LogTail
    failure: Recognised

    @property
    def evidence(self) -> dict[str, object]:
        """The line that shows the failure."""
        return {LINE: self.failure.line, **written_to(self.tail)}

    def finding(
        self,
        predicate: str,
        evidence: Mapping[str, object],
        *,
        touches: tuple[Subject, ...] = (),
        variables: Mapping[str, str] | None = None,
    ) -> Finding:
        """A finding about the container: its name, and a predicate such as "needs more files".

        The line that shows the failure is the first evidence.
        """
        return Finding.about(
            self.container,
            f"{self.container} {predicate}",
            {**self.evidence, **evidence},
            touches=touches,
            signs=self.tail.signs,
            onset=self.container.failed_first,
            variables=variables,
        )

    def value(self, *names: str) -> str:
        """The first value of these names that the line has; "" if it has none."""
        return next(filter(None, map(self.failure.values.get, names)), "")


def claims(id: str, containers: Containers, log_tails: LogTails, clock: Clock) -> Iterator[Claim]:
    """The containers that failed, or do not work, whose log shows the failure that this check
    confirms."""
    for container in containers:
        failure = log_tails.failures.get(container.id)
        if (
            failure is not None
            and failure.confirmed_by == id
            and is_broken(container, clock, log_tails)
        ):
            yield Claim(container, log_tails.of(container), failure)


def is_broken(container: Container, clock: Clock, log_tails: LogTails) -> bool:
    """Whether a container fails, or runs and does not work."""
    return is_failing(container, clock) or container.id in log_tails.inside


def is_failing(container: Container, clock: Clock) -> bool:
    """Whether a container does not run, is unhealthy, or was restarted a moment ago."""
    if not container.is_running or container.is_unhealthy:
        return True
    return (clock.age(container.started_at) or 0.0) < STEADY_S


def compose_variables(container: Container) -> PageVariables:
    """The folder and the service of a compose project, as `docker compose up` needs them to make
    the container again.

    Empty where compose did not make the container.
    """
    folder = container.compose_folder
    service = container.compose_service
    return {"folder": folder, "compose_service": service} if folder and service else {}
