"""Variables for pages that were put into their code when the image was built.

    ARG VITE_API_URL=http://localhost:8000
    RUN npm run build

The tool writes the address into the scripts. A browser has no variables: what the container is
given later changes nothing.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.addresses.page_folders import code_folders, page_folders
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.settings.developer_runs import is_for_developers
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import known, paired, present
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.built_pages import BuiltPages, SearchBuiltPages
from diagnose.questions.images import InspectImage
from diagnose.redact import holds_token
from diagnose.registry import evidence

MOST = 12
"""Containers whose pages are searched."""
_FIXED = LazyPattern(r"^(?:REACT_APP|VITE|NEXT_PUBLIC|VUE_APP|GATSBY|EXPO_PUBLIC)_")
"""The beginnings of names that tools replace in the code while they build it."""
_ADDRESS = LazyPattern(r"^(?:https?|wss?)://(?P<place>[\w.-]{1,253}(?::\d{1,5})?)(?:/|$)")
_ON_THE_SERVER = ".next/server"
"""Code of Next.js that runs on the server, which has variables."""


class BuiltValue(msgspec.Struct, frozen=True):
    """A variable of a container whose value is in none of its pages."""

    container: Container
    variable: str
    value: str
    built_with: str = ""
    """The address that the pages have; "" where the variable had no value at that time."""


class BuiltValues(Items[BuiltValue], frozen=True):
    """By container; the first one of each."""


@evidence
def built_values(host: Host, containers: Containers) -> BuiltValues:
    """The pages are searched of each running container that has such a variable of its own."""
    candidates = [
        (container, values)
        for container, values in paired(containers.running, _addresses)
        if not is_for_developers(container)
    ]
    stale_values = (
        next(_values(host, container, values, containers), None)
        for container, values in host.first(candidates, MOST, "containers with built pages")
    )
    return BuiltValues(known(stale_values))


def _addresses(container: Container) -> dict[str, str]:
    """The variables for pages that hold an address."""
    return {
        name: value
        for name, value in container.config.environment
        if _FIXED.match(name) and _ADDRESS.match(value) and not holds_token(value)
    }


def _values(
    host: Host, container: Container, values: dict[str, str], containers: Containers
) -> Iterator[BuiltValue]:
    """The variables that were set for the container, and that its older pages do not have."""
    values_of_image = _values_of_image(host, container)
    if values_of_image is None:
        return
    own_values = {
        name: value for name, value in values.items() if values_of_image.get(name) != value
    }
    former = present({name: _place(values_of_image.get(name, "")) for name in own_values})
    searched = [*map(_place, own_values.values()), *former.values()]
    for name in own_values:
        searched += _uses(name)
    pages = _pages(host, container, page_folders(host, container), searched)
    if not pages.files or not pages.is_complete or pages.newest >= (container.created_at or 0.0):
        return
    for name, value in own_values.items():
        if _place(value) in pages.texts:
            continue
        built_with = _built_with(name, former.get(name, ""), pages, containers)
        if built_with is not None and not _is_for_the_server(host, container, name, pages):
            yield BuiltValue(container, name, value, built_with)


def _values_of_image(host: Host, container: Container) -> dict[str, str] | None:
    """The variables that the image sets; None where it cannot be inspected."""
    image = host.ask(InspectImage(container.image))
    if isinstance(image, Failed) or image.config is None:
        return None
    return dict(_assignment(entry) for entry in image.config.env or ())


def _built_with(name: str, former: str, pages: BuiltPages, containers: Containers) -> str | None:
    """The address that pages have in the place of a variable; None where nothing shows one."""
    uses_left, all_uses = _uses(name)
    if former and former in pages.texts:
        return former
    ports = _ports(containers)
    local = [place for place in pages.local if place.rpartition(":")[2] in ports]
    if uses_left in pages.texts:
        return local[0] if local else ""
    return local[0] if local and all_uses not in pages.texts else None


def _uses(name: str) -> tuple[str, str]:
    """The words of code with a variable that the tool found no value for, and its bare name."""
    return f"process.env.{name}", name


def _is_for_the_server(host: Host, container: Container, name: str, pages: BuiltPages) -> bool:
    """Whether the code of the server alone has the variable, and reads it when it runs."""
    uses_left, _ = _uses(name)
    if uses_left in pages.texts:
        return False
    folders = [f"{folder}/{_ON_THE_SERVER}" for folder in code_folders(container)]
    return uses_left in _pages(host, container, folders, [uses_left]).texts


def _pages(host: Host, container: Container, folders: list[str], texts: list[str]) -> BuiltPages:
    if not folders:
        return BuiltPages()
    root = f"/proc/{container.state.pid}/root"
    question = SearchBuiltPages(root, folders, sorted(set(texts)))
    return host.answer_or(question, BuiltPages(is_complete=False))


def _ports(containers: Containers) -> frozenset[str]:
    """The ports of all running containers, inside and on the host."""
    inside = (port for container in containers.running for port in container.declared_tcp_ports)
    published = [port for container in containers.running for port in container.published_by("tcp")]
    outside = (port.host_port for port in published)
    return frozenset(map(str, (*inside, *outside, *(port.number for port in published))))


def _place(value: str) -> str:
    """The host and the port of an address."""
    match = _ADDRESS.match(value)
    return match["place"] if match is not None else ""


def _assignment(entry: str) -> tuple[str, str]:
    name, _, value = entry.partition("=")
    return name, value
