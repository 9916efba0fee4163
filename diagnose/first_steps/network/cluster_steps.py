"""Page variables that introduce the servers of a cluster to each other again."""

from collections.abc import Sequence

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.calls.moved_members import MovedMembers
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables

_PASSWORD = LazyPattern(r"(?:^|_)(?:PASSWORD|PASSWORD_FILE)$|requirepass|--user\b")
"""Names of variables, and words of commands, that ask clients for a password."""


def introduction_steps(move: MovedMembers, servers: Sequence[Container]) -> PageVariables:
    """The page variables of a loop over the containers of one image on one network, which
    introduces them again.

    Empty where the servers differ, or ask for a password.
    """
    node = move.listed.container
    image = only({server.config.image for server in servers})
    network = only({name for server in servers for name in server.endpoints})
    port = only({member.port for member in move.listed.members if member.address})
    if image is None or network is None or port is None:
        return {}
    if any(map(_asks_password, servers)):
        return {}
    return {"node": node.name, "image": image, "network": network, "port": str(port)}


def _asks_password(server: Container) -> bool:
    variables = (name for name, _ in server.config.environment)
    return any(_PASSWORD.search(word) for word in (*server.config.words, *variables))
