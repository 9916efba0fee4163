"""Page variables with the DNS server that a proxy should ask."""

import posixpath

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.resolvers import EMBEDDED, Resolvers
from diagnose.evidence.network.networks import DEFAULT_NETWORK
from diagnose.mappings import present
from diagnose.model import PageVariables, Unavailable

_NGINX = frozenset({"nginx", "openresty"})


def host_server_steps(resolvers: Resolvers | None, place: str) -> PageVariables:
    """The server that the host itself asks."""
    conf = resolvers.host if resolvers is not None else None
    if conf is None or isinstance(conf, Unavailable) or not conf.nameservers:
        return {}
    return {"own_server": conf.nameservers[0], "nginx_place": place}


def resolver_steps(container: Container, *, has_no_server: bool) -> PageVariables:
    """The page variables: the engine's resolver serves only user-defined networks.

    A signal loads the configuration only where nginx itself is the first process.
    """
    if set(container.endpoints) == {DEFAULT_NETWORK}:
        return {"other_server": container.name}
    if container.shares_host_network or not container.endpoints:
        return {}
    programs = {posixpath.basename(word) for word in container.command}
    may_be_written = has_no_server and not _NGINX.isdisjoint(programs)
    return present({"server": EMBEDDED, "unserved": container.name if may_be_written else ""})
