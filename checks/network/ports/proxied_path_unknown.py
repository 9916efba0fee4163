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
    for path in misplaced_paths:
        yield _finding(path)
    return None


def _finding(path: MisplacedPath) -> Finding:
    hop, program = path.hop, path.program
    return Finding.about(
        program,
        sentence(
            f"{program} answers all requests below {hop.location} with HTTP status 404 "
            f"({count(path.times, 'time')} lately)",
            _why(path),
        ),
        present(
            {
                "log": shortened(path.line, 160),
                "asked for, and passed on as": f"{shortened(path.asked, 60)}, {shortened(path.sent, 60)}",
                "where that is set": f"{hop.directive} in {path.file.on_host or path.file.inside}",
            }
        ),
        severity=None if path.is_of_visitors else Severity.advice,
        discriminator=hop.location,
        touches=(hop.proxy.subject,) if hop.proxy is not None else (),
        stable=(program.life,),
    ).with_variables(_variables(path))


def _why(path: MisplacedPath) -> str:
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
        f"{hop.label} cuts {hop.location} off ({target}, with a slash at its end), "
        "and the program may expect that path"
    )


def _variables(path: MisplacedPath) -> PageVariables:
    """The two addresses to compare, and an edit that is made only where the other one is known."""
    hop = path.hop
    words = {"proxy": hop.proxy.name} if hop.proxy is not None else {}
    if not path.address or not _PLAIN.fullmatch(path.sent) or not _PLAIN.fullmatch(path.other):
        return words
    words |= {"sent": f"{path.address}{path.sent}", "other": f"{path.address}{path.other}"}
    if not _PLAIN.fullmatch(hop.target) or (hop.path and not hop.location.endswith("/")):
        return words
    old, new = hop.target.replace(".", "[.]"), hop.target.removesuffix("/")
    new = new if hop.path else f"{new}/"
    edit = f"s|proxy_pass  *{old};|proxy_pass {new};|"
    return {**words, **nginx_edit(hop, path.file, edit)}
