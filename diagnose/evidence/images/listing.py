"""Images that the engine holds, and their containers."""

import functools
from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.mappings import by_key
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.images import NONE, Image, ListImages
from diagnose.registry import evidence

__all__ = ["NONE", "Image", "Images", "images", "normal", "registry_of", "tag_of"]


class Images(Items[Image], frozen=True, dict=True):
    """All images, by name."""

    used: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Names of the containers created from it, running or not, by image id."""
    users_known: bool = True
    """False where the containers could not be listed; nothing may then be called unused."""

    @functools.cached_property
    def by_id(self) -> dict[str, Image]:
        return {image.id: image for image in self.items}

    @functools.cached_property
    def by_name(self) -> dict[str, Image]:
        return {name: image for image in self.items for name in (*image.tags, *image.digests)}

    def has(self, reference: str) -> bool:
        """Whether an image of this name, as people write it, is here now."""
        return normal(reference) in self._normal_names

    @functools.cached_property
    def _normal_names(self) -> frozenset[str]:
        return frozenset(normal(name) for name in self.by_name)

    def of(self, container: Container) -> Image | None:
        """The image from which a container was created.

        None where it is not listed any more (removed with force, or a child is).
        """
        return self.by_id.get(container.image) or self.by_name.get(container.config.image)

    def is_used(self, image: Image) -> bool:
        """Whether a container uses it.

        In containerd's store an image without a name may be used still.
        """
        return image.id in self.used or image.containers > 0

    @property
    def dangling(self) -> tuple[Image, ...]:
        """The images that `docker image prune` removes: without a tag, and in no container."""
        if self.users_known:
            return tuple(image for image in self if not image.tags and not self.is_used(image))
        return ()

    @property
    def unused(self) -> tuple[Image, ...]:
        """Images with a tag that no container uses."""
        if self.users_known:
            return tuple(image for image in self if image.tags and not self.is_used(image))
        return ()


def normal(reference: str) -> str:
    """A reference in full: `bb` is `docker.io/library/bb:latest`."""
    name, at, digest = reference.partition("@")
    head, slash, _ = name.partition("/")
    if not slash or not is_registry(head):
        name = f"docker.io/{name}" if slash else f"docker.io/library/{name}"
    folder, _, last = name.rpartition("/")
    if at:
        return f"{folder}/{last.partition(':')[0]}@{digest}"
    return name if ":" in last else f"{name}:latest"


def is_registry(head: str) -> bool:
    """Whether the part before the first slash of a reference is a registry, and no user's name."""
    return "." in head or ":" in head or head == "localhost"


def name_of(reference: str) -> str:
    """A reference without its tag or digest, otherwise unchanged."""
    folder, slash, last = reference.partition("@")[0].rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def registry_of(reference: str) -> str:
    """The registry that a reference is pulled from: `docker.io` unless it names another."""
    return normal(reference).partition("/")[0]


def tag_of(reference: str) -> str | None:
    """The tag that a reference asks for.

    None for an id or a digest, which name one image for ever.
    """
    if "@" in reference or reference.startswith("sha256:"):
        return None
    return normal(reference).rpartition(":")[2]


@evidence
def images(host: Host, containers: Containers | Unavailable) -> Images | Unavailable:
    """The images on this host, without the sizes of shared layers, which would cost a disk walk."""
    rows = host.require(ListImages())
    is_complete = isinstance(containers, Containers)
    inspected = containers if isinstance(containers, Containers) else ()
    used = by_key((container.image, container.name) for container in inspected)
    # A container whose inspect failed may use any of them.
    is_complete = is_complete and not (isinstance(containers, Containers) and containers.unexamined)
    return Images(
        tuple(sorted(rows, key=lambda image: (image.name, image.id))),
        {id: tuple(names) for id, names in used.items()},
        is_complete,
    )
