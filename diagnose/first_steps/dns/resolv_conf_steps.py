"""Page variables that give the engine a file of DNS servers that its containers can ask."""

import json

from diagnose.evidence.dns.resolvers import HOST_FILE, RESOLVED_FILE, ResolvConf, Resolvers
from diagnose.evidence.dns.stub_upstreams import StubUpstreams
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.network.routes import Routes
from diagnose.first_steps.network.network_steps import ipv6_of_default_network
from diagnose.mappings import present
from diagnose.model import PageVariables, Unavailable


def server_for_containers(
    resolvers: Resolvers, routes: Routes | None, upstreams: StubUpstreams | None
) -> PageVariables:
    """The page variables of servers that containers can ask: those behind the stub, or the
    router, if it answers."""
    router = routes.router if routes is not None else None
    if _has_servers(resolvers.resolved):
        return {"real_servers": RESOLVED_FILE}
    upstream = upstreams.server if upstreams is not None else None
    if upstream is not None:
        return {
            "upstream": upstream.address,
            "upstream_json": json.dumps({"dns": [upstream.address]}),
        }
    return _asked_router(router) if router is not None else {}


def _asked_router(router: str) -> PageVariables:
    return {"router": router, "router_json": json.dumps({"dns": [router]})}


def _has_servers(conf: ResolvConf | Unavailable) -> bool:
    return isinstance(conf, ResolvConf) and bool(conf.nameservers)


def only_link_local(resolvers: Resolvers) -> bool:
    """Whether all servers have link-local addresses, as routers announce them."""
    servers = resolvers.engine_view
    return bool(servers) and all(server.lower().startswith("fe80:") for server in servers)


def file_remedies(resolvers: Resolvers, ping: Ping | None, routes: Routes | None) -> PageVariables:
    """The page variables that select the remedy for a file of servers.

    IPv6 on the default network, the router's IPv4 address, a link to correct, or a file to write.
    """
    router = routes.router if routes is not None else None
    if only_link_local(resolvers) and router is not None:
        return _asked_router(router)
    if not resolvers.only_ipv6 or only_link_local(resolvers):
        has_resolved = "systemd/resolve" in resolvers.dangling
        service = {"stub_unit": "systemd-resolved"} if has_resolved else {}
        return {**service, "file": HOST_FILE, **present({"asked_router": router})}
    return ipv6_of_default_network(ping)
