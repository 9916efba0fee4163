"""The page variables that look up a name that does not resolve. Pure."""

from diagnose.evidence.containers.listing import Container
from diagnose.model import PageVariables


def name_variables(container: Container, name: str) -> PageVariables:
    """A word alone is the name of a container; one with a dot is asked of the host too.

    container: the one that calls it.
    """
    if not name:
        return {}
    if "." in name:
        return {"unresolved": name}
    networks = ", ".join(sorted(container.endpoints)) or container.host_config.network_mode
    return {"unknown_name": name, "own_networks": networks}
