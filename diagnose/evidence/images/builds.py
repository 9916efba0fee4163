"""Other builds of a container's image on the host, which an update has replaced. Pure."""

from collections.abc import Iterator

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.images.listing import Image, Images, name_of, normal


def repository_of(reference: str) -> str:
    """A reference without its tag or digest, in full."""
    return name_of(normal(reference))


def other_build(container: Container, images: Images, *, is_newer: bool) -> str:
    """The nearest older or newer build of the container's image, by its tag, digest or id.

    "" where the host has none. After a pull the old image of a tag keeps its digest alone.
    """
    image_of_container = images.of(container)
    if (
        image_of_container is None
        or not image_of_container.created
        or container.config.image.startswith("sha256:")
    ):
        return ""
    created = image_of_container.created
    repository = repository_of(container.config.image)

    def distance(image: Image) -> float:
        return image.created - created if is_newer else created - image.created

    builds = [image for image in images if image.created and repository in _repositories(image)]
    candidates = [image for image in builds if distance(image) > 0]
    nearest = min(candidates, key=distance, default=None)
    return nearest.name if nearest is not None else ""


def _repositories(image: Image) -> Iterator[str]:
    return (repository_of(name) for name in (*image.tags, *image.digests))
