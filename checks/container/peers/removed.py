"""container.removed: a container that others need is gone, and who removed it."""

from collections.abc import Sequence

from diagnose.evidence.containers.ends.removals import Removal, Removals
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.dns.names.failed_names import FailedNames
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import names_of, present
from diagnose.model import CheckResult, Finding, Json, Severity
from diagnose.model import container as container_subject
from diagnose.phrases import agree, named, sentence
from diagnose.registry import check


@check(
    "container.removed",
    severity=Severity.critical,
    causes=(
        "container.errors-in-log",
        "container.exits-at-start",
        "container.failing-inside",
        "container.restart-loop",
        "container.restarts-exhausted",
        "container.start-refused",
        "container.unhealthy",
        "dns.server-fails",
    ),
)
def removed(
    removals: Removals, containers: Containers, failed_names: FailedNames | None, clock: Clock
) -> CheckResult:
    """A container was removed, no other has taken its place, and it is needed.

    An updater such as Watchtower removes the old container before it creates the new one: if the
    engine refuses that one, nothing is left, and the updater does not try again. A prune takes
    containers that are stopped at that moment. Without an updater's own word, a removal counts only
    where another container fails to resolve the name, or is not started without the container;
    advice where only monitors call it.
    """
    for removal in removals:
        callers = [caller for caller in containers if _needs(caller, removal, failed_names)]
        if removal.update is not None or callers:
            yield _finding(removal, callers, clock)
    yield from removals.unread


def _needs(container: Container, removal: Removal, failed_names: FailedNames | None) -> bool:
    """Whether a container's log or the engine shows that it lacks the removed container."""
    names_not_found = failed_names.of(container) if failed_names is not None else ()
    if any(removal.was_called(name.name, container) for name in names_not_found):
        return True
    error = container.state.error if container.start_failed else ""
    return any(f"No such container: {name}" in error for name in (removal.id, removal.name) if name)


def _finding(removal: Removal, callers: Sequence[Container], clock: Clock) -> Finding:
    callers_clause = f"{named('container', names_of(callers))} {agree(callers, 'needs', 'need')} it"
    only_watched = bool(callers) and all(caller.watches_others for caller in callers)
    is_advice = only_watched and removal.update is None
    return Finding(
        subject=container_subject(removal.name),
        summary=sentence(_removal_clause(removal, clock), callers_clause if callers else ""),
        evidence=_evidence(removal, callers, clock),
        variables=present(
            {
                "name": removal.name,
                "folder": removal.compose_folder,
                "compose_service": removal.compose_service,
                "updater": removal.update.updater.name if removal.update is not None else "",
                "made_by_hand": "" if removal.compose_folder else removal.name,
            }
        ),
        severity=Severity.advice if is_advice else None,
        touches=tuple(caller.subject for caller in callers),
        onset=removal.at,
    )


def _removal_clause(removal: Removal, clock: Clock) -> str:
    clause = f'container "{removal.name}" is gone'
    if removal.update is not None:
        updater = removal.update.updater
        return f"{clause}: {updater} removed it for an update and could not create it again"
    age = clock.ago(removal.at) if removal.at is not None else "lately"
    if removal.pruned:
        return f"{clause}: it was stopped, and a prune removed it {age}"
    return f"{clause}: it was removed {age}, and no other container has its name"


def _evidence(removal: Removal, callers: Sequence[Container], clock: Clock) -> dict[str, Json]:
    """The evidence of a removal: the updater's log, the event, and the callers."""
    update = removal.update
    log = f'log of "{update.updater.name}"' if update is not None else ""
    return present(
        {
            log: update.error if update is not None else "",
            "events": "" if removal.at is None else f"destroy {clock.ago(removal.at)}",
            "its image": removal.image,
            "called by": names_of(callers),
        }
    )
