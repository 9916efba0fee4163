"""The host name that a program writes into its cookies, as its settings have it. Pure."""

import re

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern

_IS_DOMAIN = LazyPattern(r"(?:^|_)(?:COOKIES?_DOMAIN|SESSION_DOMAIN|DOMAIN_COOKIES?)$")
"""Variables for the attribute Domain, as Laravel, Django, Flask and others call them."""
_HOST_NAME = LazyPattern(r"^\.?[a-z0-9-]+(?:\.[a-z0-9-]+)+$", re.IGNORECASE)


class CookieDomain(msgspec.Struct, frozen=True):
    """A variable that gives cookies a domain: a browser keeps them at hosts below it alone."""

    variable: str
    domain: str


def cookie_domain(container: Container) -> CookieDomain | None:
    """The domain of a container's cookies; None where its variables give none."""
    for variable, value in container.config.environment:
        if _IS_DOMAIN.search(variable) and _HOST_NAME.search(value):
            return CookieDomain(variable, value.removeprefix("."))
    return None
