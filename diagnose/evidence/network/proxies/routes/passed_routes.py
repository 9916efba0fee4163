"""The paths below which Traefik and Caddy pass requests on to a container."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.nginx.hops import called_program
from diagnose.evidence.network.proxies.routes.caddy_files import caddy_files
from diagnose.evidence.network.proxies.routes.traefik_labels import (
    LabelledRouter,
    is_traefik,
    routers_of,
)
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.nginx_text import Directive
from diagnose.numbers import is_number
from diagnose.questions import Host

_CADDY = "caddy"
_PREFIX = LazyPattern(r"PathPrefix\(\s*`(?P<path>/[^`\s]{1,100})`\s*\)")
_STRIPS = LazyPattern(r"^traefik\.http\.middlewares\.(?P<name>[^.]+)\.stripprefix\.prefixes$", 2)
_BLOCKS = frozenset({"handle", "handle_path", "route"})


class PassedRoute(msgspec.Struct, frozen=True):
    """A path below which a proxy passes requests on to a container."""

    kind: Literal["Traefik", "Caddy"]
    proxy: Container
    program: Container
    location: str
    """The path as clients have it: /api, or /api/."""
    is_cut: bool
    """Whether the proxy takes that path away before it passes a request on."""
    port: int
    """The port at which the program is called; 0 where that is not known."""
    said: str
    """The label, or the directive, that says so."""
    router: str = ""
    """Traefik's name for it."""
    chain: str = ""
    """The value of the label of its middlewares."""
    is_only: bool = False
    """Whether the proxy has no other way to the program."""
    path_inside: str = ""
    """The Caddyfile as the proxy has it."""
    on_host: str = ""
    """The same on the host, where it may be changed there: no link of the container leads
    elsewhere, and only one place has this directive."""

    @property
    def label(self) -> str:
        """The name of this proxy for a sentence."""
        return f"{self.kind} in {self.proxy}"

    @property
    def prefix(self) -> str:
        """The path without its last slash."""
        return self.location.rstrip("/")

    def sent_path(self, path: str) -> str:
        """The path that the program gets for this path of a client."""
        return path.removeprefix(self.prefix) or "/" if self.is_cut else path


def passed_routes(
    host: Host, containers: Containers, processes: Processes
) -> Iterator[PassedRoute]:
    """All that the labels of containers, and mounted Caddyfiles, say."""
    proxies = [container for container in containers.running if is_traefik(container)]
    traefik = only(proxies)
    if traefik is not None:
        strips = _stripped_paths(containers)
        for container in containers.running:
            yield from _labelled_routes(traefik, container, strips)
    for container in containers.running:
        if processes.runs(container.id, (_CADDY,)):
            yield from _routes_of_caddyfile(host, container, containers)


def _stripped_paths(containers: Containers) -> Mapping[str, Sequence[str]]:
    """By the name of a middleware, the paths that it cuts off."""
    return {
        match["name"]: value.split(",")
        for container in containers.running
        for label, value in container.labels.items()
        if (match := _STRIPS.match(label)) is not None
    }


def _labelled_routes(
    traefik: Container, container: Container, strips: Mapping[str, Sequence[str]]
) -> Iterator[PassedRoute]:
    for router in routers_of(container):
        match = _PREFIX.search(router.rule)
        if match is None or router.is_elsewhere or not container.shared_networks(traefik):
            continue
        chain = [name.removesuffix("@docker") for name in router.names("middlewares")]
        cuts = [name for name in chain if match["path"] in strips.get(name, ())]
        if not set(chain) <= strips.keys():
            continue  # another one may change the path too
        yield _labelled_route(traefik, container, router, match["path"], is_cut=bool(cuts))


def _labelled_route(
    traefik: Container, container: Container, router: LabelledRouter, path: str, *, is_cut: bool
) -> PassedRoute:
    declared = container.declared_tcp_ports
    return PassedRoute(
        "Traefik", traefik, container, path, is_cut,
        port=router.port or (min(declared) if declared else 0),
        said=f"traefik.http.routers.{router.name}.rule={router.rule}",
        router=router.name,
        chain=router.settings.get("middlewares", ""),
        is_only=sum(1 for _ in routers_of(container)) == 1,
    )  # fmt: skip


def _routes_of_caddyfile(
    host: Host, proxy: Container, containers: Containers
) -> Iterator[PassedRoute]:
    """The routes in the files of Caddy, with the file where it may be edited."""
    for file in caddy_files(host, proxy):
        words_of_sites = Counter(_all_words(file.sites))
        is_fixed = not file.mount.rw or file.mount.destination == file.path
        for site in file.sites:
            for route in _routes_of_block(
                site, location="", outer={}, proxy=proxy, containers=containers, is_cut=False
            ):
                may_edit = is_fixed and words_of_sites[route.said] == 1
                on_host = file.mount.on_host(file.path) if may_edit else ""
                yield msgspec.structs.replace(route, path_inside=file.path, on_host=on_host)


def _all_words(directives: Iterable[Directive]) -> Iterator[str]:
    """The words of each directive, also of those in blocks."""
    for directive in directives:
        yield " ".join(directive.words)
        yield from _all_words(directive.inner)


def _routes_of_block(
    block: Directive,
    location: str,
    outer: Mapping[str, str],
    proxy: Container,
    containers: Containers,
    *,
    is_cut: bool,
) -> Iterator[PassedRoute]:
    """The routes of a block; empty for a block that changes paths by rules of its own."""
    if any(directive.name in ("rewrite", "import") for directive in block.inner):
        return
    matchers = {**outer, **dict(_matchers(block))}
    stripped = [
        directive.last for directive in block.all("uri") if directive.first == "strip_prefix"
    ]
    if len(stripped) < sum(1 for _ in block.all("uri")):
        return
    for directive in block.inner:
        inside = _place(directive, matchers) or location
        if directive.name in _BLOCKS:
            cuts = is_cut or directive.name == "handle_path"
            yield from _routes_of_block(directive, inside, matchers, proxy, containers, is_cut=cuts)
        elif directive.name == "reverse_proxy" and inside:
            cuts = is_cut or inside.rstrip("/") in stripped
            yield from _passed_route(directive, block, inside, proxy, containers, is_cut=cuts)


def _matchers(block: Directive) -> Iterator[tuple[str, str]]:
    """The named matchers of a block that ask for one path."""
    for directive in block.inner:
        if not directive.name.startswith("@"):
            continue
        paths = [directive] if directive.first == "path" else list(directive.all("path"))
        if len(paths) == 1 and paths[0].last.startswith("/"):
            yield directive.name, paths[0].last


def _place(directive: Directive, matchers: Mapping[str, str]) -> str:
    """The path that a directive is limited to; "" for none."""
    word = matchers.get(directive.first, directive.first)
    return word.removesuffix("*") if word.startswith("/") and word.endswith("*") else ""


def _passed_route(
    directive: Directive,
    block: Directive,
    location: str,
    proxy: Container,
    containers: Containers,
    *,
    is_cut: bool,
) -> Iterator[PassedRoute]:
    """The route of one directive of Caddy, where its target is a container."""
    words = [word for word in directive.words[1:] if not word.startswith(("/", "@", "*"))]
    words += [word for target in directive.all("to") for word in target.words[1:]]
    program = called_program(proxy, words, containers) if words else None
    if program is None:
        return
    holder = directive if directive.first.startswith(("/", "@")) else block
    port = words[0].rpartition(":")[2]
    yield PassedRoute(
        "Caddy", proxy, program, location, is_cut,
        port=int(port) if is_number(port) else 80,
        said=" ".join(holder.words),
    )  # fmt: skip
