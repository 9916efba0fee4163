"""The host names that containers of this host serve, by their labels and settings."""

from collections.abc import Iterable, Iterator

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern

_RULE = LazyPattern(r"Host(?:SNI)?\((?P<names>[^)]{1,500})\)")
"""Of a router of Traefik."""
_NAME = LazyPattern(r"(?<![\w.*-])[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?![\w.-])")
_VARIABLES = frozenset(
    {"APP_URL", "BASE_URL", "DOMAIN", "DOMAIN_NAME", "GF_SERVER_DOMAIN", "GF_SERVER_ROOT_URL"}
    | {"LETSENCRYPT_HOST", "N8N_HOST", "NEXTCLOUD_TRUSTED_DOMAINS", "OVERWRITECLIURL"}
    | {"OVERWRITEHOST", "PUBLIC_URL", "ROOT_URL", "SERVER_NAME", "SITE_URL", "VIRTUAL_HOST"}
    | {"WEBHOOK_URL", "WEBSITE_URL"}
)
"""Variables by which a server learns its own name, or a proxy the names of the servers behind it.
"""


def served_names(containers: Iterable[Container]) -> dict[str, Container]:
    """The container behind each served name; the first one of several."""
    names: dict[str, Container] = {}
    for container in containers:
        for name in _site_names(container):
            names.setdefault(name, container)
    return names


def _site_names(container: Container) -> Iterator[str]:
    """The names of sites that a container's labels and variables say it serves."""
    yield from _names_of_labels(container)
    for variable, value in container.config.environment:
        if variable.upper() in _VARIABLES:
            yield from _NAME.findall(value.lower())


def labelled_names(container: Container) -> Iterator[str]:
    """The names by which a proxy serves a container, as its labels and variables for it say."""
    yield from _names_of_labels(container)
    for variable in ("VIRTUAL_HOST", "LETSENCRYPT_HOST"):
        yield from _NAME.findall(container.config.value_of(variable).lower())


def _names_of_labels(container: Container) -> Iterator[str]:
    for label, value in container.labels.items():
        if label.startswith("traefik.") and label.endswith(".rule"):
            for rule in _RULE.finditer(value):
                yield from _NAME.findall(rule["names"].lower())
        elif label == "caddy" or label.startswith("caddy_"):
            yield from _NAME.findall(value.lower())


def named_in(texts: Iterable[str]) -> frozenset[str]:
    """The host names that are in some texts."""
    return frozenset(name for text in texts for name in _NAME.findall(text.lower()))
