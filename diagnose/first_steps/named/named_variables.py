"""First steps where a line asks for a variable that the container does not have."""

import re

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables

_NAME = LazyPattern(r"(?<![\w$./-])[A-Z][A-Z0-9]{1,30}(?:_[A-Z0-9]{1,30}){1,6}(?![\w(]|\.\d)")
_OF_ERRORS = LazyPattern(
    r"^(?:ERR|SSL|SQL|TLS)_|_(?:ERROR|EXCEPTION|FAILED|FAILURE|NOT|INVALID)(?:_|$)"
)
"""Names of errors, which are written in the same way."""
_ASKS = LazyPattern(
    r"\brequired|\bmissing|\bnot (?:been )?(?:set|defined|specified|provided|configured|found)"
    r"|\bunset\b|\bundefined\b|\bmust be (?:set|defined|specified|provided)|\bis empty|KeyError"
    r"|\bplease (?:set|define|provide|specify)",
    re.IGNORECASE,
)
"""The program lacks a setting: "is required", "must be set", KeyError."""


def missing_variable_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page that lets its reader type the value."""
    if not _ASKS.search(text):
        return {}
    for match in _NAME.finditer(text):
        name = match[0]
        if not _OF_ERRORS.search(name) and not container.config.value_of(name):
            return {"setting": name, "typed": name}
    return {}
