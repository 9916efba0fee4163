"""network.redirect-loop: a server answers one client with the same redirect again and again."""

from msgspec.structs import replace

from diagnose.evidence.network.proxies.nginx.looped_programs import LoopedPrograms
from diagnose.evidence.network.proxies.nginx.untold_programs import UntoldProgram
from diagnose.evidence.network.proxies.pages.answered_loops import AnsweredLoop, AnsweredLoops
from diagnose.evidence.network.proxies.pages.redirect_loops import RedirectLoop, RedirectLoops
from diagnose.evidence.network.proxies.pages.stray_redirects import StrayRedirects
from diagnose.first_steps.network.nginx_edits import SCHEME, SCHEME_BEFORE, edit_of
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import sentence, shortened
from diagnose.registry import check

_HEADER = "X-Forwarded-Proto"


@check("network.redirect-loop", severity=Severity.warning)
def redirect_loop(
    redirect_loops: RedirectLoops,
    answered_loops: AnsweredLoops | None,
    looped_programs: LoopedPrograms | None,
    stray_redirects: StrayRedirects | None,
) -> CheckResult:
    """A server answers one client with the same redirect again and again.

    Browsers say "too many redirects". Usually a proxy ends HTTPS for its clients, calls the program
    by HTTP, and does not pass on that they came by HTTPS: the program sends them to the address
    that they have just called. The last lines of access logs show it: eight equal requests within
    three seconds, no other answer to that request, and none but redirects to that client meanwhile.
    A monitor that checks a page which only redirects looks the same. So the caller has to be a
    proxy that ends HTTPS, or a client that calls itself a browser; it is advice where the log does
    not say what the client is.

    One request of ours for the first page shows it too, where its redirects lead in a circle and no
    cookie on the way would end that. It is advice where only a proxy elsewhere can make a loop of
    it: the program leads to HTTPS also who came by HTTPS, as the header says, and this host serves
    no HTTPS. Where an nginx of this host is before the program, its files are read, and say whether
    it passes that on.
    """
    causes = looped_programs.by_id if looped_programs is not None else {}
    for loop in redirect_loops:
        yield _with_cause(_loop_finding(loop), causes.get(loop.container.id))
    looping = {loop.container.id for loop in redirect_loops}
    strays = StrayRedirects() if stray_redirects is None else stray_redirects
    for answered in answered_loops or ():
        if answered.page.container.id not in looping and not strays.has(answered.page):
            cause = causes.get(answered.page.container.id)
            yield _with_cause(_answered_finding(answered), cause)


def _with_cause(finding: Finding, cause: UntoldProgram | None) -> Finding:
    """The finding with the location of the nginx that does not pass HTTPS on, and its cure."""
    if cause is None:
        return finding
    hop = cause.hop
    file = cause.file.on_host or cause.file.path_inside
    evidence = {**finding.evidence, f"{hop.label}, which sets no {_HEADER}": hop.directive}
    if file:
        evidence["file of that nginx"] = file
    caused_finding = replace(finding, evidence=evidence)
    return caused_finding.with_variables(edit_of(cause, SCHEME if hop.ends_tls else SCHEME_BEFORE))


def _answered_finding(loop: AnsweredLoop) -> Finding:
    """A finding about the answer to one request of diagnose itself."""
    page = loop.page
    reply = loop.page.reply
    container = page.container
    return Finding.about(
        container,
        sentence(_answer_clause(loop), _reason_clause(loop)),
        {
            "asked for": f"{_asked_url(loop)} at port {page.http_port.port}",
            "Location": shortened(loop.location),
        },
        severity=Severity.advice if loop.is_possible else Severity.warning,
        discriminator=f"GET {reply.path} {page.http_port.port}",
        recheck=(container.run,),
        variables=present(
            {"url": page.url, "by_traefik": container.name if loop.is_behind_traefik else ""}
        ),
    )


def _asked_url(loop: AnsweredLoop) -> str:
    """The URL that diagnose has asked for, without its port."""
    scheme = "https" if loop.page.reply.tls else "http"
    return f"{scheme}://{loop.page.http_port.question.name}"


def _answer_clause(loop: AnsweredLoop) -> str:
    """The redirect that the program answers, with the header of a proxy where one was sent."""
    container = loop.page.container
    if loop.is_possible or loop.is_behind_traefik:
        return (
            f"{container} also redirects clients to HTTPS that already use HTTPS ({_HEADER}: https)"
        )
    return f"{container} answers GET {loop.page.reply.path} with a redirect that leads back to it"


def _reason_clause(loop: AnsweredLoop) -> str:
    """The part of a proxy in it, as far as it is known; else the effect on a browser."""
    if loop.is_possible:
        return (
            "if a proxy elsewhere terminates HTTPS for it, its clients are redirected in a circle: "
            "it may not trust that proxy"
        )
    if loop.is_behind_traefik:
        return (
            "Traefik terminates HTTPS for it, as its labels say, and calls port "
            f"{loop.page.http_port.port} over HTTP: its clients are redirected in a circle"
        )
    if loop.page.reply.tls:
        return (
            "the program behind it does not know that its clients use HTTPS: the proxy calls it "
            f"over HTTP, and may not pass on the header {_HEADER}"
        )
    return "browsers give up with too many redirects"


def _loop_finding(loop: RedirectLoop) -> Finding:
    container = loop.container
    proxy = loop.proxy
    reason = "its client is most likely redirected to the address that it has just called"
    if proxy is not None and loop.ends_tls:
        reason = (
            f"its clients use HTTPS through {proxy}, which calls it over HTTP and may not pass on "
            f"the header {_HEADER}"
        )
    elif proxy is not None:
        reason = f"its clients come through {proxy}, which may not pass on the header {_HEADER}"
    times = f"{loop.times} times in {max(loop.span, 0.1):.1f} s"
    return Finding.about(
        container,
        sentence(
            f"{container} answers {shortened(loop.request, 80)} with a redirect, again and again "
            f"({times})",
            reason,
        ),
        {"log": shortened(loop.line)},
        severity=Severity.advice if loop.may_be_a_monitor else Severity.warning,
        discriminator=loop.request,
        touches=subjects_of([proxy]),
        variables=present({"url": loop.url, "proxy": proxy.name if proxy is not None else ""}),
    )
