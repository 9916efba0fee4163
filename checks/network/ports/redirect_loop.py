"""network.redirect-loop: a server answers one client with the same redirect again and again."""

from __future__ import annotations

from diagnose.evidence.network.proxies.redirect_loops import RedirectLoop, RedirectLoops
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import sentence, shortened
from diagnose.registry import check

_HEADER = "X-Forwarded-Proto"


@check("network.redirect-loop", severity=Severity.warning)
def redirect_loop(redirect_loops: RedirectLoops) -> CheckResult:
    """A server answers one client with the same redirect again and again.

    Browsers say "too many redirects". Usually a proxy ends HTTPS for its clients, calls the program
    by HTTP, and does not pass on that they came by HTTPS: the program sends them to the address
    that they have just called. The last lines of access logs show it: eight equal requests within
    three seconds, no other answer to that request, and none but redirects to that client meanwhile.
    A monitor that checks a page which only redirects looks the same. So the caller has to be a
    proxy that ends HTTPS, or a client that calls itself a browser; it is advice where the log does
    not say what the client is.
    """
    for loop in redirect_loops:
        yield _loop_finding(loop)
    return None


def _loop_finding(loop: RedirectLoop) -> Finding:
    container, proxy = loop.container, loop.proxy
    why = "its client is most likely led to the address that it has just called"
    if proxy is not None and loop.ends_tls:
        why = (
            f"its clients come by HTTPS through {proxy}, which calls it by HTTP and may not pass "
            f"on the header {_HEADER}"
        )
    elif proxy is not None:
        why = f"its clients come through {proxy}, which may not pass on the header {_HEADER}"
    times = f"{loop.times} times in {max(loop.span, 0.1):.1f} s"
    finding = Finding.about(
        container,
        sentence(
            f"{container} answers {shortened(loop.request, 80)} with a redirect, again and again "
            f"({times})",
            why,
        ),
        {"log": shortened(loop.line)},
        severity=Severity.advice if loop.may_be_a_monitor else Severity.warning,
        discriminator=loop.request,
        touches=(proxy.subject,) if proxy is not None else (),
    )
    return finding.with_variables(
        present({"url": loop.url, "proxy": proxy.name if proxy is not None else ""})
    )
