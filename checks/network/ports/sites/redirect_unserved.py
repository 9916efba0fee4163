"""network.redirect-unserved: a server sends its visitors on to where nobody serves."""

from diagnose.evidence.network.proxies.pages.stray_redirects import StrayRedirect, StrayRedirects
from diagnose.mappings import distinct, present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import sentence, shortened
from diagnose.programs.nginx_settings import nginx_settings
from diagnose.registry import check

_PROGRAM = "nginx"
_RELATIVE = "absolute_redirect off"
_FIND_REDIRECT = (
    "grep -rnE -e 'return +30[0-9]' -e 'server_name +_' /etc/nginx /config 2>/dev/null | head -n 20"
)
"""Images of the linuxserver project have the sites of nginx in /config."""


@check("network.redirect-unserved", severity=Severity.warning)
def redirect_unserved(stray_redirects: StrayRedirects) -> CheckResult:
    """A web server sends its visitors on to an address that nobody serves.

    It answers a request of ours for its first page with a redirect to the same host at the port
    that it has inside, to HTTPS that it serves inside and that is not published, to a name that
    only containers know, or to a placeholder such as `_`. Nothing of this host listens there, and a
    visitor's browser says "connection refused" or "server not found". It counts for ports that are
    published for other machines. A redirect to HTTPS is left out where the program trusts a proxy's
    header that its clients came by HTTPS: then a proxy elsewhere may serve it.
    """
    for stray in stray_redirects:
        yield _finding(stray)


def _finding(stray: StrayRedirect) -> Finding:
    page = stray.page
    container = page.container
    front_door = page.http_port
    return Finding.about(
        container,
        sentence(
            f"{container} sends visitors of port {front_door.host_port} on to {stray.target}{_reason(stray)}",
            _cause(stray),
        ),
        {
            f"GET / at port {front_door.port}": f"{page.status}, Location: {shortened(page.reply.location)}",
            "NetworkSettings.Ports": distinct(
                f"{binding.host_port} -> {binding.port}"
                for binding in container.published_by("tcp")
            ),
        },
        discriminator=str(front_door.port),
        recheck=(container.run,),
        variables=_variables(stray),
    )


def _reason(stray: StrayRedirect) -> str:
    """The clause that says why nobody gets to the address of the redirect."""
    if stray.kind == "name":
        return ", which only containers know"
    if stray.kind == "placeholder":
        return ", which is not a name of a machine"
    if stray.other is not None:
        return f", which is {stray.other}"
    scheme_clause = " by https://" if stray.kind == "https" else ""
    return f"{scheme_clause}, where nothing listens"


def _cause(stray: StrayRedirect) -> str:
    if stray.kind == "name":
        return "that is the address of the site in its settings"
    if stray.kind == "placeholder":
        return _cause_of_placeholder(stray)
    if stray.kind == "https":
        return f"it speaks TLS at port {stray.inner_port} inside, and that is not published"
    return (
        "that is its port inside the container, and visitors use port "
        f"{stray.page.http_port.host_port} of this host"
    )


def _cause_of_placeholder(stray: StrayRedirect) -> str:
    if _PROGRAM in stray.page.http_port.names:
        return (
            "its redirect has $server_name for the visitor's host, and that is the first word "
            "of server_name"
        )
    return "a placeholder in its settings was not replaced"


def _variables(stray: StrayRedirect) -> PageVariables:
    """The page variables of the setting or the published port that mends the redirect."""
    container = stray.page.container
    page = stray.page
    words = {"url": page.url}
    if stray.kind == "placeholder":
        if _PROGRAM in page.http_port.names:
            return {**words, "container": container.name, "find_redirect": _FIND_REDIRECT}
        return {**words, "container": container.name, "placeholder": stray.target}
    if stray.kind == "name":
        return {**words, "misnamed": container.name}
    is_nginx = _PROGRAM in page.http_port.names and not container.host_config.readonly_rootfs
    if stray.kind == "port" and is_nginx:
        words["relative"] = nginx_settings("zz-redirect.conf", _RELATIVE)
    if stray.other is not None:
        return words
    return present({**words, "published": f"{stray.port}:{stray.inner_port}"})
