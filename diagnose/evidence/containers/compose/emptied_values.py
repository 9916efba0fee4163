"""Labels and variables that lack a part, since compose replaced a variable of its file by nothing.

    traefik.http.routers.homer.rule: Host(`homer.${DOMAIN}`)

Compose takes DOMAIN from its own environment and from the `.env` of the project's folder. Where
neither has it, a warning goes by, and the container starts with Host(`homer.`).
"""

import posixpath
from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.compose.compose_files import project_files
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.variables.cut_values import (
    Cut,
    CutText,
    cut_of_label,
    cut_of_variable,
)
from diagnose.evidence.items import Items
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of, known, paired
from diagnose.questions import Host
from diagnose.questions.compose import EmptiedText, FindEmptiedTexts
from diagnose.registry import evidence

MOST = 20
"""Containers whose compose files are read."""
_LONGEST = 500
_PROXIES = {
    "traefik": LazyPattern(r"traefik"),
    "caddy": LazyPattern(r"caddy"),
    "nginx": LazyPattern(r"nginx-?proxy|acme-companion"),
}
"""The images of proxies that read labels or variables of others."""
_OF_NGINX_PROXY = ("variable VIRTUAL_HOST", "variable LETSENCRYPT_HOST")


class EmptiedValue(msgspec.Struct, frozen=True):
    """A setting of a container that lacks a part."""

    container: Container
    setting: str
    """label traefik.http.routers.homer.rule, or variable DATABASE_URL."""
    value: str
    """The part of the value that shows it."""
    written: EmptiedText | None = None
    """The line of the compose file; None where no file shows it."""

    @property
    def env_file(self) -> str:
        """The env file beside the compose files that gives the missing part now; "" for none."""
        return first_of(self.written.given_in, "") if self.written is not None else ""


class EmptiedValues(Items[EmptiedValue], frozen=True):
    """At most one for each container."""


@evidence
def emptied_values(host: Host, containers: Containers) -> EmptiedValues:
    """The settings whose shape shows it, or whose line in the compose file does."""
    proxies = frozenset(kind for kind in _PROXIES if _runs(kind, containers))
    candidates = list(
        paired(containers.running, lambda container: list(_cut_settings(container, proxies)))
    )
    values = (
        next(_emptied_values(host, container, cuts), None)
        for container, cuts in host.first(candidates, MOST, "containers with cut settings")
    )
    return EmptiedValues(known(values))


class _CutSetting(msgspec.Struct, frozen=True):
    """A setting that lacks a part, or may."""

    name: str
    value: CutText


def _runs(kind: str, containers: Containers) -> bool:
    return any(_PROXIES[kind].search(container.config.image) for container in containers.running)


def _is_read(name: str, container: Container, proxies: frozenset[str]) -> bool:
    """Whether a setting for a proxy has one of its kind that may read it.

    Many compose files bring the labels of a proxy that their user does not have.
    """
    if name.startswith("label traefik."):
        is_off = container.labels.get("traefik.enable", "").lower() == "false"
        return "traefik" in proxies and not is_off
    if name.startswith("label caddy"):
        return "caddy" in proxies
    return "nginx" in proxies or name not in _OF_NGINX_PROXY


def _cut_settings(container: Container, proxies: frozenset[str]) -> Iterator[_CutSetting]:
    """The labels and variables of a container that lack a part.

    proxies: the kinds of proxies that run on this host.
    """
    cuts = [
        *(
            (f"label {label}", cut_of_label(label, value))
            for label, value in _short_labels(container)
        ),
        *(
            (f"variable {name}", cut_of_variable(name, value))
            for name, value in container.config.environment
            if len(value) < _LONGEST
        ),
    ]
    for name, value in cuts:
        if value.cut is not Cut.no and _is_read(name, container, proxies):
            yield _CutSetting(name, value)


def _short_labels(container: Container) -> Iterator[tuple[str, str]]:
    return ((label, value) for label, value in container.labels.items() if len(value) < _LONGEST)


def _emptied_values(
    host: Host, container: Container, cuts: list[_CutSetting]
) -> Iterator[EmptiedValue]:
    """The settings that a line of the compose files explains, and then the sure ones."""
    texts = sorted({cut.value.text for cut in cuts})
    paths = _files(container)
    lines = host.answer_or(FindEmptiedTexts(paths, texts), []) if paths else []
    written = {line.text: line for line in lines}
    for cut in cuts:
        line = written.get(cut.value.text)
        is_meant = line is not None and line.is_blank and cut.value.cut is Cut.maybe
        if line is not None and not is_meant:
            yield EmptiedValue(container, cut.name, cut.value.text, line)
    for cut in cuts:
        if cut.value.cut is Cut.surely:
            yield EmptiedValue(container, cut.name, cut.value.text)


def _files(container: Container) -> list[str]:
    """The compose files of its project, and the env files in the folders of all of them."""
    files = project_files(container)
    folders = (posixpath.dirname(path) for path in files)
    return list(dict.fromkeys((*files, *(f"{folder}/.env" for folder in folders))))
