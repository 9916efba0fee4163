"""The server whose state a line shows: what heals it runs in another container than its caller."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.peers.called_peers import named_peers
from diagnose.evidence.containers.workers.worker_roles import is_background, names_server
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, present
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised
from diagnose.programs.failures.remedies import AtServer

_FULL_CACHE = "full_cache"
"""The variable of the block by which Redis drops keys."""
_GROUP = LazyPattern(r"--(?:consumer-)?group(?:-id)?[= ](\S+)")
_GROUP_VARIABLE = LazyPattern(r"(?:CONSUMER_GROUP|GROUP_ID)(?:_|$)")


def is_of_a_server(failure: Recognised | None) -> bool:
    """Whether a known failure is one of the server that a program calls."""
    return failure is not None and isinstance(failure.remedy, AtServer)


def server_of(
    container: Container, failure: Recognised | None, containers: Containers | None
) -> PageVariables:
    """The page variables of the server that the line is about.

    It is this container, or the one that it calls.
    """
    if failure is None or containers is None:
        return {}
    remedy = failure.remedy
    if not isinstance(remedy, AtServer):
        return {}
    is_exchange = failure.values.get("kind", "queue") != "queue"
    servers = _servers(container, failure, remedy, containers)
    if is_exchange or not servers:  # a queue with the name of an exchange is another thing
        return {}
    if remedy.variable == _FULL_CACHE and _holds_a_queue(servers[0], containers):
        return {}
    asked_for = {name: failure.values.get(name, "") for name in ("index", "queue", "vhost")}
    group = _group(container) if remedy.variable == "streams" else ""
    return {remedy.variable: servers[0], **present({"consumer_group": group, **asked_for})}


def _holds_a_queue(name: str, containers: Containers) -> bool:
    """Whether a worker uses the server as a queue: a dropped key may be a job."""
    server = containers.by_name[name]
    return any(
        is_background(other) and names_server(other, server) for other in containers.beside(server)
    )


def _servers(
    container: Container, failure: Recognised, remedy: AtServer, containers: Containers
) -> list[str]:
    """The containers that may be the server, by their images; this one itself comes first."""
    peers = named_peers((failure.line,), container, containers)
    if remedy.is_another:
        candidates = [peer for peer in peers if peer.is_running]
    else:
        candidates = [container, *peers]
    return [
        server.name for server in candidates if remedy.image.search(server.config.image.lower())
    ]


def _group(container: Container) -> str:
    """The consumer group that its command or a variable names."""
    words = " ".join(container.config.words)
    if match := _GROUP.search(words):
        return match[1]
    groups = {value for name, value in container.config.environment if _GROUP_VARIABLE.search(name)}
    return only(groups) or ""
