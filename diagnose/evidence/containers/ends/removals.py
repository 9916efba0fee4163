"""Recently removed containers whose names are free now, and who removed them."""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.inspected_container import COMPOSE
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.reading import BYTES
from diagnose.evidence.items import Items
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unexamined
from diagnose.questions import Host
from diagnose.questions.container_logs import ContainerLog, ReadLogs
from diagnose.registry import evidence

PRUNE_S = 10.0
"""A prune says so when it has removed its last container: so many seconds at most after each."""
FORCED_S = 1.0
"""`docker rm --force` kills and removes within so many seconds; a prune takes no running container.
"""
LINES = 100
"""Of an updater's log: one round over some twenty containers."""
WEEK_S = 7 * 86400.0
"""Age in seconds from which on a removed container counts as replaced or not needed."""
ANSWER_S = 120.0
"""The engine refuses a container within so many seconds after the updater's line about it."""
_UPDATER = LazyPattern(r"(?:^|/)(?:watchtower|ouroboros)(?:[:@]|$)")
_HANDLED = LazyPattern(
    r'msg="(?P<step>Stopping|Removing|Creating|Starting) (?:container )?/(?P<name>[\w.-]{1,128})'
    r'|\bcontainer="?/?(?P<field>[\w.-]{1,128})'
)
"""A line of Watchtower (logrus) about one container: 1.x in its message, its forks in a field."""
_OLD_ONE = frozenset({"Stopping", "Removing"})
"""Steps with the old container: if the engine refuses one of them, the old container still exists.
"""
_ERROR = LazyPattern(r'\blevel=(?:error|fatal) (?:.{0,400}?\berror|msg)="?(?P<text>[^"\n]{1,400})')


class FailedUpdate(msgspec.Struct, frozen=True):
    """A container that an updater stopped for a newer image, without creating the new one."""

    updater: Container
    error: str
    """The engine's answer to the update, in the updater's log."""


class Removal(msgspec.Struct, frozen=True):
    """A container that is gone, and whose name no other container has."""

    name: str
    at: float | None = None
    """Unix time; None where neither an event nor a log has it."""
    id: str = ""
    image: str = ""
    labels: dict[str, str] = {}
    """The attributes of the engine's event, which hold the container's labels."""
    pruned: bool = False
    """Whether a prune removed it, which takes stopped containers."""
    update: FailedUpdate | None = None

    @property
    def compose_folder(self) -> str:
        return self.labels.get(f"{COMPOSE}project.working_dir", "")

    @property
    def compose_service(self) -> str:
        return self.labels.get(f"{COMPOSE}service", "")

    @property
    def compose_project(self) -> str:
        return self.labels.get(f"{COMPOSE}project", "")

    def was_called(self, name: str, caller: Container) -> bool:
        """Whether that is a name by which the caller has called it.

        Another project of compose has a service of the same name of its own.
        """
        if name in (self.name, self.id[:12]):
            return True
        projects = {self.compose_project, caller.compose_project} - {""}
        return bool(name) and name == self.compose_service and len(projects) < 2


class Removals(Items[Removal], frozen=True):
    """The removals, by the engine's memory of events and the logs of updaters."""

    unread: tuple[Unexamined, ...] = ()
    """Updaters whose logs were not read."""


@evidence
def removals(host: Host, containers: Containers, events: Events, clock: Clock) -> Removals:
    """The engine remembers 256 events, which checks of health soon fill; an updater's log stays."""
    by_name = {removal.name: removal for removal in _removals_in_events(events)}
    updaters = [
        container for container in containers.running if _UPDATER.search(container.config.image)
    ]
    unread = []
    for updater, log in host.ask_about(
        updaters, lambda container: ReadLogs(container.id, LINES, BYTES)
    ):
        if isinstance(log, Failed):
            if log.reason != "gone":
                unread.append(Unexamined(updater.subject, f"its log was not read: {log}"))
            continue
        for name, update in _failed_updates(log, updater, clock.wall - WEEK_S):
            by_name[name] = replace(by_name.get(name, Removal(name)), update=update)
    without_successor = (
        removal for removal in by_name.values() if not _has_successor(removal, containers)
    )
    return Removals(tuple(without_successor), tuple(unread))


def _removals_in_events(events: Events) -> Iterator[Removal]:
    """Jobs that the engine removes at their own end (`docker run --rm`) are none."""
    prunes = [event.at for event in events if (event.type, event.action) == ("container", "prune")]
    for event in events:
        if (event.type, event.action) != ("container", "destroy") or not event.name:
            continue
        pruned = _is_pruned(event, events, prunes)
        if pruned or _was_kept(event, events):
            image = event.attributes.get("image", "")
            yield Removal(
                event.name,
                event.at,
                id=event.id,
                image=image,
                labels=event.attributes,
                pruned=pruned,
            )


def _is_pruned(event: Event, events: Events, prunes: Sequence[float]) -> bool:
    is_followed = any(0 <= at - event.at <= PRUNE_S for at in prunes)
    signals = events.of(event.id, "kill")
    return is_followed and not (signals and event.at - signals[-1].at < FORCED_S)


def _was_kept(event: Event, events: Events) -> bool:
    """Whether a container stayed until a user stopped or removed it."""
    return bool(events.of(event.id, "kill"))


def _has_successor(removal: Removal, containers: Containers) -> bool:
    """Whether a container has its name, or its place in compose's project."""
    place = (removal.labels.get(f"{COMPOSE}project", ""), removal.compose_service)
    places = {(other.compose_project, other.compose_service) for other in containers}
    return removal.name in containers.by_name or (all(place) and place in places)


def _failed_updates(
    log: ContainerLog, updater: Container, since: float
) -> Iterator[tuple[str, FailedUpdate]]:
    """The containers with an error after their creation in the log; a later round may fix it."""
    name = ""
    named_at = 0.0
    for line in log.lines:
        if line.at is None or line.at < since:
            continue
        handled = _HANDLED.search(line.text)
        if handled:
            is_old = handled["step"] in _OLD_ONE
            name = "" if is_old else handled["name"] or handled["field"]
            named_at = line.at
        error = _ERROR.search(line.text)
        if error and name and line.at - named_at < ANSWER_S:
            yield name, FailedUpdate(updater, error["text"])
