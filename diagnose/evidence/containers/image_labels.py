"""Labels in compose's name that an image brings along, and that compose did not write.

They say of a container that a project made it, and which file on the host is the project's: whoever
builds an image could lead its users to a file of theirs. `docker commit` keeps such labels too.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.inspected_container import COMPOSE
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.images import ListImages


def without_labels_of_images(host: Host, containers: Iterable[Container]) -> list[Container]:
    """The containers without the labels of compose that are also their images'.

    Images are asked about only where a container may not be compose's: since 2.0 it labels each one
    with the image's id, which no image can know of itself.
    """
    every = list(containers)
    if not any(map(_is_doubtful, every)):
        return every
    images = host.ask(ListImages())
    if isinstance(images, Failed):
        return every
    labels_of = {image.id: image.labels or {} for image in images}
    pairs = ((container, labels_of.get(container.image, {})) for container in every)
    return [
        _without_labels(container, labels) if _is_doubtful(container) else container
        for container, labels in pairs
    ]


def _is_doubtful(container: Container) -> bool:
    """Whether a container has labels of compose, and none that only compose can have written."""
    return bool(container.compose_project) and container.compose_label("image") != container.image


def _without_labels(container: Container, labels: dict[str, str]) -> Container:
    """The container without labels of compose that have the value which the image gives them."""
    own_labels = {
        name: value
        for name, value in container.labels.items()
        if not name.startswith(COMPOSE) or labels.get(name) != value
    }
    if len(own_labels) == len(container.labels):
        return container
    return replace(container, config=replace(container.config, labels=own_labels))
