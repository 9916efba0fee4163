"""The certificates that the engine is given for single registries."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from diagnose.evidence.images.pulls import Pulls
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ListFolder, StatPaths
from diagnose.registry import evidence

CERTIFICATES = "/etc/docker/certs.d"
MOST = 50
"""So many registries are looked at."""


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
"""Where Go programs look for the authorities that a system trusts (crypto/x509, root_linux.go)."""


class RegistryFiles(msgspec.Struct, frozen=True):
    """Files in certs.d that do not fit together."""

    unpaired: tuple[UnpairedFile, ...] = ()
    authorities: str | None = None
    """The file of the authorities that the system trusts; "" if it has none, None if not known."""
    authorities_changed: float | None = None
    """Unix time of that file's last change."""


@evidence
def registry_files(host: Host, pulls: Pulls | None) -> RegistryFiles | Unavailable:
    """What lies in the folders of certs.d, by name alone.

    The authorities are looked for where a pull failed over a certificate.

    The engine takes NAME.crt for an authority, and NAME.cert with NAME.key for its own certificate
    (registry/registry.go, 20.10 to 29).
    """
    is_asked = pulls is not None and pulls.of("tls")
    authorities, changed = _authorities(host) if is_asked else (None, None)
    listing = host.ask(ListFolder(CERTIFICATES))
    if isinstance(listing, Failed) and listing.reason == "missing":
        return RegistryFiles(authorities=authorities, authorities_changed=changed)
    if isinstance(listing, Failed):
        return Unavailable.of(listing)
    folders = [entry.name for entry in listing.entries if entry.type != "file"][:MOST]
    answers = host.ask_about(folders, lambda name: ListFolder(f"{CERTIFICATES}/{name}"))
    return RegistryFiles(
        tuple(
            file
            for registry, answer in answers
            if not isinstance(answer, Failed)
            for file in _unpaired(registry, set(answer.names))
        ),
        authorities,
        changed,
    )


def _authorities(host: Host) -> tuple[str | None, float | None]:
    """The file, and the time of its last change."""
    statuses = host.ask(StatPaths(list(AUTHORITIES)))
    if isinstance(statuses, Failed):
        return None, None
    there = ((path, status.mtime) for path, status in statuses.items() if not status.failed)
    return next(there, ("", None))


def _unpaired(registry: str, names: set[str]) -> Iterator[UnpairedFile]:
    """The files of a registry that lack the other half of a certificate and its key."""
    for name in sorted(names):
        stem, _, ending = name.rpartition(".")
        key, certificate, authority = f"{stem}.key", f"{stem}.cert", f"{stem}.crt"
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
