"""The certificates that nginx of the host shows to the clients of containers behind it.

No container has these files, and nginx logs nothing where they have expired.
"""

import posixpath
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.certificates.certificate_lifetime import (
    before_renewal,
    is_late,
    lineage_of,
)
from diagnose.evidence.containers.mounts.certificates.newer_certificates import (
    CertificateReader,
    NewerCertificate,
    newer_beside,
)
from diagnose.evidence.items import Items
from diagnose.evidence.machine.certificate import Validity, validity_of
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.nginx.configurations import configured_at
from diagnose.evidence.network.proxies.nginx.files import MAIN, NginxFiles
from diagnose.evidence.network.proxies.nginx.hops import hops
from diagnose.evidence.network.proxies.nginx.sites import certified_servers
from diagnose.model import HOST, Failed, Unexamined
from diagnose.nginx_text import Directive
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses
from diagnose.questions.files import FileText, ListFolder, PathStatus, ReadFile
from diagnose.registry import evidence

_PROGRAM = "nginx"
_MOST = 40
"""Certificates that are read."""
_SLACK_S = 5.0


class HostCertificate(msgspec.Struct, frozen=True):
    """A certificate of a site whose requests go to containers."""

    path: str
    names: tuple[str, ...]
    """The host names of the site."""
    containers: tuple[Container, ...]
    """The containers behind the site; at least one."""
    validity: Validity
    """Of the certificate in the file."""
    unread_since: float | None = None
    """Unix time at which the file was renewed, where nginx still has the one before."""
    old_end: float | None = None
    """When the one that nginx still has expires, as Unix time; None where that is not known."""
    newer: NewerCertificate | None = None
    """A valid certificate for the same names beside it, other than the one that nginx has."""
    named_by: str = ""
    """The one file of the host that names it; "" where several do."""

    @property
    def lineage(self) -> str:
        """The name by which certbot renews it; "" for a certificate of another program."""
        return lineage_of(self.path)


class HostCertificates(Items[HostCertificate], frozen=True):
    """The certificates that are late, or that nginx has not read since their renewal."""

    is_asked: bool = False
    """Whether nginx runs on the host itself."""
    examined: int = 0
    """How many certificates were read."""
    unexamined: tuple[Unexamined, ...] = ()


class _Site(msgspec.Struct, frozen=True):
    path: str
    names: tuple[str, ...]
    containers: tuple[Container, ...]


@evidence
def host_certificates(
    host: Host, containers: Containers, processes: Processes, clock: Clock
) -> HostCertificates:
    """The late or unread certificates of the host's nginx; nothing is asked without one."""
    if not any(process.comm == _PROGRAM for process in processes.outside):
        return HostCertificates()
    files = NginxFiles(host, None)
    sites = {
        site.path: site for site in _sites(files.directives(), containers) if "$" not in site.path
    }
    chosen = list(sites)[:_MOST]
    statuses = path_statuses(host, chosen, follow=True)
    loaded_at = configured_at(None, processes, clock)
    certificates: list[HostCertificate] = []
    unread: list[Unexamined] = []
    for path, text in host.ask_about(chosen, _question):
        if isinstance(text, Failed):
            if text.reason != "missing":
                unread.append(Unexamined(HOST, f"{path}: {text}"))
            continue
        validity = validity_of(text.text)
        if validity is not None:
            certificate = HostCertificate(path, sites[path].names, sites[path].containers, validity)
            status = statuses.get(path, PathStatus())
            if validity.end <= clock.wall:
                certificate = _with_newer(host, certificate, text.text, files, clock)
            certificates.append(_loaded_certificate(host, certificate, status, loaded_at))
    late_certificates = (
        certificate
        for certificate in certificates
        if certificate.unread_since is not None or is_late(certificate.validity, clock.wall)
    )
    return HostCertificates(
        tuple(late_certificates),
        is_asked=True,
        examined=len(certificates),
        unexamined=tuple(unread),
    )


def _with_newer(
    host: Host, certificate: HostCertificate, pem: str, files: NginxFiles, clock: Clock
) -> HostCertificate:
    """The certificate with a newer valid one beside it."""
    reader = CertificateReader(_question, ListFolder)
    newer = newer_beside(host, reader, certificate.path, pem, clock.wall)
    named_by = files.holding(("ssl_certificate", certificate.path))
    return msgspec.structs.replace(certificate, newer=newer, named_by=named_by)


def _question(path: str) -> ReadFile:
    return ReadFile(path, parts="first certificate")


def _sites(directives: Sequence[Directive], containers: Containers) -> Iterator[_Site]:
    """The sites with TLS whose requests go to containers, and their certificates."""
    programs_by_names: dict[tuple[str, ...], dict[str, Container]] = {}
    for hop in hops(None, directives, containers):
        if hop.program is not None and hop.ends_tls:
            programs_by_names.setdefault(hop.names, {})[hop.program.id] = hop.program
    for server in certified_servers(directives):
        if server.names in programs_by_names:
            path = posixpath.join(posixpath.dirname(MAIN), server.certificate)
            yield _Site(path, server.names, tuple(programs_by_names[server.names].values()))


def _loaded_certificate(
    host: Host, certificate: HostCertificate, status: PathStatus, loaded_at: float
) -> HostCertificate:
    """The certificate in the state that nginx has loaded, if it was renewed since.

    Certbot keeps the one before. Other certificates are copied unchanged each night on many hosts.
    """
    changed_at = status.mtime
    if changed_at is None or changed_at <= loaded_at + _SLACK_S:
        return certificate
    before = before_renewal(certificate.path, status.link or "")
    text = host.answer_or(_question(before), FileText("")) if before else FileText("")
    old = validity_of(text.text)
    if old is None and certificate.validity.start <= loaded_at:
        return certificate
    return msgspec.structs.replace(
        certificate, unread_since=changed_at, old_end=old.end if old is not None else None
    )
