"""Certificates that were renewed on the host since the web server of a container read them.

nginx, Apache and HAProxy read their files when they start and when they reload, which
gives them new workers.
"""

import msgspec

from diagnose.evidence.containers.mounts.certificates.certificate_files import (
    CertificateFile,
    CertificateFiles,
)
from diagnose.evidence.containers.mounts.certificates.certificate_lifetime import before_renewal
from diagnose.evidence.items import Items
from diagnose.evidence.machine.certificate import validity_of
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.registry import evidence

_SLACK_S = 5.0


class UnreadCertificate(msgspec.Struct, frozen=True):
    """A certificate that is newer than all processes of the server that uses it."""

    file: CertificateFile
    changed_at: float
    """Unix time."""
    old_end: float | None = None
    """When the certificate that the server still uses expires, as Unix time; None where that is not
    known."""


class UnreadCertificates(Items[UnreadCertificate], frozen=True):
    """The first one of each container."""


@evidence
def unread_certificates(host: Host, files: CertificateFiles) -> UnreadCertificates:
    """The certificates that are newer than their server's last start or reload.

    Files are read only where they were written after the start. A file that is mounted alone stays
    the old one when it is replaced, whatever is reloaded.
    """
    items: dict[str, UnreadCertificate] = {}
    for file in files:
        changed_at = file.status.mtime
        if file.container.id in items or changed_at is None or file.is_mounted_alone:
            continue
        if changed_at <= file.loaded_at + _SLACK_S:
            continue
        end = _old_end(host, file)
        if end is not None or _may_be_new(host, file):
            items[file.container.id] = UnreadCertificate(file, changed_at, end)
    return UnreadCertificates(tuple(items.values()))


def _may_be_new(host: Host, file: CertificateFile) -> bool:
    """Whether a file may hold a certificate that was not there yet when the server read it.

    Many hosts copy the same one again each night.
    """
    text = host.ask(file.read())
    period = None if isinstance(text, Failed) else validity_of(text.text)
    return period is None or period.start > file.loaded_at


def _old_end(host: Host, file: CertificateFile) -> float | None:
    """When the certificate before expires, of which certbot keeps the file."""
    before = before_renewal(file.path_inside, file.status.link or "")
    if not before:
        return None
    text = host.ask(file.read(before))
    period = None if isinstance(text, Failed) else validity_of(text.text)
    return period.end if period is not None else None
