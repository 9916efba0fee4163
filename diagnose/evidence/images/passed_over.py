"""Images that were brought here for a deployment, and that it did not use."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.images.builds import repository_of
from diagnose.evidence.images.listing import Image, Images
from diagnose.evidence.items import Items
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.phrases import unix
from diagnose.questions import Host
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

BEFORE_S = 3600.0
"""Maximum seconds between the deployment of the image and the creation of the container."""
MOST = 10
"""Images that are inspected."""


class PassedOverImage(msgspec.Struct, frozen=True):
    """A newer image of a container's repository that no container uses."""

    container: Container
    newer: str
    """Its name."""
    brought_at: float
    """Unix time at which the image got that name here, by a pull or a build."""


class PassedOverImages(Items[PassedOverImage], frozen=True):
    """The passed-over images, at most one for each container."""


@evidence
def passed_over_images(host: Host, containers: Containers, images: Images) -> PassedOverImages:
    """The images that a deployment brought here and did not use.

    Only unused images are inspected that are newer builds than a compose container's image. The
    time at which an image got its name is known only to the engine's own image store.
    """
    if not images.users_known:
        return PassedOverImages()
    unused = by_key(
        (repository_of(image.tags[0]), image)
        for image in images
        if image.tags and not images.used.get(image.id)
    )
    pairs: list[tuple[Container, Image, Image]] = []
    for container in containers.running:
        image = images.of(container) if container.compose_project else None
        if image is None:
            continue
        unused_images = unused.get(repository_of(container.config.image), ())
        newer = [other for other in unused_images if other.created > image.created]
        pairs += [(container, image, newer_image) for newer_image in newer]
    passed_over: dict[str, PassedOverImage] = {}
    for container, own_image, newer_image in host.first(
        pairs, MOST, "newer images that nothing uses"
    ):
        made = container.created_at
        brought = _named_at(host, newer_image)
        own_at = _named_at(host, own_image)
        if made is None or brought is None or own_at is None:
            continue
        if own_at < brought and 0 <= made - brought <= BEFORE_S:
            passed_over[container.id] = PassedOverImage(container, newer_image.tags[0], brought)
    return PassedOverImages(tuple(passed_over.values()))


def _named_at(host: Host, image: Image) -> float | None:
    answer = host.ask(InspectImage(image.id))
    return None if isinstance(answer, Failed) else unix(answer.metadata.last_tag_time)
