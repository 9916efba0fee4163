"""Reasons why the engine refuses a registry's certificate."""

from collections.abc import Mapping

import msgspec

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.images.pulls.pull_words import CertificateDates
from diagnose.evidence.images.pulls.pulls import PullTrouble
from diagnose.evidence.images.pulls.registry_files import (
    CERTIFICATES,
    LOCAL_FOLDERS,
    RegistryFiles,
    UnreadAuthority,
)
from diagnose.evidence.images.pulls.registry_names import is_public, with_port
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Json, PageVariables

_UNPROVEN = (
    "; this host does not know the certificate authority (CA), or the registry does not send its "
    "intermediate certificates"
)
"""The engine says the same of both."""


class CertificateRefusal(msgspec.Struct, frozen=True):
    """The reason why a certificate is refused, and the page variables of the cure."""

    variables: PageVariables = {}
    reason: str = ""
    """The text that replaces the engine's words."""
    clause: str = ""
    """The text behind the engine's words."""
    proof: Mapping[str, Json] = {}


def refusal_of(trouble: PullTrouble, files: RegistryFiles | None, later: str) -> CertificateRefusal:
    """The reason why the certificate is refused, by the engine's words and the host's files.

    later: the host's list of authorities, where it is newer than the engine.
    """
    host = trouble.host
    words = trouble.words
    if words.certificate_dates is not None:
        return CertificateRefusal(
            {"dated": with_port(host)}, reason=_dates_clause(words.certificate_dates)
        )
    if words.misnames_host:
        return CertificateRefusal({"misnamed": with_port(host)})
    if not words.distrusts_certificate:
        return CertificateRefusal()
    if files is not None and files.unlisted:
        return _unlisted_cause(files, host)
    if later:
        return _later_cause(later, host)
    if is_public(host):
        return CertificateRefusal(_public_registry_variables(host, files), reason=_signer(files))
    unread = files.unread_of(host) if files is not None else None
    if unread is not None:
        return _unread_cause(unread, host)
    is_given = files is not None and host in files.own_authorities
    variables = {"untrusted": host, "shows": with_port(host)}
    return CertificateRefusal(variables, clause=_not_signed(host) if is_given else _UNPROVEN)


def _unlisted_cause(files: RegistryFiles, host: str) -> CertificateRefusal:
    return CertificateRefusal(
        _list_variables(files.unlisted, host),
        clause=f"; {files.unlisted} was added to the host's authorities, and the list that "
        f"the engine reads, {files.authorities}, has not been made since",
        proof={f"stat({files.unlisted})": f"newer than {files.authorities}"},
    )


def _later_cause(later: str, host: str) -> CertificateRefusal:
    return CertificateRefusal(
        {"trusted_later": with_port(host)},
        clause=f"; the host's CA certificates, {later}, have changed since the engine "
        "started, and the engine reads it only once",
        proof={f"stat({later})": "newer than the engine"},
    )


def _unread_cause(unread: UnreadAuthority, host: str) -> CertificateRefusal:
    return CertificateRefusal(
        _rewriting(unread, host),
        clause=f"; {unread.path} {unread.holds}, and the engine reads certificates in the "
        "form of PEM alone: it says nothing, and goes on without the file",
        proof={unread.path: unread.holds},
    )


def _rewriting(unread: UnreadAuthority, host: str) -> PageVariables:
    """The page variables that make an authority's file readable, or store another one."""
    if unread.is_binary:
        return {"binary": unread.path}
    return {"untrusted": host, "shows": with_port(host)}


def _not_signed(registry: str) -> str:
    return (
        f"; none of the authorities in {CERTIFICATES}/{registry} has signed its certificate: most "
        "likely it is a new one, of another authority"
    )


def _list_variables(unlisted: str, host: str) -> PageVariables:
    """The page variables that rebuild the list, as the system does that."""
    of_debian = unlisted.startswith(LOCAL_FOLDERS[0])
    return {"listed_debian" if of_debian else "listed_rpm": with_port(host)}


def later_authorities(files: RegistryFiles | None, daemon: Daemon | None, clock: Clock) -> str:
    """The file of the system's authorities, where it is younger than the engine; else ""."""
    age = daemon.processes.age if daemon is not None else None
    if files is None or not files.authorities or age is None:
        return ""
    return files.authorities if clock.is_within(files.authorities_changed, age) else ""


def _signer(files: RegistryFiles | None) -> str:
    """The reason why a public registry's certificate is not trusted."""
    if files is not None and files.authorities == "":
        return "this host has no CA certificates (package ca-certificates): it trusts no registry"
    return (
        "its certificate is signed by an authority (CA) that this host does not know: most likely a proxy "
        "on the way opens TLS, or else this host's CA certificates are old"
    )


def _public_registry_variables(host: str, files: RegistryFiles | None) -> PageVariables:
    """The page variables for a public registry whose certificate is not trusted."""
    if files is not None and files.authorities == "":
        return {"package": "ca-certificates"}
    return {"inspected": with_port(host)}


def _dates_clause(dates: CertificateDates) -> str:
    """The dates of a certificate, and the clock of this host, which decides about them."""
    if dates.has_expired:
        expiry = f"the registry's certificate expired on {dates.limit}; its owner has to renew it"
    else:
        expiry = f"the registry's certificate is valid only from {dates.limit}"
    return f"{expiry} (this host's clock says {dates.now})"
