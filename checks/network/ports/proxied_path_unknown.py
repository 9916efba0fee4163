"""network.proxied-path-unknown: a program does not know the paths that nginx passes on to it."""

from __future__ import annotations

from checks.network.nginx_edits import nginx_edit
from diagnose.evidence.network.proxies.misplaced_paths import MisplacedPath, MisplacedPaths
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import count, sentence, shortened
from diagnose.registry import check

_PLAIN = LazyPattern(r"[\w.:/-]{1,120}")
"""A target that a shell and sed take as it is."""


@check(
    "network.proxied-path-unknown",
    severity=Severity.warning,
    aloud=(
        "has none of the pages that nginx asks it for",
        "have none of the pages that nginx asks them for",
    ),
)
def proxied_path_unknown(misplaced_paths: MisplacedPaths) -> CheckResult:
    """A program does not know the paths that nginx passes on to it.

    nginx serves it below a path, as /api/, and passes that on as it is; or it cuts the path off,
    and the program expects it. All depends on a slash at the end of proxy_pass. Access logs show
    it: four or more requests below the path lately, each of them answered with 404. The
    configuration of nginx is read then. It is advice where only strangers of the internet asked,
    who look for pages that nobody has. A location that rewrites its path is left alone.
    """
    for item in misplaced_paths:
        yield _finding(item)
    return None


def _finding(item: MisplacedPath) -> Finding:
    hop, program = item.hop, item.program
    return Finding.about(
        program,
        sentence(
            f"{program} answers all requests below {hop.location} with HTTP status 404 "
            f"({count(item.times, 'time')} lately)",
            _why(item),
        ),
        present(
            {
                "log": shortened(item.line, 160),
                "asked for, and passed on as": f"{shortened(item.asked, 60)}, {shortened(item.sent, 60)}",
                "where that is set": f"{hop.directive} in {item.file.on_host or item.file.inside}",
            }
        ),
        severity=None if item.is_of_visitors else Severity.advice,
        discriminator=hop.location,
        touches=(hop.proxy.subject,) if hop.proxy is not None else (),
        stable=(program.life,),
    ).with_variables(_variables(item))


def _why(item: MisplacedPath) -> str:
    hop = item.hop
    target = f"proxy_pass {hop.target}"
    if not hop.path:
        return (
            f"{hop.label} passes {hop.location} on to it ({target}, without a slash at its end), "
            "and the program may not know that path"
        )
    if not hop.location.endswith("/"):
        return (
            f"{hop.label} asks it for {shortened(item.sent, 60)}: {hop.directive} has no slash at "
            "its end, and proxy_pass has one"
        )
    return (
        f"{hop.label} cuts {hop.location} off ({target}, with a slash at its end), "
        "and the program may expect that path"
    )


def _variables(item: MisplacedPath) -> PageVariables:
    """The two addresses to compare, and an edit that is made only where the other one is known."""
    hop = item.hop
    words = {"proxy": hop.proxy.name} if hop.proxy is not None else {}
    if not item.address or not _PLAIN.fullmatch(item.sent) or not _PLAIN.fullmatch(item.other):
        return words
    words |= {"sent": f"{item.address}{item.sent}", "other": f"{item.address}{item.other}"}
    if not _PLAIN.fullmatch(hop.target) or (hop.path and not hop.location.endswith("/")):
        return words
    old, new = hop.target.replace(".", "[.]"), hop.target.removesuffix("/")
    new = new if hop.path else f"{new}/"
    edit = f"s|proxy_pass  *{old};|proxy_pass {new};|"
    return {**words, **nginx_edit(hop, item.file, edit)}
