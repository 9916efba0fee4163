"""Variables that list the host names which a web program serves. Pure."""

import re

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.settings.changed_words import with_entry
from diagnose.lazy_pattern import LazyPattern

_IS_LIST = LazyPattern(
    r"(?:^|_)(?:ALLOWED|TRUSTED|VALID|ACCEPTED|PERMITTED)_?(?:HOST|DOMAIN)(?:NAME)?S?$"
    r"|(?:^|_)HOST_?(?:ALLOW|WHITE)_?LIST$"
)
"""ALLOWED_HOSTS of Django's images, NEXTCLOUD_TRUSTED_DOMAINS, TRUSTED_HOSTS of Symfony's."""


def list_without(container: Container, host: str) -> str:
    """The variable whose list of host names lacks this one; "" where none does.

    A star serves every name.
    """
    for variable, value in container.config.environment:
        is_closed = _IS_LIST.search(variable) is not None and "*" not in value
        if is_closed and with_entry(container, [variable], host) and not _holds(value, host):
            return variable
    return ""


def _holds(value: str, host: str) -> bool:
    """Whether a list has a name, with a port or without."""
    return re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w.-])", value) is not None
