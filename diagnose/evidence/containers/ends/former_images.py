"""Images of containers that were recently replaced, by the engine's events.

An update is a new container under the old name. The engine remembers for some hours the image of
the old one, and that it ran.
"""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.inspected_container import COMPOSE
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.images.listing import Images, normal
from diagnose.evidence.items import ByContainer
from diagnose.mappings import by_key
from diagnose.phrases import duration, unix
from diagnose.registry import evidence

REPLACED_S = 900.0
"""Maximum seconds between the stop of the old container and the creation of the new one in an
update: a pull is between them where an updater does both."""
_PLACE = ("project", "service", "container-number")
"""Labels with the project's container that a new one replaces."""


class FormerImage(msgspec.Struct, frozen=True):
    """The image and the last run of a container's predecessor."""

    image: str
    """The reference, as that container had it."""
    ran_s: float | None
    """Seconds for which it ran at its last; None where the engine forgot its start."""
    is_here: bool
    """Whether an image of that name is still on the host."""

    @property
    def clause(self) -> str:
        """The clause that compares the former image with the present one."""
        lasted = f" for {duration(self.ran_s)}" if self.ran_s is not None else ""
        return f"the container before it, of image {self.image}, ran{lasted} without a failure"


class FormerImages(ByContainer[FormerImage], frozen=True):
    """The former images of containers whose image has another name now, by container id."""


@evidence
def former_images(containers: Containers, events: Events, images: Images | None) -> FormerImages:
    """The images of predecessors that ran well, without a question to the host.

    A predecessor that failed too says nothing, and is left out.
    """
    ends = by_key(_ends_by_place(events))
    former_by_id: dict[str, FormerImage] = {}
    for container in containers:
        created = unix(container.created)
        candidates = [event for place in _places(container) for event in ends.get(place, ())]
        before = _predecessor(container, created, candidates) if created is not None else None
        if before is None or not events.was_stopped(before.id) or events.failures(before.id):
            continue
        image = before.attributes.get("image", "")
        if image and not image.startswith("sha256:") and normal(image) != _own_reference(container):
            is_here = images is not None and images.has(image)
            former_by_id[container.id] = FormerImage(image, _ran_s(before, events), is_here)
    return FormerImages(former_by_id)


def _own_reference(container: Container) -> str:
    return normal(container.config.image)


def _ends_by_place(events: Events) -> Iterator[tuple[str, Event]]:
    """Each end of a container, by its name and by its place in compose's project."""
    for event in events:
        if (event.type, event.action) != ("container", "die"):
            continue
        yield event.name, event
        place = _place(event.attributes)
        if place:
            yield place, event


def _place(labels: dict[str, str]) -> str:
    """`/`, the project, the service and the number; "" for a container of no project.

    A container's name has no slash.
    """
    parts = [labels.get(f"{COMPOSE}{part}", "") for part in _PLACE]
    return "/".join(("", *parts)) if all(parts) else ""


def _places(container: Container) -> Iterator[str]:
    yield container.name
    place = _place(container.labels)
    if place:
        yield place


def _predecessor(container: Container, created: float, ends: Sequence[Event]) -> Event | None:
    """The last end of another container in its place, about when this one was created."""
    other_ends = (event for event in ends if event.id != container.id)
    replaced_ends = (event for event in other_ends if abs(event.at - created) <= REPLACED_S)
    return max(replaced_ends, key=lambda event: event.at, default=None)


def _ran_s(end: Event, events: Events) -> float | None:
    starts = [event.at for event in events.of(end.id, "start") if event.at <= end.at]
    return end.at - starts[-1] if starts else None
