"""Certificates of sites that their clients cannot accept, though they are valid."""

import posixpath
from collections.abc import Sequence

import msgspec

from diagnose.evidence.containers.inspect import host_mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.mounted_files import mounted_file
from diagnose.evidence.items import Items
from diagnose.evidence.machine.certificate import names_of, parties_of
from diagnose.evidence.network.proxies.nginx.sites import NginxSite, NginxSites
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import FileText, StatPaths
from diagnose.registry import evidence

MOST = 20
"""Sites whose certificate is read."""
_LEAF = "cert.pem"
_CHAIN = "fullchain.pem"
_BETWEEN = "chain.pem"
"""Files that certbot and similar programs write into one folder: the certificate alone, with its
chain, and the authorities between it and the root."""
_OF_ONE = 1.5
"""A file of more bytes than this many times its first certificate has further ones too."""


class UnfitCertificate(msgspec.Struct, frozen=True):
    """A certificate of a site that its clients refuse."""

    container: Container
    path_inside: str
    """The path in the container."""
    path: str
    """On the host."""
    uncovered: tuple[str, ...] = ()
    """The names of the site that it does not hold for."""
    names: tuple[str, ...] = ()
    """The names that it holds for."""
    chain: str = ""
    """The file beside it that has the authorities up to the root too; "" for none."""
    is_between: bool = False
    """Whether an authority between it and the root is known to exist."""


class UnfitCertificates(Items[UnfitCertificate], frozen=True):
    """The unfit certificates, at most one for each file of a container."""


@evidence
def unfit_certificates(host: Host, nginx_sites: NginxSites) -> UnfitCertificates:
    """The first certificate of each file that a site of nginx names, below a mount."""
    certificates: dict[tuple[str, str], UnfitCertificate] = {}
    for site in host.first(tuple(nginx_sites), MOST, "sites with a certificate"):
        unfit = _unfit_certificate(host, site)
        if unfit is not None:
            certificates.setdefault((site.container.id, unfit.path_inside), unfit)
    return UnfitCertificates(tuple(certificates.values()))


def _unfit_certificate(host: Host, site: NginxSite) -> UnfitCertificate | None:
    """A certificate of a site without its chain, or without one of the site's names."""
    inside = site.certificate
    mount = host_mount(site.container.mounts, inside)
    if mount is None or "$" in inside or ".." in inside.split("/"):
        return None
    text = host.ask(mounted_file(mount, inside, parts="first certificate"))
    if isinstance(text, Failed):
        return None
    names = names_of(text.text)
    path = mount.on_host(inside)
    unfit = UnfitCertificate(site.container, inside, path, names=names)
    is_alone = text.size <= len(text.text) * _OF_ONE
    if posixpath.basename(inside) == _LEAF and mount.destination != inside and is_alone:
        chain = posixpath.join(posixpath.dirname(inside), _CHAIN)
        on_host = mount.on_host(chain)
        statuses = host.ask(StatPaths([on_host], follow=True))
        if not isinstance(statuses, Failed) and statuses[on_host].type == "file":
            between = posixpath.join(posixpath.dirname(inside), _BETWEEN)
            authority = host.answer_or(
                mounted_file(mount, between, parts="first certificate"), FileText("")
            )
            leaf = parties_of(text.text)
            signer = parties_of(authority.text)
            is_between = leaf.issuer == signer.subject != signer.issuer
            return msgspec.structs.replace(unfit, chain=chain, is_between=is_between)
    uncovered = tuple(name for name in site.names if _is_host(name) and not _covers(names, name))
    return msgspec.structs.replace(unfit, uncovered=uncovered) if names and uncovered else None


def _is_host(name: str) -> bool:
    """Whether a word of server_name is the name of one host: no pattern, and more than one word."""
    return "." in name and "*" not in name and not name.startswith((".", "~"))


def _covers(names: Sequence[str], host_name: str) -> bool:
    """Whether a certificate holds for a name; a wildcard replaces one word."""
    name = host_name.lower()
    return name in names or f"*.{name.partition('.')[2]}" in names
