"""Certificates of web servers that have expired, or were not renewed in time."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.certificates.certificate_files import (
    CertificateFile,
    CertificateFiles,
)
from diagnose.evidence.containers.mounts.certificates.certificate_lifetime import (
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
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import by_key
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import FileText
from diagnose.registry import evidence

_CERTBOT = LazyPattern(r"(?:^|/)certbot(?:[-:@/]|$)")
"""An image with certbot as its program."""


class ExpiredCertificate(msgspec.Struct, frozen=True):
    """A certificate that its server serves, and that is valid for no longer than a moment."""

    file: CertificateFile
    validity: Validity
    others: tuple[str, ...] = ()
    """The paths in the container of further files with the same problem."""
    renewer: Container | None = None
    """A running container with certbot that has the same folder of the host."""
    newer: NewerCertificate | None = None
    """A valid certificate for the same names beside it."""

    @property
    def lineage(self) -> str:
        """The name by which certbot renews it; "" for a certificate of another program."""
        return lineage_of(self.file.path_inside)


class ExpiredCertificates(Items[ExpiredCertificate], frozen=True):
    """The certificate of each container that expires first; empty where none is late."""


@evidence
def expired_certificates(
    host: Host, files: CertificateFiles, containers: Containers, clock: Clock
) -> ExpiredCertificates:
    """The first certificate of each file: that of the server itself."""
    late = []
    for file, text in host.ask_about(files, CertificateFile.read):
        validity = None if isinstance(text, Failed) else validity_of(text.text)
        if validity is not None and is_late(validity, clock.wall):
            late.append(
                ExpiredCertificate(
                    file,
                    validity,
                    renewer=_renewer(file, containers),
                    newer=_newer_certificate(host, file, text, clock),
                )
            )
    late.sort(
        key=lambda certificate: (
            certificate.file.container.name,
            certificate.validity.end,
            certificate.file.path_inside,
        )
    )
    expired = []
    for first, *copies in by_key(
        (certificate.file.container.id, certificate) for certificate in late
    ).values():
        inside = tuple(other.file.path_inside for other in copies)
        expired.append(msgspec.structs.replace(first, others=inside))
    return ExpiredCertificates(tuple(expired))


def _newer_certificate(
    host: Host, file: CertificateFile, text: Failed | FileText, clock: Clock
) -> NewerCertificate | None:
    """A valid one below the same mount; none where a file is mounted alone."""
    if isinstance(text, Failed) or file.is_mounted_alone:
        return None
    reader = CertificateReader(file.read, file.list_folder)
    return newer_beside(host, reader, file.path_inside, text.text, clock.wall)


def _renewer(file: CertificateFile, containers: Containers) -> Container | None:
    """The running certbot that has the same folder of certificates."""
    source = file.holder.source
    for container in containers.running:
        if container.mounts_from(source) and _CERTBOT.search(container.config.image):
            return container
    return None
