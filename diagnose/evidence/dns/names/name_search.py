"""The page variables that look up a name that does not resolve. Pure."""

from diagnose.evidence.containers.listing import Container
from diagnose.model import PageVariables


def name_variables(container: Container, name: str) -> PageVariables:
    """The page variables of a name: a single word is a container's, one with a dot the host's too.

    container: the one that calls it.
    """
    if not name:
        return {}
    if "." in name:
        return {"unresolved": name}
    networks = ", ".join(sorted(container.endpoints)) or container.host_config.network_mode
    return {"unknown_name": name, "own_networks": networks}
