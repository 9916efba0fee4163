"""Traefik's entry points for HTTPS, and routers that take only plain HTTP there. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.proxies.routes.route_obstacles import NoTls
from diagnose.evidence.network.proxies.routes.traefik_labels import (
    LabelledRouter,
    flags_of,
    routers_of,
)
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, paired
from diagnose.numbers import is_number

_HTTPS = 443
_ADDRESS = LazyPattern(r"^entrypoints\.(?P<name>[^.]+)\.address$")
_SENT_ON = LazyPattern(r"^entrypoints\.[^.]+\.http\.redirections\.entrypoint\.to$")
_DEFAULT = LazyPattern(r"^entrypoints\.(?P<name>[^.]+)\.asdefault$")
_OTHER_PROVIDER = LazyPattern(r"^providers\.(?!docker\b)")
_ANY_HOST = LazyPattern(r"HostRegexp|HostSNI", 2)


class SecureEntryPoints(msgspec.Struct, frozen=True):
    """The entry points that clients call at port 443 of the host, and that have no TLS of their
    own: each router has to ask for it."""

    names: frozenset[str] = frozenset()
    """In small letters."""
    by_default: frozenset[str] = frozenset()
    """The entry points of a router that names none; empty for all of them."""
    is_target: bool = False
    """Whether another entry point sends all clients on to one of these."""
    resolver: str = ""
    """The only resolver of certificates."""
    secured: tuple[LabelledRouter, ...] = ()
    """The routers of all containers that ask for TLS."""

    def lacking_tls(self, router: LabelledRouter) -> NoTls | None:
        """The obstacle of a router that serves no calls by HTTPS."""
        router_names = {name.lower() for name in router.names("entrypoints")}
        used_names = (router_names or self.by_default or self.names) & self.names
        if (
            not used_names
            or router.has_tls
            or any(_may_serve(other, router) for other in self.secured)
        ):
            return None
        return NoTls(
            min(used_names),
            is_meant=bool(router_names) or self.is_target,
            resolver=self.resolver,
            is_only=bool(router_names) and router_names <= self.names,
        )


def secure_entry_points(proxy: Container, routers: Sequence[LabelledRouter]) -> SecureEntryPoints:
    """The entry points by the command of Traefik; none where other providers may have routers.

    routers: those of the containers that it serves.
    """
    flags = flags_of(proxy)
    if any(_OTHER_PROVIDER.match(flag) for flag in flags):
        return SecureEntryPoints()
    names = _plain_names(flags, _published_for_https(proxy))
    sent_on = {value.lower() for flag, value in flags.items() if _SENT_ON.match(flag)}
    resolvers = {flag.split(".")[1] for flag in flags if flag.startswith("certificatesresolvers.")}
    set_on = (flag for flag, value in flags.items() if value.lower() != "false")
    return SecureEntryPoints(
        names,
        by_default=frozenset(match["name"] for _, match in paired(set_on, _DEFAULT.match)),
        is_target=not sent_on.isdisjoint({*names, f":{_HTTPS}"}),
        resolver=only(resolvers) or "",
        secured=tuple(router for router in (*routers, *routers_of(proxy)) if router.has_tls),
    )


def _published_for_https(proxy: Container) -> set[int]:
    """The ports inside the proxy to which port 443 of the host leads."""
    if proxy.shares_host_network:
        return {_HTTPS}
    return {way.number for way in proxy.published_by("tcp") if way.host_port == _HTTPS}


def _plain_names(flags: Mapping[str, str], ports: set[int]) -> frozenset[str]:
    """The entry points at these ports for which the command says nothing of TLS."""
    names = set()
    for flag, value in flags.items():
        match = _ADDRESS.match(flag)
        number = value.rpartition(":")[2].partition("/")[0]
        if match is None or not is_number(number) or int(number) not in ports:
            continue
        tls_key = f"entrypoints.{match['name']}.http.tls"
        if not any(other.startswith(tls_key) for other in flags):
            names.add(match["name"])
    return frozenset(names)


def _may_serve(secured: LabelledRouter, router: LabelledRouter) -> bool:
    """Whether a router with TLS may take the requests of another one."""
    has_host = "host" in secured.rule.lower() and not _ANY_HOST.search(secured.rule)
    return not has_host or f"`{router.site}`" in secured.rule
