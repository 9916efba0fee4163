"""network.host-certificate-invalid: nginx of the host shows a certificate that has expired."""

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.proxies.host_certificates import HostCertificate, HostCertificates
from diagnose.mappings import present, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Seconds, Severity, Skipped
from diagnose.phrases import ago, and_more, duration, named, sentence
from diagnose.programs.web_programs import edit_to
from diagnose.registry import check


@check(
    "network.host-certificate-invalid",
    severity=Severity.warning,
    aloud=("is behind a certificate that expires soon", "are behind certificates that expire soon"),
)
def host_certificate_invalid(
    host_certificates: HostCertificates, clock: Clock, *, patience: Seconds = Seconds(90000)
) -> CheckResult:
    """nginx of this host shows a certificate that is no longer valid.

    The file of a site whose requests go to a container holds a certificate that has expired, or one
    that was renewed and that no nginx has read since. It is critical where the one that nginx still
    has is known to have expired. It is advice within `patience` after a renewal, for many servers
    reload once a day, and where a certificate expires within a week.
    """
    if not host_certificates.is_asked:
        return Skipped("no nginx runs on this host itself")
    if not host_certificates.examined and not host_certificates.unexamined:
        return Skipped("nginx of this host ends TLS for no container")
    yield from host_certificates.unexamined
    for certificate in host_certificates:
        yield _finding(certificate, clock, patience)


def _finding(certificate: HostCertificate, clock: Clock, patience: float) -> Finding:
    severity, words = _severity_and_state(certificate, clock.wall, patience)
    names = [container.name for container in certificate.containers]
    site = and_more(certificate.names) or "its default site"
    newer = certificate.newer
    old_end = certificate.old_end
    until = _moment(old_end, clock.wall) if old_end is not None else ""
    newer_clause = (
        f"a valid one for the same names lies in {newer.path}" if newer is not None else ""
    )
    return Finding.about(
        certificate.containers[0],
        sentence(
            f"nginx on this host, which serves {site} for {named('container', names)}, {words}",
            newer_clause,
        ),
        present(
            {
                "certificate": certificate.path,
                "valid until": _moment(certificate.validity.end, clock.wall),
                "nginx has one until": until,
            }
        ),
        severity=severity,
        discriminator=certificate.path,
        touches=subjects_of(certificate.containers[1:]),
        variables={"certificate": certificate.path, **_renewal(certificate)},
    )


def _severity_and_state(
    certificate: HostCertificate, now: float, patience: float
) -> tuple[Severity, str]:
    """The severity of the certificate's state, and the predicate about it."""
    seconds_left = certificate.validity.end - now
    if certificate.unread_since is None:
        if seconds_left > 0:
            return Severity.advice, (
                f"shows a certificate that expires in {duration(seconds_left)}, and nobody has renewed it"
            )
        return Severity.warning, f"shows a certificate that expired {duration(-seconds_left)} ago"
    age = now - certificate.unread_since
    renewed = f"the file was renewed {duration(age)} ago, and nginx has not read it since"
    if certificate.old_end is not None and certificate.old_end <= now:
        ended = duration(now - certificate.old_end)
        return Severity.critical, f"shows a certificate that expired {ended} ago: {renewed}"
    severity = Severity.advice if age < patience else Severity.warning
    return severity, f"serves an old certificate: {renewed}"


def _moment(moment: float, now: float) -> str:
    seconds_left = moment - now
    return f"{duration(seconds_left)} from now" if seconds_left > 0 else ago(-seconds_left)


def _renewal(certificate: HostCertificate) -> PageVariables:
    """The page variables that make nginx show a valid certificate."""
    if certificate.unread_since is not None:
        return {"server": "nginx"}
    if certificate.newer is not None:
        edit = edit_to(certificate.path, certificate.newer.path)
        if edit and certificate.named_by:
            return {"host_file": certificate.named_by, "edit": edit}
        return {"newer": certificate.newer.path}
    return {"lineage": certificate.lineage} if certificate.lineage else {}
