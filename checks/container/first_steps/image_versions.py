"""First steps where a line says that the data is of another version than the program."""

from __future__ import annotations

import re

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables

_OF_ANOTHER_VERSION = LazyPattern(
    r"\bdowngrad|\bincompatible (?:with|version|format)"
    r"|\b(?:created|written|data|database|schema|index)\b.{0,60}\b(?:newer|older|later) version\b"
    r"|\bcannot upgrade\b|\bupgrade .{0,40}not (?:supported|possible|allowed)"
    r"|\b(?:data|schema|store|storage|database|file)s?\b.{0,40}\b(?:format|version)\b.{0,60}"
    r"(?:not|un)\w* ?support|\bunsupported (?:data|schema|store|storage|file) ?(?:format|version)"
    r"|\bstore format for version"
    r"|\bversion\b.{0,60}\b(?:not compatible with|(?:higher|lower|newer|older) than)",
    re.IGNORECASE,
)
_REFERENCE = LazyPattern(
    r"(?P<name>[a-z0-9](?:[\w./-]|:\d+/){0,200}?)(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?"
)


def version_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page that lists the versions of the container's image on this host."""
    image = _REFERENCE.fullmatch(container.config.image)
    is_of_version = _OF_ANOTHER_VERSION.search(text) is not None
    if image is None or not is_of_version or image["name"] == "sha256":
        return {}
    return {"versions_of": image["name"], "image_now": container.config.image}
