"""The certificates that the engine is given for single registries."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

import msgspec

from diagnose.evidence.images.pulls.pulls import Pulls
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.file_answers import folder_listing, path_statuses
from diagnose.questions.files import FolderEntry, ListFolder, ReadFile, StatPaths
from diagnose.registry import evidence

CERTIFICATES = "/etc/docker/certs.d"
MOST_BYTES = 4 << 20
"""Lists of authorities are smaller."""
_CERTIFICATE = LazyPattern(
    r"-----BEGIN (?:TRUSTED )?CERTIFICATE-----(?P<body>[^-]{64,65536})-----END"
)
MOST = 50
"""Maximum number of registries that are looked at."""


class UnpairedFile(msgspec.Struct, frozen=True):
    """A file for which the engine refuses each pull from its registry."""

    registry: str
    name: str
    lacks: str
    """The file beside it that the engine looks for."""
    misnamed: str = ""
    """The file that most likely has a wrong name; "" where that is not known."""
    renamed: str = ""
    """The name that it should have."""


AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Files where Go programs look for the authorities that a system trusts (crypto/x509,
root_linux.go)."""


LOCAL_FOLDERS = (
    "/usr/local/share/ca-certificates",
    "/etc/pki/ca-trust/source/anchors",
    "/etc/pki/trust/anchors",
)
"""Folders where Debian, Red Hat and SUSE take additional authorities; a command puts them into the
list."""


class UnreadAuthority(msgspec.Struct, frozen=True):
    """A file NAME.crt of a registry in which the engine finds no certificate, without a word."""

    registry: str
    path: str
    holds: str
    """The actual content."""
    is_binary: bool = False
    """It is a certificate in binary form (DER), which a command makes readable."""


class RegistryFiles(msgspec.Struct, frozen=True):
    """Files in certs.d that do not fit together."""

    unpaired: tuple[UnpairedFile, ...] = ()
    authorities: str | None = None
    """The file of the authorities that the system trusts; "" if it has none, None if not known."""
    authorities_changed: float | None = None
    """Unix time of that file's last change."""
    unlisted: str = ""
    """An authority that was added to the system later, so that the file lacks it."""
    own_authorities: tuple[str, ...] = ()
    """The registries for which certs.d has an authority of their own."""
    unread: tuple[UnreadAuthority, ...] = ()
    """Those that the engine cannot read, of registries that it does not trust."""

    def unread_of(self, registry: str) -> UnreadAuthority | None:
        """The first authority of a registry that the engine cannot read."""
        return next((file for file in self.unread if file.registry == registry), None)


@evidence
def registry_files(host: Host, pulls: Pulls | None) -> RegistryFiles | Unavailable:
    """The files in the folders of certs.d, by name alone.

    The authorities are searched only where a pull failed over a certificate. The engine takes
    NAME.crt for an authority, and NAME.cert with NAME.key for its own certificate
    (registry/registry.go, 20.10 to 29).
    """
    failing = {trouble.registry for trouble in pulls.of("tls")} if pulls is not None else set()
    system = _authorities(host) if failing else _Authorities(None)
    unlisted = _unlisted_authority(host, system.path, system.changed) if system.path else ""
    listing = host.ask(ListFolder(CERTIFICATES))
    if isinstance(listing, Failed) and listing.reason != "missing":
        return Unavailable.of(listing)
    entries = () if isinstance(listing, Failed) else listing.entries
    names_by_registry = _names_by_registry(host, entries)
    authorities = {
        registry: sorted(filter(_is_authority, names))
        for registry, names in names_by_registry.items()
    }
    unpaired = [_unpaired_files(registry, names) for registry, names in names_by_registry.items()]
    return RegistryFiles(
        tuple(itertools.chain.from_iterable(unpaired)),
        system.path,
        authorities_changed=system.changed,
        unlisted=unlisted,
        own_authorities=tuple(registry for registry, names in authorities.items() if names),
        unread=tuple(_unread_authorities(host, authorities, failing)),
    )


def _names_by_registry(host: Host, entries: Iterable[FolderEntry]) -> dict[str, set[str]]:
    """The names of the files of each registry, of the first registries."""
    folders = [entry.name for entry in entries if entry.type != "file"][:MOST]
    listings = host.ask_about(folders, lambda name: ListFolder(f"{CERTIFICATES}/{name}"))
    return {name: set(answer.names) for name, answer in listings if not isinstance(answer, Failed)}


def _unread_authorities(
    host: Host, authorities: Mapping[str, Sequence[str]], failing: Set[str]
) -> Iterator[UnreadAuthority]:
    """The authorities that the engine cannot read, of the registries whose pulls fail."""
    for registry, names in authorities.items():
        if registry in failing:
            files = (_unread_authority(host, registry, name) for name in names)
            yield from filter(None, files)


def _unread_authority(host: Host, registry: str, name: str) -> UnreadAuthority | None:
    """The content of an authority's file without a certificate that Go reads (PEM); else None."""
    path = f"{CERTIFICATES}/{registry}/{name}"
    answer = host.ask(ReadFile(path))
    if isinstance(answer, Failed) or "-----BEGIN CERTIFICATE-----" in answer.text:
        return None
    text = answer.text.lstrip()
    if not text:
        return UnreadAuthority(registry, path, "is empty")
    if text.startswith("<"):
        return UnreadAuthority(registry, path, "holds a page of a web server")
    if text.startswith("0") and "\ufffd" in text[:16]:
        return UnreadAuthority(
            registry, path, "holds a certificate in binary form (DER)", is_binary=True
        )
    if "PRIVATE KEY-----" in text:
        return UnreadAuthority(registry, path, "holds a private key")
    return UnreadAuthority(registry, path, "holds no certificate in the form of PEM")


class _Authorities(msgspec.Struct, frozen=True):
    """The file of the authorities that the system trusts."""

    path: str | None
    """The path, as in `RegistryFiles.authorities`."""
    changed: float | None = None
    """Unix time of its last change."""


def _authorities(host: Host) -> _Authorities:
    statuses = host.ask(StatPaths(list(AUTHORITIES)))
    if isinstance(statuses, Failed):
        return _Authorities(None)
    existing = {path: status for path, status in statuses.items() if not status.failed}
    path = first_of(existing, "")
    return _Authorities(path, existing[path].mtime if path else None)


def _is_authority(name: str) -> bool:
    return name.endswith(".crt")


def _unlisted_authority(host: Host, bundle: str, changed: float | None) -> str:
    """The path of an authority that is newer than the list, and missing there; "" for none.

    Times alone are not proof: a package may set them. The list itself is read.
    """
    for path in _younger_anchors(host, changed):
        added = host.ask(ReadFile(path))
        authorities = host.ask(ReadFile(bundle, max_bytes=MOST_BYTES))
        if isinstance(added, Failed) or isinstance(authorities, Failed) or authorities.truncated:
            continue
        certificate = _CERTIFICATE.search(added.text)
        if certificate and _without_line_ends(certificate["body"]) not in _without_line_ends(
            authorities.text
        ):
            return path
    return ""


def _younger_anchors(host: Host, changed: float | None) -> Iterator[str]:
    """The authorities that were added to the system after this Unix time."""
    watched_folders = LOCAL_FOLDERS if changed is not None else ()
    for folder in watched_folders:
        names = folder_listing(host, folder).names
        statuses = path_statuses(host, [f"{folder}/{name}" for name in names][:MOST])
        for path, status in statuses.items():
            if status.mtime is not None and changed is not None and status.mtime > changed:
                yield path


def _without_line_ends(text: str) -> str:
    """The text without the ends of lines, whose length differs from one writer to the next."""
    return "".join(text.split())


def _unpaired_files(registry: str, names: set[str]) -> Iterator[UnpairedFile]:
    """The files of a registry that lack the other half of a certificate and its key."""
    for name in sorted(names):
        stem, _, ending = name.rpartition(".")
        key = f"{stem}.key"
        certificate = f"{stem}.cert"
        authority = f"{stem}.crt"
        if ending == "cert" and key not in names:
            renamed = authority if authority not in names else ""
            yield UnpairedFile(registry, name, key, name, renamed)
        elif ending == "key" and certificate not in names:
            has_other = authority in names
            yield UnpairedFile(
                registry,
                name,
                certificate,
                authority if has_other else "",
                certificate if has_other else "",
            )
