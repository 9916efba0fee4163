"""First steps where a line names a host name that does not resolve."""

from __future__ import annotations

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.failed_names import failed_name
from diagnose.evidence.dns.name_search import name_variables
from diagnose.model import PageVariables


def host_name_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page about the name that the line says does not resolve."""
    return name_variables(container, failed_name(text)) if "dns" in signs(text) else {}
