"""container.login-not-kept: a program does not know its clients after they have logged in."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.evidence.network.proxies.cookie_domains import cookie_domain
from diagnose.evidence.network.proxies.login_cookies import LoginCookies
from diagnose.evidence.network.proxies.nginx.untold_programs import UntoldPrograms
from diagnose.evidence.network.proxies.web_address import web_address
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import count, joined, sentence, shortened
from diagnose.registry import check

_TLS_PORT = 443
_MARKS_SECURE = LazyPattern(r"(?:^|_)(?:COOKIES?_SECURE|SECURE_COOKIES?)$")
"""Variables that mark cookies as Secure, as programs call them."""
_OFF = {"true": "false", "True": "False", "1": "0", "yes": "no", "on": "off"}
"""The word that switches a variable off, by the word that has switched it on."""


@check(
    "container.login-not-kept",
    severity=Severity.warning,
    caused_by=("network.https-not-passed-on",),
)
def login_not_kept(
    untold_programs: UntoldPrograms,
    namespaces: Namespaces | None,
    login_cookies: LoginCookies | None,
) -> CheckResult:
    """A program does not know its clients after they have logged in.

    The access log shows at least four logins that are granted, or two where a variable gives the
    cookies a domain. After each of them the same client is refused, or led back to the login page.
    Usually the cookie of the login does not come back: it is marked Secure, and browsers keep it
    only over HTTPS; or it is for another host name. The page of the login is asked for once, and
    the attributes of its cookie show it where it sets one. Where an nginx before the program is the
    cause, another check names it. A wrong password looks different: the login itself is refused.
    """
    cookies = login_cookies if login_cookies is not None else LoginCookies()
    for symptom in untold_programs.forgotten_logins:
        container = symptom.container
        address = web_address(container, namespaces)
        yield Finding.about(
            container,
            sentence(
                f"{container} logs its clients in, but does not recognise them at their next "
                f"request ({count(symptom.times, 'time')} recently: "
                f"{shortened(symptom.path, 60)})",
                _seen_reason(container, cookies) or _reason(container),
            ),
            present(
                {
                    "log": shortened(symptom.line, 160),
                    "attributes of its cookie": cookies.by_id.get(container.id, ""),
                }
            ),
            recheck=(container.run,),
            variables=present(
                {"url": f"{address}{symptom.path}" if address else ""}
                | (_without_domain(container) or _without_mark(container))
            ),
        )


def _without_mark(container: Container) -> PageVariables:
    """The page variable that switches the mark Secure off, where clients come by plain HTTP."""
    if not _plain_ports(container):
        return {}
    for name, value in container.config.environment:
        if _MARKS_SECURE.search(name) and value in _OFF:
            return {"unmarked": f"{name}={_OFF[value]}"}
    return {}


def _without_domain(container: Container) -> PageVariables:
    """The page variables with the variable that gives cookies a domain, and that domain."""
    domain = cookie_domain(container)
    return (
        {"domain_variable": domain.variable, "domain": domain.domain} if domain is not None else {}
    )


def _seen_reason(container: Container, cookies: LoginCookies) -> str:
    """The reason why a browser does not keep the cookie, by its attributes.

    "" where the server set no cookie, or one without harm.
    """
    domain = cookies.attribute(container, "domain").removeprefix(".")
    if domain:
        return (
            f"its cookie is for {domain}, and a browser that uses another name or an address does "
            "not keep it"
        )
    ports = _plain_ports(container)
    if ports and cookies.attribute(container, "secure"):
        shown = joined([str(port) for port in ports])
        return (
            "its cookie is marked Secure, and browsers keep such cookies only over HTTPS, not at "
            f"port {shown}"
        )
    return ""


def _plain_ports(container: Container) -> list[int]:
    """The published ports of plain HTTP; none where one of the published ports is that of HTTPS."""
    ports = sorted({port.host_port for port in container.published_by("tcp") if port.host_port})
    return [] if _TLS_PORT in ports else ports


def _reason(container: Container) -> str:
    """The reason why a browser does not send the login's cookie, as far as the settings show it."""
    domain = cookie_domain(container)
    if domain is not None:
        return (
            f"{domain.variable} makes its cookies for {domain.domain}, and a browser that uses "
            "another name or an address does not keep them"
        )
    ports = _plain_ports(container)
    if ports:
        shown = joined([str(port) for port in ports])
        return (
            f"a cookie that is marked Secure does not come back over plain HTTP, as at port {shown}"
        )
    return "the cookie of the login most likely does not come back"
