"""container.site-unread: a web server does not serve a site that its container has."""

import posixpath

from diagnose.evidence.network.proxies.nginx.sites import NginxSites, UnreadSite
from diagnose.evidence.network.proxies.pages.unshown_sites import UnshownSite, UnshownSites
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import and_more
from diagnose.registry import check


@check("container.site-unread", severity=Severity.warning)
def site_unread(nginx_sites: NginxSites, unshown_sites: UnshownSites | None) -> CheckResult:
    """A web server does not serve a site that its container has.

    A file of settings for nginx lies below /etc/nginx and has a `server`, and no `include` of the
    configuration takes it: the folder sites-enabled is Debian's, the official image reads
    conf.d/*.conf. Clients get the page of another site, often "Welcome to nginx". Names such as
    shop.conf.bak, and the folder sites-available, are set aside on purpose.

    Or nginx, Apache or Caddy shows the welcome page of its image, and another folder of the
    container has a first page that its configuration does not name. The check says nothing where
    other programs run in the container, which may serve it. It is advice where the folder is the
    image's: a base image may bring a page that nobody wants.
    """
    for site in nginx_sites.unread:
        yield _finding(site)
    for unshown in unshown_sites or ():
        yield _unshown_finding(unshown)


def _finding(site: UnreadSite) -> Finding:
    container = site.container
    of_whom = f" ({and_more(site.names)})" if site.names else ""
    return Finding.about(
        container,
        f"nginx in {container} does not read {site.path_inside}, which has a site{of_whom}: its "
        f"configuration includes only {and_more(site.read_from) or 'other files'}",
        present({"mounted from": site.path, "includes": list(site.read_from)}),
        discriminator=site.path_inside,
        recheck=(container.run,),
        variables={"site_file": site.path, **_cure(site)},
    )


def _cure(site: UnreadSite) -> PageVariables:
    """The page variables that mount the file where nginx reads it, if it reads one folder and the
    file is its own mount."""
    read_patterns = [pattern for pattern in site.read_from if pattern.endswith(("*", "*.conf"))]
    if not read_patterns:
        return {"unread": site.path_inside}
    folder = posixpath.dirname(read_patterns[0])
    name = posixpath.basename(site.path_inside)
    target = posixpath.join(folder, name if name.endswith(".conf") else f"{name}.conf")
    if site.mount.destination.rstrip("/") != site.path_inside:
        return {"unread": site.path_inside, "target": target}
    options = "" if site.mount.rw else ":ro"
    volume = f"{site.path}:{target}{options}"
    return {"moved": site.container.name, "inside": site.path_inside, "volume": volume}


def _unshown_finding(site: UnshownSite) -> Finding:
    container, mount = site.container, site.mount
    source = mount.on_host(site.folder) if mount is not None else ""
    return Finding.about(
        container,
        f"{site.program} in {container} shows the welcome page of its image from {site.root}, and not "
        f"{site.folder}, which has an index.html",
        present({"first page": f"welcome page of {site.program}", "mounted from": source}),
        discriminator=site.folder,
        severity=None if mount is not None else Severity.advice,
        recheck=(container.run,),
        variables=_place(site),
    )


def _place(site: UnshownSite) -> PageVariables:
    """The page variables that mount the folder where the server looks; of an image, its folders."""
    mount = site.mount
    if mount is None or mount.destination.rstrip("/") != site.folder:
        return {"unshown": site.folder, "root": site.root}
    options = "" if mount.rw else ":ro"
    source = mount.name if mount.volumes else mount.source
    volume = f"{source}:{site.root}{options}"
    return {"moved": site.container.name, "inside": site.folder, "volume": volume}
