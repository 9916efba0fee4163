"""The certificate authorities that were added to the host's own."""

from collections.abc import Iterable

import msgspec

from diagnose.evidence.containers.logs.repeated_errors import RepeatedError, RepeatedErrors
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing, path_statuses
from diagnose.questions.files import NOT_ASKED
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
LIST_PLACES = (
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
    "/system/etc/security/cacerts",
)
"""Places in an image at which Go looks for authorities."""
_OF_GO = "x509: certificate signed by unknown authority"
_INSIDE = LazyPattern(
    r"(?i)https://(?:[\w-]{1,63}|[\w.-]{1,200}\.(?:corp|home|internal|intranet|lan|local|home\.arpa)"
    r"|(?:10|127|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.[\d.]{3,11})(?=[:/\s\"']|$)"
)
"""A server of one's own network, whose authority is on no public list."""
_OWN_LISTS = ("SSL_CERT_DIR", "SSL_CERT_FILE")
"""Variables by which a program of Go reads a list elsewhere."""
_ALWAYS_THERE = "/etc/hosts"
"""A file that the engine gives each container."""
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""The file of authorities in images of Debian and Alpine, where Go, curl and OpenSSL look for it.
"""


class LocalAuthorities(msgspec.Struct, frozen=True):
    """The authorities of the host, which its containers do not have."""

    files: tuple[str, ...] = ()
    bundle: str = ""
    """The host's file with all authorities; empty without any local one."""
    own_bundle: str = ""
    """The host's file with all authorities, for a container whose image has no list; "" for no such
    container or no such file."""
    listless: frozenset[str] = frozenset()
    """The ids of running containers whose image has no list of authorities at all."""

    @property
    def mount(self) -> str:
        """The host's file that replaces a container's own, as `--volume` takes it."""
        return f"{self.bundle}:{BUNDLE}:ro"

    @property
    def missing_list(self) -> str:
        """The host's file as the list of a container that has none, as `--volume` takes it."""
        return f"{self.own_bundle}:{BUNDLE}:ro" if self.own_bundle else ""


@evidence
def local_authorities(host: Host, repeated_errors: RepeatedErrors) -> LocalAuthorities:
    """The folders are listed only where a program distrusts a certificate.

    A proxy that opens TLS signs with an authority of the company's own.
    """
    distrusting = [error for error in repeated_errors if _distrusts(error)]
    if not distrusting:
        return LocalAuthorities()
    listless = _containers_without_list(host, distrusting)
    own_bundle = _bundle_of(host) if listless else ""
    for folder, bundle in _STORES:
        names = folder_listing(host, folder).names
        files = sorted(f"{folder}/{name}" for name in names if name.endswith(_CERTIFICATES))
        if files:
            return LocalAuthorities(tuple(files), bundle, own_bundle, listless)
    return LocalAuthorities(own_bundle=own_bundle, listless=listless)


def _distrusts(error: RepeatedError) -> bool:
    """Whether the program repeats that it does not know the authority of a certificate."""
    return error.failure is not None and error.failure.name == _UNTRUSTED


def _containers_without_list(host: Host, errors: Iterable[RepeatedError]) -> frozenset[str]:
    """The ids of those whose program is of Go, and whose running container has no list.

    A server of one's own network is left out: its authority is on no public list.
    """
    without_list = set()
    for error in errors:
        pid = error.container.state.pid
        if not pid or _OF_GO not in error.line.whole or _INSIDE.search(error.line.whole):
            continue
        if any(map(error.container.config.sets, _OWN_LISTS)):
            continue
        root = f"/proc/{pid}/root"
        paths = tuple(f"{root}{path}" for path in (_ALWAYS_THERE, *LIST_PLACES))
        # an absolute link leads out of the container, and is a list all the same
        stats = path_statuses(host, paths, follow=False)
        may_look = paths[0] in stats and not stats[paths[0]].failed
        lists = [stats.get(path, NOT_ASKED) for path in paths[1:]]
        if may_look and all(status.failed == "missing" for status in lists):
            without_list.add(error.container.id)
    return frozenset(without_list)


def _bundle_of(host: Host) -> str:
    """The host's file with all authorities; "" where none of the usual ones is there."""
    bundles = tuple(bundle for _, bundle in _STORES)
    stats = path_statuses(host, bundles)
    existing = (bundle for bundle in bundles if bundle in stats and not stats[bundle].failed)
    return next(existing, "")
