"""The image of the release that wrote the data, where the line names it and the tag has its form.

A line says "cannot downgrade from 0.26.3 to 0.25.1" of an image with the tag 0.25.1: the tag of the
data is 0.26.3. Of an image with the tag v2.19 it is v2.20. Pure.
"""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.images.listing import name_of, tag_of
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised

_RELEASE = LazyPattern(
    r"(?<![\w.:@/-])v?(?P<number>\d{1,4}(?:\.\d{1,4}){1,2})(?![\w.]*\d|:\d| ?[kMG]?B\b|%)"
)
"""No time of day, and no address or amount."""
_OF_TAG = LazyPattern(r"v?(?P<number>\d{1,4}(?:\.\d{1,4}){0,3})(?=-|$)")
_Parts = tuple[int, ...]


def image_of_data(container: Container, failure: Recognised | None) -> PageVariables:
    """The page variable of the newer image that reads the data; empty where the line does not name
    its release, or the tag has no number of one."""
    image = container.config.image
    tag = tag_of(image) or ""
    number = _OF_TAG.match(tag)
    if failure is None or failure.failure.build != "newer" or number is None:
        return {}
    image_parts = _parts(number["number"])
    release = _release_of_data(failure, image_parts)
    if release is None:
        return {}
    wanted_release = ".".join(map(str, release[: len(image_parts)]))
    return {"data_image": f"{name_of(image)}:{tag.replace(number['number'], wanted_release, 1)}"}


def _release_of_data(failure: Recognised, image_parts: _Parts) -> _Parts | None:
    """The only release in the line that is newer than the image's own; None where that is not
    clear. image_parts: the release in the image's tag, as far as it goes."""
    named_releases = {_parts(match["number"]) for match in _RELEASE.finditer(failure.line)}
    written = failure.values.get("release", "")
    is_of_line = any(release[: len(image_parts)] == image_parts for release in named_releases)
    if written:
        named_releases = {_parts(written)}
    elif not is_of_line:
        return None
    return only(
        [release for release in named_releases if release[: len(image_parts)] > image_parts]
    )


def _parts(number: str) -> _Parts:
    return tuple(map(int, number.split(".")))
