"""First steps where a line names a host name that does not resolve."""

from __future__ import annotations

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.failed_names import failed_name
from diagnose.evidence.dns.name_search import name_variables
from diagnose.model import PageVariables
from diagnose.programs.failures import recognise_family
from diagnose.programs.families import FAMILIES
from diagnose.programs.telling_line import TellingLine

_UNRESOLVED = "name-unresolved"
"""The family of lines that say so, in words of more programs."""


def host_name_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page about the name that the line says does not resolve."""
    if "dns" not in signs(text):
        return {}
    family = recognise_family(TellingLine(text), FAMILIES)
    is_named = family is not None and family.name == _UNRESOLVED
    named = family.values.get("host", "") if family is not None and is_named else ""
    return name_variables(container, failed_name(text) or named)
