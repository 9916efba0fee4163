"""Page variables that give the host a DNS server that answers."""

from collections.abc import Sequence

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.dead_servers import DeadServers, is_beyond
from diagnose.evidence.dns.resolvers import HOST_FILE
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.network.rules.refusing_routes import without_refusal
from diagnose.mappings import only
from diagnose.model import PageVariables


def dead_server_steps(servers: DeadServers) -> PageVariables:
    """The page variables for dead servers: the route that rejects, the interface that is off, or
    other servers."""
    if servers.circle is not None:
        return {"circle": servers.circle.other, "holder": servers.circle.container.name}
    if servers.rejected_by is not None:
        return {"server": servers.first, **without_refusal(servers.rejected_by)}
    variables = (
        _host_variables(servers.first, is_lost=servers.is_lost)
        | _start_of_server(servers.serving)
        | _file_with_living_servers(servers)
    )
    if servers.unplugged:
        return variables | {"unplugged": servers.unplugged}
    down = only(servers.switched_off)
    if down is not None:
        return variables | {"switched_off": down}
    absent = servers.absent
    if absent is not None and absent.router:
        return variables | {"led_away": absent.address, "way_out": absent.router}
    if servers.is_lost or "better" in variables or not servers.may_be_routers:
        return variables
    return variables | _asks_router(servers.dead, servers.routes)


def _start_of_server(serving: Container | None) -> PageVariables:
    """The page variable that starts the container with the server's address, where it
    does not run. The engine starts one that ends again and again by itself."""
    if serving is None or serving.is_running:
        return {}
    if serving.state.status == "restarting":
        return {"looping_server": serving.name}
    return {"stopped_server": serving.name}


def _file_with_living_servers(servers: DeadServers) -> PageVariables:
    """The page variables of a file without the dead servers, where another one answers.

    Running containers still ask the dead ones. For IPv4 queries beyond this host a rule can lead to
    another server: these are `silent`.
    """
    dead = servers.dead
    resolvers = servers.resolvers
    answering = (*servers.others, *resolvers.never_asked)
    if not answering or dead[0] != resolvers.host_servers[0]:
        return {}
    better = {"better": answering[0], "dead": "\n".join(dead), "file": HOST_FILE}
    silent = [server for server in dead if is_beyond(server)]
    if not servers.hit or not silent or not is_beyond(answering[0]):
        return better
    return better | {"silent": "\n".join(silent)}


def _asks_router(dead: Sequence[str], routes: Routes | None) -> PageVariables:
    """The variables of a file that names the router, which may serve names too."""
    router = routes.router if routes is not None else None
    if router is None or router in dead or not is_beyond(router):
        return {}
    return {"router": router, "all_dead": "\n".join(dead), "file": HOST_FILE}


def _host_variables(server: str, *, is_lost: bool) -> PageVariables:
    """The page variables of a dead server: one of the host itself is a program that can be
    started again."""
    variables = {"server": server}
    if is_lost:
        variables["lost"] = server
    if server == _RESOLVED_STUB:
        variables["stub_unit"] = "systemd-resolved"
    return variables


_RESOLVED_STUB = "127.0.0.53"
