"""container.certificate-expired: a web server serves a certificate that is no longer valid."""

from diagnose.evidence.containers.mounts.certificates.expired_certificates import (
    ExpiredCertificate,
    ExpiredCertificates,
)
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import count, duration
from diagnose.registry import check

_OF_HOST = "/etc/letsencrypt/"
"""Where certbot of the host keeps its certificates."""


@check(
    "container.certificate-expired",
    severity=Severity.warning,
    aloud=("serves a certificate that expires soon", "serve certificates that expire soon"),
    caused_by=["container.certificate-unread"],
)
def certificate_expired(expired_certificates: ExpiredCertificates, clock: Clock) -> CheckResult:
    """A web server in a container serves a certificate that has expired.

    The mounted configuration of nginx, Apache or HAProxy names the file, and the first certificate
    in it has expired. It is advice where the certificate expires within a week and less than a
    tenth of its lifetime is left: whatever should renew it has failed for some time.
    """
    for expired in expired_certificates:
        yield _finding(expired, clock)


def _finding(expired: ExpiredCertificate, clock: Clock) -> Finding:
    file = expired.file
    container = file.container
    left = expired.validity.end - clock.wall
    is_over = left <= 0
    if is_over:
        words = f"serves a certificate that expired {duration(-left)} ago"
        when = f"expired {duration(-left)} ago"
    else:
        words = f"serves a certificate that expires in {duration(left)}, and nobody has renewed it"
        when = f"expires in {duration(left)}"
    others = {"further files": count(len(expired.others), "file")} if expired.others else {}
    return Finding.about(
        container,
        f"{container} {words}: {file.path}",
        {file.inside: f"{when}, mounted from {file.path}", **others},
        severity=Severity.warning if is_over else Severity.advice,
        discriminator=file.inside,
        stable=(container.life,),
        certificate=file.path,
    ).with_variables(_renewal(expired))


def _renewal(expired: ExpiredCertificate) -> PageVariables:
    """How certbot renews it, where a container on this host does, or the host itself."""
    if not expired.lineage:
        return {}
    if expired.renewer is not None:
        return {"renewer": expired.renewer.name, "lineage": expired.lineage}
    is_of_host = expired.file.path.startswith(_OF_HOST)
    return {"host_lineage": expired.lineage} if is_of_host else {}
