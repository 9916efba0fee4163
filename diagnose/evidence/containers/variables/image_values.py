"""Variables of an image that come before the same names in a mounted file .env.

Libraries that read an .env file leave variables of the environment unchanged.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import assignments, known
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.file_texts import FindTexts
from diagnose.questions.images import InspectImage
from diagnose.questions.processes import InspectProcess
from diagnose.redact import holds_token
from diagnose.registry import evidence

MOST = 20
"""Mounted files that are searched."""
_NAME = LazyPattern(r"[A-Z][A-Z0-9_]{2,60}")
_OF_SHELLS = LazyPattern(r"^(?:HOME|HOSTNAME|LANG|LC_\w+|LD_\w+|PATH|PWD|SHELL|TERM|TZ|USER)$")


class ImageValue(msgspec.Struct, frozen=True):
    """A variable of an image that a mounted file has with another value."""

    container: Container
    variable: str
    value: str
    mount: Mount

    @property
    def path(self) -> str:
        """The file as the container calls it."""
        return self.mount.destination

    @property
    def on_host(self) -> str:
        return self.mount.source


class ImageValues(Items[ImageValue], frozen=True):
    """The values of images by container; only the first one of each file."""


@evidence
def image_values(host: Host, containers: Containers) -> ImageValues:
    """The variables of images that precede the same names in a mounted .env file.

    A file is searched of each running container that has one mounted by itself.
    """
    mounted = [
        (container, mount)
        for container in containers.running
        for mount in container.bind_mounts
        if mount.destination.endswith("/.env") and mount.has_host_path
    ]
    values = (
        next(_values(host, container, mount), None)
        for container, mount in host.first(mounted, MOST, "mounted files of variables")
    )
    return ImageValues(known(values))


def _values(host: Host, container: Container, mount: Mount) -> Iterator[ImageValue]:
    """The variables of the image that nobody has set since, and that the file sets too."""
    image_values = _kept_values(host, container)
    texts = [text for name, value in image_values.items() for text in _forms(name, value)]
    inside = host.answer_or(FindTexts(mount.source, texts), []) if texts else []
    if not inside:
        return
    process = host.ask(InspectProcess(container.state.pid))
    running = {} if isinstance(process, Failed) else process.variables
    for name, value in image_values.items():
        begins, *with_value = _forms(name, value)
        is_other = begins in inside and not set(with_value) & set(inside)
        if is_other and running.get(name, value) == value:
            yield ImageValue(container, name, value, mount)


def _kept_values(host: Host, container: Container) -> dict[str, str]:
    """The variables of the image that the container has unchanged."""
    image = host.ask(InspectImage(container.image))
    if isinstance(image, Failed) or image.config is None:
        return {}
    values = assignments(image.config.env or ())
    return {
        name: value
        for name, value in values.items()
        if _is_of_program(name, value) and container.config.value_of(name) == value
    }


def _is_of_program(name: str, value: str) -> bool:
    is_name = _NAME.fullmatch(name) is not None and not _OF_SHELLS.search(name)
    return is_name and not holds_token(value)


def _forms(name: str, value: str) -> list[str]:
    """The beginning of the line of a variable, and the lines that have this value."""
    signs = (f"{value}\n", f'"{value}"', f"'{value}'", f"{value}\r", f"{value} ")
    return [f"\n{name}=", *(f"\n{name}={sign}" for sign in signs)]
