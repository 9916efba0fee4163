"""The certificate authorities that were added to the host's own."""

import msgspec

from diagnose.evidence.containers.logs.repeated_errors import RepeatedErrors
from diagnose.questions import Host
from diagnose.questions.files import FolderListing, ListFolder
from diagnose.registry import evidence

_UNTRUSTED = "certificate-untrusted"
"""The known failure of a program that does not know the authority of a certificate."""
_STORES = (
    ("/usr/local/share/ca-certificates", "/etc/ssl/certs/ca-certificates.crt"),
    ("/etc/pki/ca-trust/source/anchors", "/etc/pki/tls/certs/ca-bundle.crt"),
    ("/etc/pki/trust/anchors", "/etc/ssl/ca-bundle.pem"),
)
"""Folders where Debian, Red Hat and SUSE take additional authorities, and the file with all of
them."""
_CERTIFICATES = (".crt", ".pem", ".cer")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""The file of authorities in images of Debian and Alpine, where Go, curl and OpenSSL look for it.
"""


class LocalAuthorities(msgspec.Struct, frozen=True):
    """The authorities of the host, which its containers do not have."""

    files: tuple[str, ...] = ()
    bundle: str = ""
    """The host's file with all authorities; empty without any local one."""

    @property
    def mount(self) -> str:
        """The host's file that replaces a container's own, as `--volume` takes it."""
        return f"{self.bundle}:{BUNDLE}:ro"


@evidence
def local_authorities(host: Host, repeated_errors: RepeatedErrors) -> LocalAuthorities:
    """The folders are listed only where a program distrusts a certificate.

    A proxy that opens TLS signs with an authority of the company's own.
    """
    failures = [error.failure for error in repeated_errors if error.failure is not None]
    if not any(failure.name == _UNTRUSTED for failure in failures):
        return LocalAuthorities()
    for folder, bundle in _STORES:
        names = host.answer_or(ListFolder(folder), FolderListing()).names
        files = sorted(f"{folder}/{name}" for name in names if name.endswith(_CERTIFICATES))
        if files:
            return LocalAuthorities(tuple(files), bundle)
    return LocalAuthorities()
