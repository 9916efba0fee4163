"""A statement that unlocks a program's database, as the database's own client is called."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.called_peers import named_peers
from diagnose.first_steps.rows.database_clients import client_of, run_statement
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, paired
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised

_BASE = LazyPattern(r"(?:postgres|mysql|mariadb)\w{0,20}://[^/\s]{1,300}/(?P<base>[A-Za-z_][\w-]*)")
"""The database in an address: a server may have those of several programs."""


def unlocking_variables(
    statement: str, container: Container, failure: Recognised, containers: Containers | None
) -> PageVariables:
    """The page variables of the only running database of the caller's networks that it calls."""
    if containers is None:
        return {}
    peers = named_peers((failure.line,), container, containers)
    servers = {peer.name: client for peer, client in paired(peers, client_of)}
    settings = container.config.variable_values
    bases = {match["base"] for value in settings for match in _BASE.finditer(value)}
    server = only(servers)
    if server is None or len(bases) > 1:
        return {}
    return {
        "locked": server,
        "unlock": run_statement(servers[server], statement, only(bases) or ""),
    }
