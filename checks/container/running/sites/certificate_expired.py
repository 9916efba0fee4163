"""container.certificate-expired: a web server serves a certificate that is no longer valid."""

from diagnose.evidence.containers.mounts.certificates.expired_certificates import (
    ExpiredCertificate,
    ExpiredCertificates,
)
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity
from diagnose.phrases import count, duration, sentence
from diagnose.programs.web_programs import RELOADS, edit_to
from diagnose.registry import check

_OF_HOST = "/etc/letsencrypt/"
"""The folder in which certbot of the host keeps its certificates."""


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
    tenth of its lifetime is left: whatever should renew it has failed for some time. A valid
    certificate for the same names may lie beside it, in a file that no configuration names.
    """
    for expired in expired_certificates:
        yield _finding(expired, clock)


def _finding(expired: ExpiredCertificate, clock: Clock) -> Finding:
    file = expired.file
    container = file.container
    seconds_left = expired.validity.end - clock.wall
    is_over = seconds_left <= 0
    if is_over:
        words = f"serves a certificate that expired {duration(-seconds_left)} ago"
        end_clause = f"expired {duration(-seconds_left)} ago"
    else:
        words = f"serves a certificate that expires in {duration(seconds_left)}, and nobody has renewed it"
        end_clause = f"expires in {duration(seconds_left)}"
    evidence: dict[str, Json] = {file.path_inside: f"{end_clause}, mounted from {file.path}"}
    newer_clause = ""
    if expired.newer is not None:
        newer = expired.newer
        newer_clause = f"a valid one for the same names lies in {newer.path}"
        evidence[newer.path] = f"valid for {duration(newer.end - clock.wall)}"
    if expired.others:
        evidence["further files"] = count(len(expired.others), "file")
    return Finding.about(
        container,
        sentence(f"{container} {words}: {file.path}", newer_clause),
        evidence,
        severity=Severity.warning if is_over else Severity.advice,
        discriminator=file.path_inside,
        recheck=(container.run,),
        variables={"certificate": file.path, **_renewal(expired)},
    )


def _renewal(expired: ExpiredCertificate) -> PageVariables:
    """The page variables that give the server a valid certificate, or that let certbot renew it.

    The settings of the server are changed to another folder where the file has the same name there.
    """
    file = expired.file
    newer = expired.newer
    if newer is not None:
        reload = RELOADS.get(file.server, "")
        edit = edit_to(file.path_inside, newer.path)
        if edit and file.named_by and reload:
            return {"settings": file.named_by, "edit": edit, "reload": reload}
        return {"newer": newer.path}
    if not expired.lineage:
        return {}
    if expired.renewer is not None:
        return {"renewer": expired.renewer.name, "lineage": expired.lineage}
    is_of_host = expired.file.path.startswith(_OF_HOST)
    return {"host_lineage": expired.lineage} if is_of_host else {}
