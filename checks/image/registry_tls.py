"""image.registry-tls: a registry's certificate is not trusted, or it does not speak TLS."""

import json
from collections.abc import Mapping

import msgspec

from checks.image.failed_pulls import FailedPulls
from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pull_words import CertificateDates
from diagnose.evidence.images.pulls import Pulls, PullTrouble
from diagnose.evidence.images.registry_files import (
    CERTIFICATES,
    LOCAL_FOLDERS,
    RegistryFiles,
    UnreadAuthority,
)
from diagnose.evidence.images.registry_names import is_public, with_port
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Count, Finding, Json, PageVariables, Seconds, Severity
from diagnose.registry import check

INSECURE = "insecure-registries"


_UNPROVEN = (
    "; this host does not know the certificate authority (CA), or the registry does not send its "
    "intermediate certificates"
)
"""The engine says the same of both."""


@check("image.registry-tls", severity=Severity.warning, observed=True)
def registry_tls(
    pulls: Pulls,
    clock: Clock,
    config: DaemonConfig | None,
    info: Info | None,
    files: RegistryFiles | None,
    daemon: Daemon | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """A registry's certificate is not trusted, or it does not speak TLS at all.

    A registry of the internet has a certificate that every system knows: a stranger's in its place
    is from a proxy that opens TLS, unless the system has no list of authorities. The engine reads
    that list only once: an authority that was added later counts from its next start on.
    127.0.0.0/8 is always taken without TLS. The first question to an insecure registry is sent with
    TLS and fails; that line of the log is no failure and is left out.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    later = _later_authorities(files, daemon, clock)
    for trouble in pulls.of("tls"):
        host = trouble.host
        endpoint = {"registry": host, "endpoint": with_port(host)}
        cause = _cause(trouble, files, later)
        yield failures.finding(
            trouble,
            variables=endpoint | cause.variables,
            reason=cause.reason,
            clause=cause.clause,
            proof=cause.proof,
        )
    for trouble in pulls.of("plain-http"):
        yield _plain_http_finding(failures, trouble, config, info)


class _Cause(msgspec.Struct, frozen=True):
    """Why a certificate is refused, and what the page needs for the cure."""

    variables: PageVariables = {}
    reason: str = ""
    """In the place of the engine's words."""
    clause: str = ""
    """Behind the engine's words."""
    proof: Mapping[str, Json] = {}


def _cause(trouble: PullTrouble, files: RegistryFiles | None, later: str) -> _Cause:
    """later: the host's list of authorities, where it is newer than the engine."""
    host, words = trouble.host, trouble.words
    if words.certificate_dates is not None:
        return _Cause({"dated": with_port(host)}, reason=_dates_clause(words.certificate_dates))
    if words.misnames_host:
        return _Cause({"misnamed": with_port(host)})
    if not words.distrusts_certificate:
        return _Cause()
    if files is not None and files.unlisted:
        return _unlisted_cause(files, host)
    if later:
        return _later_cause(later, host)
    if is_public(host):
        return _Cause(_public_registry_variables(host, files), reason=_signer(files))
    unread = files.unread_of(host) if files is not None else None
    if unread is not None:
        return _unread_cause(unread, host)
    is_given = files is not None and host in files.own_authorities
    variables = {"untrusted": host, "shows": with_port(host)}
    return _Cause(variables, clause=_not_signed(host) if is_given else _UNPROVEN)


def _unlisted_cause(files: RegistryFiles, host: str) -> _Cause:
    return _Cause(
        _list_variables(files.unlisted, host),
        clause=f"; {files.unlisted} was added to the host's authorities, and the list that "
        f"the engine reads, {files.authorities}, has not been made since",
        proof={f"stat({files.unlisted})": f"newer than {files.authorities}"},
    )


def _later_cause(later: str, host: str) -> _Cause:
    return _Cause(
        {"trusted_later": with_port(host)},
        clause=f"; the host's CA certificates, {later}, have changed since the engine "
        "started, and the engine reads it only once",
        proof={f"stat({later})": "newer than the engine"},
    )


def _unread_cause(unread: UnreadAuthority, host: str) -> _Cause:
    return _Cause(
        _rewriting(unread, host),
        clause=f"; {unread.path} {unread.holds}, and the engine reads certificates in the "
        "form of PEM alone: it says nothing, and goes on without the file",
        proof={unread.path: unread.holds},
    )


def _rewriting(unread: UnreadAuthority, host: str) -> PageVariables:
    """What the page needs to make an authority's file readable, or to store another one."""
    if unread.is_binary:
        return {"binary": unread.path}
    return {"untrusted": host, "shows": with_port(host)}


def _not_signed(registry: str) -> str:
    return (
        f"; none of the authorities in {CERTIFICATES}/{registry} has signed its certificate: most "
        "likely it is a new one, of another authority"
    )


def _list_variables(unlisted: str, host: str) -> PageVariables:
    """What the page needs to make the list again, as the system does that."""
    of_debian = unlisted.startswith(LOCAL_FOLDERS[0])
    return {"listed_debian" if of_debian else "listed_rpm": with_port(host)}


def _later_authorities(files: RegistryFiles | None, daemon: Daemon | None, clock: Clock) -> str:
    """The file of the system's authorities, where it is younger than the engine; else ""."""
    age = daemon.processes.age if daemon is not None else None
    if files is None or not files.authorities or age is None:
        return ""
    return files.authorities if clock.is_within(files.authorities_changed, age) else ""


def _signer(files: RegistryFiles | None) -> str:
    """Why a public registry's certificate is not trusted."""
    if files is not None and files.authorities == "":
        return "this host has no CA certificates (package ca-certificates): it trusts no registry"
    return (
        "its certificate is signed by an authority (CA) that this host does not know: most likely a proxy "
        "on the way opens TLS, or else this host's CA certificates are old"
    )


def _public_registry_variables(host: str, files: RegistryFiles | None) -> PageVariables:
    """What the page needs for a public registry whose certificate is not trusted."""
    if files is not None and files.authorities == "":
        return {"package": "ca-certificates"}
    return {"inspected": with_port(host)}


def _plain_http_finding(
    failures: FailedPulls, trouble: PullTrouble, config: DaemonConfig | None, info: Info | None
) -> Finding:
    """The finding about a registry without TLS, which the engine's file may name already."""
    host = trouble.host
    clause = "; the registry speaks plain HTTP"
    if config is None or config.pid is None or not _is_unread(host, config, info):
        variables = {"registry": host} | _insecure_registry(host, config)
        return failures.finding(trouble, variables=variables, clause=clause)
    return failures.finding(
        trouble,
        variables={"registry": host, "unread": str(config.pid)},
        proof={f"{config.path} {INSECURE}": config.in_file(INSECURE)},
        clause=f"{clause}, and {config.path} names it in {INSECURE}, "
        "but the engine has not read that file since",
    )


def _insecure_registry(host: str, config: DaemonConfig | None) -> PageVariables:
    """What the page needs to name a registry among those that have no TLS."""
    if config is None or INSECURE in config.flags:
        return {}
    listed = config.in_file(INSECURE)
    known = listed if isinstance(listed, list) else []
    return {"insecure_json": json.dumps({INSECURE: [*known, host]})}


def _is_unread(host: str, config: DaemonConfig, info: Info | None) -> bool:
    """Whether the file names the registry as insecure, and the engine in force does not."""
    in_file = config.in_file(INSECURE)
    if info is None or not isinstance(in_file, list) or host not in in_file:
        return False
    in_force = info.registry_config.index_configs if info.registry_config is not None else None
    return in_force is not None and host not in in_force


def _dates_clause(dates: CertificateDates) -> str:
    """The dates of a certificate, and the clock of this host, which decides about them."""
    if dates.has_expired:
        what = f"the registry's certificate expired on {dates.limit}; its owner has to renew it"
    else:
        what = f"the registry's certificate is valid only from {dates.limit}"
    return f"{what} (this host's clock says {dates.now})"
