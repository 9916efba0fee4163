"""container.site-unread: nginx does not read a site that is mounted into its container."""

import posixpath

from diagnose.evidence.network.proxies.nginx.sites import NginxSites, UnreadSite
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import and_more
from diagnose.registry import check


@check("container.site-unread", severity=Severity.warning)
def site_unread(nginx_sites: NginxSites) -> CheckResult:
    """nginx does not read a site that is mounted into its container.

    The file lies below /etc/nginx and has a `server`, and no `include` of the configuration takes
    it: the folder sites-enabled is Debian's, the official image reads conf.d/*.conf. Clients get
    the page of another site, often "Welcome to nginx". Names such as shop.conf.bak, and the folder
    sites-available, are set aside on purpose.
    """
    for site in nginx_sites.unread:
        yield _finding(site)


def _finding(site: UnreadSite) -> Finding:
    container = site.container
    of_whom = f" ({and_more(site.names)})" if site.names else ""
    return Finding.about(
        container,
        f"nginx in {container} does not read {site.inside}, which has a site{of_whom}: its "
        f"configuration includes only {and_more(site.read_from) or 'other files'}",
        present({"mounted from": site.path, "includes": list(site.read_from)}),
        discriminator=site.inside,
        stable=(container.life,),
        variables={"site_file": site.path, **_cure(site)},
    )


def _cure(site: UnreadSite) -> PageVariables:
    """The page variables that mount the file where nginx reads it, if it reads one folder and the
    file is its own mount."""
    read_patterns = [pattern for pattern in site.read_from if pattern.endswith(("*", "*.conf"))]
    if not read_patterns:
        return {"unread": site.inside}
    folder = posixpath.dirname(read_patterns[0])
    name = posixpath.basename(site.inside)
    target = posixpath.join(folder, name if name.endswith(".conf") else f"{name}.conf")
    if site.mount.destination.rstrip("/") != site.inside:
        return {"unread": site.inside, "target": target}
    options = "" if site.mount.rw else ":ro"
    volume = f"{site.path}:{target}{options}"
    return {"moved": site.container.name, "inside": site.inside, "volume": volume}
