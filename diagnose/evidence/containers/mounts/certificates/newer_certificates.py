"""A valid certificate for the same names beside an expired one.

certbot keeps a second one as live/NAME-0001 where the names of a site were changed; the server
continues with the first, which nobody renews.
"""

import posixpath
from collections.abc import Callable, Iterator

import msgspec

from diagnose.evidence.machine.certificate import names_of, parties_of, validity_of
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import FolderEntry, ListFolder, ReadFile

_MOST = 40
"""Files that are read beside one certificate."""
_CERTIFICATE = LazyPattern(r"\.(?:pem|crt|cer|cert)$")
_KEY = LazyPattern(r"(?i)(?:^|[._-])(?:priv)?key\b|privkey|\bdh")
_COPY = LazyPattern(r"^(?P<stem>.{1,253}?)(?:-\d{4})?$")
"""The names that certbot gives to further certificates of the same name: shop.example.com-0001."""


class CertificateReader(msgspec.Struct, frozen=True):
    """Functions that read files beside a certificate: those of a mount stay within the mount."""

    read: Callable[[str], ReadFile]
    list: Callable[[str], ListFolder | None]
    """None for a folder that may not be looked into."""


class NewerCertificate(msgspec.Struct, frozen=True):
    """A valid certificate beside another one."""

    path: str
    """The path in the same view as the other one's: in the container, or on the host."""
    end: float
    """Until when it is valid, as Unix time."""


def newer_beside(
    host: Host, reader: CertificateReader, path: str, pem: str, now: float
) -> NewerCertificate | None:
    """The longest valid certificate in the same folder or one beside it; or None.

    The certificate has at least the names of the expired one.
    """
    newer_ones = []
    for other in _candidates(host, reader, path):
        text = host.ask(reader.read(other))
        validity = None if isinstance(text, Failed) else validity_of(text.text)
        if isinstance(text, Failed) or validity is None or validity.end <= now:
            continue
        if validity.start <= now and _serves(text.text, pem):
            newer_ones.append(NewerCertificate(other, validity.end))
    return max(newer_ones, key=lambda newer: newer.end, default=None)


def _serves(new: str, old: str) -> bool:
    """Whether a certificate is good for all that another one was for.

    One without names is for its subject.
    """
    names = frozenset(names_of(old))
    if names:
        return names <= frozenset(names_of(new))
    subject = parties_of(old).subject
    return bool(subject) and subject == parties_of(new).subject


def _candidates(host: Host, reader: CertificateReader, path: str) -> Iterator[str]:
    """Files of this name in the folders beside, and further files of this folder."""
    folder, name = posixpath.split(path)
    parent, folder_name = posixpath.split(folder)
    names_beside = [entry.name for entry in _entries(host, reader, parent) if entry.type != "file"]
    stem = _stem(folder_name)
    names_beside.sort(key=lambda other: (_stem(other) != stem, other))
    paths = [f"{parent}/{other}/{name}" for other in names_beside if other != folder_name]
    paths = paths[:_MOST]
    files = [entry.name for entry in _entries(host, reader, folder) if entry.type != "folder"]
    paths += [
        f"{folder}/{other}"
        for other in files
        if other != name and _CERTIFICATE.search(other) and not _KEY.search(other)
    ]
    yield from paths[:_MOST]


def _stem(name: str) -> str:
    match = _COPY.match(name)
    return match["stem"] if match is not None else name


def _entries(host: Host, reader: CertificateReader, folder: str) -> list[FolderEntry]:
    question = reader.list(folder)
    if question is None:
        return []
    listing = host.ask(question)
    return [] if isinstance(listing, Failed) else listing.entries
