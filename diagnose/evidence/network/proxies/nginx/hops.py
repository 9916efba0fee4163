"""The containers to which an nginx forwards requests, and the headers about its clients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.network.addresses import is_address
from diagnose.lazy_pattern import LazyPattern
from diagnose.nginx_text import Directive

_VARIABLE = LazyPattern(r"\$\{?(\w+)\}?")
_TARGET = LazyPattern(
    r"(?:(?P<scheme>https?)://)?(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\])(?::(?P<port>\d{1,5}))?(?P<path>/.*)?"
)
"""The argument of proxy_pass: http://app:8080/path, or the name of an upstream."""
_PROTO = "x-forwarded-proto"
_OWN_SCHEMES = frozenset({"$scheme", "http"})
"""The values for nginx's own scheme; a variable of another name has the caller's value."""
_HOST_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "host.docker.internal"})
_NAMES_OF_CLIENTS = frozenset({"$host", "$http_host", "$server_name"})
"""Variables for the host name that a client has typed."""
_HOST_OF_TARGET = "$proxy_host"
"""The header Host that nginx sends by default."""
_FOR_CONNECTION = "$connection_upgrade"
"""The variable that guides set by `map $http_upgrade`, for the header Connection."""
_TLS_PORT = "443"


INHERITED = frozenset(
    {"client_max_body_size", "proxy_buffering", "proxy_http_version", "proxy_read_timeout"}
)
"""Settings of a location that hold from the blocks around it, unless it has its own."""


GIVES_SETTINGS = "PHP_VALUE"
"""The setting of a location that gives PHP settings of its own, by this parameter of FastCGI."""
_SETTINGS_OF_PHP = frozenset({"PHP_VALUE", "PHP_ADMIN_VALUE"})


class NginxHop(msgspec.Struct, frozen=True):
    """A location of an nginx whose requests go to a server behind it."""

    proxy: Container | None
    """None for an nginx of the host itself."""
    names: tuple[str, ...]
    """The host names of its site."""
    location: str
    """The path of the location: /api/; "" for a regular expression."""
    target: str
    """The argument of proxy_pass."""
    path: str
    """The path in it: "/" for `http://backend/`; "" where it has none."""
    program: Container | None
    """The container that is called, where it is known."""
    headers: Mapping[str, str]
    """Those that nginx sets, by their names in small letters."""
    has_own_headers: bool
    """Whether the location sets some itself: it inherits none then."""
    is_known: bool
    """Whether all files were read that may set one."""
    ends_tls: bool
    """Whether clients of the site speak TLS to this nginx."""
    is_prefix: bool = True
    """Whether the location takes each path that begins so, and not this one alone."""
    rewrites: bool = False
    """Whether the location changes the path itself before it passes it on."""
    settings: Mapping[str, str] = {}
    """The settings in force for it that are kept (INHERITED), by name."""

    @property
    def read_timeout(self) -> str:
        """The proxy_read_timeout of the location: `300s`; "" where nothing sets it."""
        return self.settings.get("proxy_read_timeout", "")

    @property
    def speaks_http_1_0(self) -> bool:
        """Whether it calls the server by HTTP/1.0: nginx before 1.29.7 does so by default."""
        is_set_elsewhere = not self.is_known and "proxy_http_version" not in self.settings
        return not is_set_elsewhere and self.settings.get("proxy_http_version", "1.0") == "1.0"

    @property
    def holds_back(self) -> bool:
        """Whether it buffers the server's answer before it passes the answer on."""
        return self.is_known and self.settings.get("proxy_buffering", "on") == "on"

    @property
    def passes_upgrades_on(self) -> bool:
        """Whether WebSocket passes through it."""
        is_set = "upgrade" in self.headers and not self.misnames_upgrade
        return is_set or not self.is_known

    @property
    def misnames_upgrade(self) -> bool:
        """Whether the header Upgrade has the value that Connection should have."""
        return self.headers.get("upgrade") == _FOR_CONNECTION

    @property
    def replaces_host(self) -> bool:
        """Whether the server certainly gets another host name than its clients' one.

        A variable of another name may have what a proxy before this one was asked for.
        """
        host_header = self.headers.get("host", _HOST_OF_TARGET)
        is_variable = "$" in host_header and _HOST_OF_TARGET not in host_header
        is_passed_on = is_variable or host_header.partition(":")[0] in self.names
        return self.is_known and not is_passed_on

    @property
    def own_name(self) -> str:
        """The name of the server in proxy_pass, where the server learns another one.

        That is the name that clients ask for. "" where it does not.
        """
        match = _TARGET.fullmatch(self.target)
        host = match["host"] if match is not None else ""
        is_name = "." in host and not is_address(host)
        says_another = self.headers.get("host", "") in _NAMES_OF_CLIENTS
        return host if self.is_known and is_name and says_another else ""

    @property
    def tells_of_https(self) -> bool:
        """Whether the program learns that a client of this nginx came by HTTPS."""
        scheme_header = self.headers.get(_PROTO) or self.headers.get("x-forwarded-ssl", "")
        return (bool(scheme_header) and scheme_header != "http") or not self.is_known

    @property
    def overwrites_https(self) -> bool:
        """Whether it replaces the scheme of the proxy before it by its own plain HTTP."""
        return self.is_known and not self.ends_tls and self.headers.get(_PROTO) in _OWN_SCHEMES

    @property
    def label(self) -> str:
        """The name of this nginx for a sentence."""
        return "nginx on this host" if self.proxy is None else f"nginx in {self.proxy}"

    @property
    def directive(self) -> str:
        """The directive in the file: `location /ws`, or the address that it calls."""
        return f"location {self.location}" if self.location else f"proxy_pass {self.target}"

    def sent_path(self, path: str) -> str:
        """The path that the server behind gets for this path of a client."""
        return f"{self.path}{path.removeprefix(self.location)}" if self.path else path

    def leads_to(self, container: Container) -> bool:
        return self.program is not None and self.program.id == container.id

    def is_of(self, container: Container) -> bool:
        return self.proxy is not None and self.proxy.id == container.id


def hops_for_path(hops: Iterable[NginxHop], path: str) -> list[NginxHop]:
    """The locations that take a path: the longest ones, as for nginx; none where none fits."""
    fitting = [hop for hop in hops if hop.location and path.startswith(hop.location)]
    longest = max((len(hop.location) for hop in fitting), default=0)
    return [hop for hop in fitting if len(hop.location) == longest]


class _Level(msgspec.Struct, frozen=True):
    """The directives that a location inherits from the blocks around it."""

    headers: Mapping[str, str] = {}
    variables: Mapping[str, str] = {}
    is_known: bool = True
    settings: Mapping[str, str] = {}

    def within(self, block: Directive) -> _Level:
        """The level in a block: its own headers replace all others, as in nginx."""
        inner_settings = {
            directive.first.lower(): directive.last for directive in block.all("proxy_set_header")
        }
        has_unread = any(True for _ in block.all("include"))
        variables = {directive.first.lstrip("$"): directive.last for directive in block.all("set")}
        own_settings = {
            directive.name: directive.first
            for directive in block.inner
            if directive.name in INHERITED
        }
        parameters = {directive.first for directive in block.all("fastcgi_param")}
        if parameters & _SETTINGS_OF_PHP:
            own_settings[GIVES_SETTINGS] = "on"
        return _Level(
            inner_settings or self.headers,
            {**self.variables, **variables},
            not has_unread if inner_settings else self.is_known and not has_unread,
            {**self.settings, **own_settings},
        )


def hops(
    proxy: Container | None,
    directives: Sequence[Directive],
    containers: Containers,
    passed_by: str = "proxy_pass",
) -> Iterator[NginxHop]:
    """Each location that passes requests on, in the order of the configuration.

    passed_by: the directive that does it.
    """
    top = Directive(("main",), tuple(directives), is_block=True)
    level = _Level().within(top)
    for http in [top, *top.all("http")]:
        of_http = level.within(http) if http is not top else level
        upstreams = {block.first: _members(block) for block in http.all("upstream")}
        for server in http.all("server"):
            if server.is_block:
                site = _Site(proxy, server, upstreams, containers)
                yield from _hops_of_site(site, of_http.within(server), passed_by)


def _members(upstream: Directive) -> tuple[str, ...]:
    """The servers of an `upstream` block, by their names there."""
    return tuple(server.first for server in upstream.all("server"))


class _Site(msgspec.Struct, frozen=True):
    """A server block, and what its locations may pass requests to."""

    proxy: Container | None
    server: Directive
    upstreams: Mapping[str, Sequence[str]]
    containers: Containers

    @property
    def names(self) -> tuple[str, ...]:
        """The names for which it answers."""
        server_names = self.server.all("server_name")
        return tuple(word for directive in server_names for word in directive.words[1:])

    @property
    def ends_tls(self) -> bool:
        is_on = self.server.has("ssl", "on")
        return any(is_on or "ssl" in listen.words[1:] for listen in self.server.all("listen"))


def _hops_of_site(site: _Site, top: _Level, passed_by: str) -> Iterator[NginxHop]:
    """Each place of a server block from which nginx passes requests on."""
    for block, level in _locations(site.server, top):
        for passed in block.all(passed_by):
            yield _hop(site, block, level, passed.first)


def _hop(site: _Site, block: Directive, level: _Level, target: str) -> NginxHop:
    """The hop from a location to a target, as the directive has it."""
    address = _with_values(target, level.variables)
    match = _TARGET.fullmatch(address)
    host = match["host"] if match is not None else ""
    servers = site.upstreams.get(host, (address.partition("://")[2] or address,))
    is_plain_location = block.name == "location" and not _is_pattern(block)
    return NginxHop(
        site.proxy,
        site.names,
        location=block.last if is_plain_location else "",
        target=target,
        path=(match["path"] or "") if match is not None else "",
        program=called_program(site.proxy, servers, site.containers),
        headers=level.headers,
        has_own_headers=next(block.all("proxy_set_header"), None) is not None,
        is_known=level.is_known,
        ends_tls=site.ends_tls,
        is_prefix=block.first != "=",
        rewrites=next(block.all("rewrite"), None) is not None,
        settings=level.settings,
    )


def _is_pattern(location: Directive) -> bool:
    return location.first.startswith("~") or location.first.startswith("@")


def _locations(block: Directive, level: _Level) -> Iterator[tuple[Directive, _Level]]:
    """The locations of a site, nested ones too, with the inherited directives."""
    for inner in block.inner:
        if inner.name in ("location", "if") and inner.is_block:
            inner_level = level.within(inner)
            yield inner, inner_level
            yield from _locations(inner, inner_level)


def _with_values(text: str, variables: Mapping[str, str]) -> str:
    """The text with the values of variables that the site sets itself."""
    return _VARIABLE.sub(lambda match: variables.get(match[1], match[0]), text)


def called_program(
    proxy: Container | None, servers: Iterable[str], containers: Containers
) -> Container | None:
    """The container that is called at one of these places."""
    for server in servers:
        match = _TARGET.fullmatch(server)
        if match is None:
            continue
        if proxy is None or match["host"] in _HOST_NAMES:
            publisher = containers.publisher_of(int(match["port"] or 80))
        else:
            callees = containers.called_by(proxy, match["host"])
            publisher = next((callee for callee in callees if callee.id != proxy.id), None)
        if publisher is not None:
            return publisher
    return None


def ends_tls_for_clients(container: Container) -> bool:
    """Whether a container publishes port 443, so that clients come by HTTPS."""
    return any(str(port.host_port) == _TLS_PORT for port in container.published_by("tcp"))
