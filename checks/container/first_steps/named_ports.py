"""First steps where a line says that a port of the host is taken."""

from __future__ import annotations

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables

_PORT = LazyPattern(r"(?:\bport:? |(?<!\d\d:\d\d):)(?P<port>[1-9]\d{1,4})\b(?![.:]\d)")


def port_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page about the port of the host that the line says is taken.

    Nothing in a network of the container's own: there only the program itself can hold it.
    """
    match = _PORT.search(text) if "port-taken" in signs(text) else None
    if match is None or not container.shares_host_network:
        return {}
    return {"taken": f"sport = :{match['port']}"}
