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
    candidates: list[_Candidate] = []
    for container in containers.running:
        image = images.of(container) if container.compose_project else None
        if image is not None:
            namesakes = unused.get(repository_of(container.config.image), ())
            newer = [other for other in namesakes if other.created > image.created]
            candidates += [_Candidate(container, image, newer_image) for newer_image in newer]
    passed_over: dict[str, PassedOverImage] = {}
    for candidate in host.first(candidates, MOST, "newer images that nothing uses"):
        brought_at = _brought_at(host, candidate)
        if brought_at is not None:
            passed_over[candidate.container.id] = PassedOverImage(
                candidate.container, candidate.newer.tags[0], brought_at
            )
    return PassedOverImages(tuple(passed_over.values()))


class _Candidate(msgspec.Struct, frozen=True):
    """A container, its image, and a newer one of the repository that nothing uses."""

    container: Container
    image: Image
    newer: Image


def _brought_at(host: Host, candidate: _Candidate) -> float | None:
    """The time at which the newer image got its name, shortly before the container was created.

    None where it was at another time, or is not known.
    """
    created_at = candidate.container.created_at
    newer_at = _named_at(host, candidate.newer)
    own_at = _named_at(host, candidate.image)
    if created_at is None or newer_at is None or own_at is None:
        return None
    return newer_at if own_at < newer_at and 0 <= created_at - newer_at <= BEFORE_S else None


def _named_at(host: Host, image: Image) -> float | None:
    answer = host.ask(InspectImage(image.id))
    return None if isinstance(answer, Failed) else unix(answer.metadata.last_tag_time)
