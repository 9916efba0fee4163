"""container.links-insecure: a page that comes by HTTPS names its own files by http://."""

from diagnose.evidence.network.proxies.pages.insecure_links import AllInsecureLinks, InsecureLinks
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import sentence, shortened
from diagnose.registry import check

_VARIABLES = (
    (LazyPattern(r"(?:^|/)keycloak:(?:1\d|2[0-3])\b"), "KC_PROXY=edge"),
    (LazyPattern(r"(?:^|/)keycloak(?:[:@]|$)"), "KC_PROXY_HEADERS=xforwarded"),
    (LazyPattern(r"(?:^|/)nextcloud(?:[:@]|$)"), "OVERWRITEPROTOCOL=https"),
    (LazyPattern(r"(?:^|/)odoo(?:[:@]|$)"), "PROXY_MODE=True"),
)
"""The variable by which a program trusts the headers of a proxy, by image."""


@check("container.links-insecure", severity=Severity.warning)
def links_insecure(all_insecure_links: AllInsecureLinks) -> CheckResult:
    """A page that comes by HTTPS names its own scripts and styles by http://.

    Browsers do not load these, and the page stays blank or without its form. The program behind the
    proxy makes whole addresses, and takes its clients for ones that came by HTTP: the proxy does
    not tell it, or it does not take the word of a proxy. The first page of each published port is
    asked for, and its redirects on the same site are followed. Addresses of other sites, and those
    that a browser does not load, such as a canonical link, do not count. Pages with the policy
    upgrade-insecure-requests do not count either, because browsers ask for their files by HTTPS.
    """
    for links in all_insecure_links:
        yield _finding(links)


def _finding(links: InsecureLinks) -> Finding:
    container = links.container
    page = links.page
    hop = links.hop
    untold = hop is not None and not hop.tells_of_https
    proxy_clause = ""
    if hop is not None and untold:
        proxy_clause = f"{hop.label} does not say that clients use HTTPS"
    elif links.program is not None:
        proxy_clause = (
            f"{page.container} terminates HTTPS for it, but it does not trust what that proxy says"
        )
    assignment = "" if untold else _assignment(links)
    return Finding.about(
        container,
        sentence(
            f"{container} links files of its own page with http://, which browsers block on an "
            "HTTPS page",
            proxy_clause,
        ),
        {
            f"GET {page.reply.path} at port {page.http_port.port} of {page.container}, over HTTPS": (
                f"{page.status}"
            ),
            "in the page": shortened(links.url, 160),
        },
        discriminator=str(page.http_port.port),
        touches=(page.container.subject,),
        recheck=(container.run,),
        variables=present(
            {
                "url": page.url,
                "own": assignment,
                "untold": hop.label if hop is not None and untold else "",
                "other": "" if untold or assignment else container.name,
            }
        ),
    )


def _assignment(links: InsecureLinks) -> str:
    container = links.container
    image = container.config.image
    assignment = next((text for pattern, text in _VARIABLES if pattern.search(image)), "")
    return "" if container.config.sets(assignment.partition("=")[0]) else assignment
