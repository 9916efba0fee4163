"""network.proxied-path-unknown: a program does not know the paths that a proxy passes on to it."""

from diagnose.evidence.network.proxies.nginx.misplaced_paths import MisplacedPath, MisplacedPaths
from diagnose.evidence.network.proxies.routes.misplaced_routes import (
    MisplacedRoute,
    MisplacedRoutes,
)
from diagnose.evidence.network.proxies.routes.passed_routes import PassedRoute
from diagnose.first_steps.network.nginx_edits import nginx_edit
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import count, sentence, shortened
from diagnose.registry import check

_PLAIN = LazyPattern(r"[\w.:/-]{1,120}")
"""A target that a shell and sed take literally."""


@check(
    "network.proxied-path-unknown",
    severity=Severity.warning,
    aloud=(
        "has none of the pages that its proxy requests",
        "have none of the pages that their proxies request",
    ),
)
def proxied_path_unknown(
    misplaced_paths: MisplacedPaths, misplaced_routes: MisplacedRoutes | None
) -> CheckResult:
    """A program does not know the paths that a proxy passes on to it.

    nginx, Traefik or Caddy serve it below a path, as /api/, and pass that on unchanged; or they cut
    the path off, and the program expects it. For nginx all depends on a slash at the end of
    proxy_pass, for Traefik on a middleware (stripprefix) in the labels, for Caddy on handle_path in
    a mounted Caddyfile. Access logs show it: four or more requests below the path lately, each of
    them answered with 404. The configuration of the proxy is read then. It is advice where only
    strangers of the internet asked, who look for pages that nobody has. A location that rewrites
    its path in another way is left out.
    """
    for path in misplaced_paths:
        yield _finding(path)
    for misplaced in misplaced_routes or ():
        yield _route_finding(misplaced)


def _finding(path: MisplacedPath) -> Finding:
    hop = path.hop
    program = path.program
    return Finding.about(
        program,
        sentence(
            f"{program} answers all requests below {hop.location} with HTTP status 404 "
            f"({count(path.times, 'time')} recently)",
            _reason(path),
        ),
        present(
            {
                "log": shortened(path.line, 160),
                "asked for, and passed on as": f"{shortened(path.asked, 60)}, {shortened(path.sent, 60)}",
                "where that is set": f"{hop.directive} in {path.file.on_host or path.file.path_inside}",
            }
        ),
        severity=None if path.is_of_visitors else Severity.advice,
        discriminator=hop.location,
        touches=subjects_of([hop.proxy]),
        recheck=(program.run,),
        variables=_variables(path),
    )


def _reason(path: MisplacedPath) -> str:
    """The sentence about the path that the proxy sends, and the reason why the program may not
    know it."""
    hop = path.hop
    target = f"proxy_pass {hop.target}"
    if not hop.path:
        return (
            f"{hop.label} passes {hop.location} on to it ({target}, without a slash at its end), "
            "and the program may not know that path"
        )
    if not hop.location.endswith("/"):
        return (
            f"{hop.label} asks it for {shortened(path.sent, 60)}: {hop.directive} has no slash at "
            "its end, and proxy_pass has one"
        )
    return (
        f"{hop.label} strips {hop.location} ({target}, with a slash at its end), and the program "
        "may expect that path"
    )


def _variables(path: MisplacedPath) -> PageVariables:
    """The page variables with the two addresses to compare, and with an edit only where the other
    one is known."""
    hop = path.hop
    words = {"proxy": hop.proxy.name} if hop.proxy is not None else {}
    if not path.address or not _PLAIN.fullmatch(path.sent) or not _PLAIN.fullmatch(path.other):
        return words
    words |= {"sent": f"{path.address}{path.sent}", "other": f"{path.address}{path.other}"}
    if not _PLAIN.fullmatch(hop.target) or (hop.path and not hop.location.endswith("/")):
        return words
    old = hop.target.replace(".", "[.]")
    new = hop.target.removesuffix("/")
    new = new if hop.path else f"{new}/"
    edit = f"s|proxy_pass  *{old};|proxy_pass {new};|"
    return {**words, **nginx_edit(hop, path.file, edit)}


def _route_finding(misplaced: MisplacedRoute) -> Finding:
    """The finding about a route of Traefik or Caddy."""
    route = misplaced.route
    program = misplaced.route.program
    if route.is_cut:
        reason = f"{route.label} strips {route.prefix}, and the program may expect that path"
    else:
        reason = (
            f"{route.label} passes {route.prefix} on to it, and the program may not know that path"
        )
    place = route.on_host or route.path_inside or "the labels of the container"
    return Finding.about(
        program,
        sentence(
            f"{program} answers all requests below {route.prefix} with HTTP status 404 "
            f"({count(misplaced.times, 'time')} recently)",
            reason,
        ),
        present(
            {
                "log": shortened(misplaced.line, 160),
                "asked for, and by the other form": ", ".join(
                    (shortened(misplaced.sent, 60), shortened(misplaced.other, 60))
                ),
                "where that is set": f"{route.said} in {place}",
            }
        ),
        severity=None if misplaced.is_of_visitors else Severity.advice,
        discriminator=route.prefix,
        touches=(route.proxy.subject,),
        recheck=(program.run,),
        variables=_route_variables(misplaced),
    )


def _route_variables(misplaced: MisplacedRoute) -> PageVariables:
    """The page variables with the two addresses to compare, and with the change of the form where
    the other one is known."""
    route = misplaced.route
    words = {"routing": route.proxy.name}
    texts = (misplaced.sent, misplaced.other, route.location)
    if not misplaced.address or not all(map(_PLAIN.fullmatch, texts)):
        return words
    words |= {
        "sent": f"{misplaced.address}{misplaced.sent}",
        "other": f"{misplaced.address}{misplaced.other}",
    }
    if route.kind == "Traefik":
        return words if route.is_cut else {**words, **_stripping_labels(route)}
    edit = _caddy_edit(route)
    if not edit or not route.on_host:
        return words
    return {
        **words,
        "caddy_edit": edit,
        "caddyfile": route.path_inside,
        "caddy_file": route.on_host,
    }


def _stripping_labels(route: PassedRoute) -> PageVariables:
    """The labels of a middleware that cuts the path off, behind those that the router has."""
    name = f"{route.router}-strip"
    chain = f"{route.chain},{name}" if route.chain else name
    return {
        "strip_label": f"traefik.http.middlewares.{name}.stripprefix.prefixes={route.prefix}",
        "chain_label": f"traefik.http.routers.{route.router}.middlewares={chain}",
    }


def _caddy_edit(route: PassedRoute) -> str:
    """The sed command that writes the other form into the Caddyfile; "" where that is not one
    line."""
    place = f"{route.location}*"
    old = place.replace(".", "[.]").replace("*", "[*]")
    begins = r"^\([[:space:]]*\)"
    if route.said == f"handle {place}":
        return f"s|{begins}handle  *{old}|\\1handle_path {place}|"
    if route.said == f"handle_path {place}":
        return f"s|{begins}handle_path  *{old}|\\1handle {place}|"
    if route.said.startswith(f"reverse_proxy {place} ") and not route.is_cut:
        rest = r"  *\(.*[^{[:space:]]\)[[:space:]]*$"
        block = f"\\1handle_path {place} {{\\n\\1reverse_proxy \\2\\n\\1}}"
        return f"s|{begins}reverse_proxy  *{old}{rest}|{block}|"
    return ""
