"""Images that no container uses, and how much of a disk goes with them at least. Pure."""

import msgspec

from diagnose.evidence.images.listing import Images
from diagnose.questions.images import Image

NAMED = 20
"""Maximum number of images that a command names."""


class IdleImages(msgspec.Struct, frozen=True):
    """Images with a name and without a container, the largest first."""

    images: tuple[Image, ...] = ()
    bytes: int = 0
    """Minimum number of their bytes: layers that they share with images in use are not counted."""
    unnamed_bytes: int = 0
    """Maximum number of bytes of images without a name and a container."""

    @property
    def pattern(self) -> str:
        """The names of the largest ones as an extended regular expression."""
        names = [name for image in self.images[:NAMED] for name in image.tags]
        # a dot is the only character of an image's name with a meaning in an expression
        return f"^({'|'.join(names)})( |$)".replace(".", "[.]")


def idle_images(images: Images | None, bytes_of_images: int) -> IdleImages:
    """The idle images of the list. bytes_of_images: the bytes of all images on the disk.

    Sizes of images count shared layers again and again: the maximum of those in use is taken from
    the measured sum, and the rest belongs to the others.
    """
    if images is None or not images.users_known:
        return IdleImages()
    used = sum(image.size for image in images if images.is_used(image))
    rest = max(0, bytes_of_images - used)
    unnamed = min(rest, sum(image.own_size for image in images.dangling))
    largest = tuple(sorted(images.unused, key=lambda image: -image.size))
    return IdleImages(largest, max(0, rest - unnamed) if largest else 0, unnamed)
