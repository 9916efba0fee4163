"""container.certificate-unread: a web server still uses a certificate that has been renewed."""

from diagnose.evidence.containers.mounts.certificates.unread_certificates import (
    UnreadCertificate,
    UnreadCertificates,
)
from diagnose.evidence.machine.clock import Clock
from diagnose.model import CheckResult, Finding, Seconds, Severity
from diagnose.phrases import duration
from diagnose.programs.web_programs import RELOADS
from diagnose.registry import check


@check(
    "container.certificate-unread",
    severity=Severity.warning,
    aloud=("still uses an old certificate", "still use old certificates"),
)
def certificate_unread(
    unread_certificates: UnreadCertificates, clock: Clock, *, patience: Seconds = Seconds(90000)
) -> CheckResult:
    """A web server still uses the certificate that it read before the renewal.

    Its mounted configuration names a certificate in a mounted folder, and the file is newer than
    all processes of nginx, Apache or HAProxy in the container: a reload would have made a new one.
    Within `patience` it is advice, for many servers reload once a day. It is critical where the old
    certificate, of which certbot keeps the file, has expired. It stays advice where HAProxy has a
    socket with the level admin: certificates can be given to it there without a reload.
    """
    for unread in unread_certificates:
        yield _finding(unread, clock, patience)


def _finding(unread: UnreadCertificate, clock: Clock, patience: float) -> Finding:
    file = unread.file
    container = file.container
    age = duration(clock.wall - unread.changed_at)
    severity = Severity.warning
    expiry = ""
    unless = ""
    if file.has_socket:
        severity = Severity.advice
        unless = ", unless it was given the new one through its socket"
    elif unread.old_end is not None and unread.old_end <= clock.wall:
        severity = Severity.critical
        expiry = f", which expired {duration(clock.wall - unread.old_end)} ago"
    elif clock.wall - unread.changed_at < patience:
        severity = Severity.advice
    reload = RELOADS.get(file.server)
    healing = {"reload": reload} if reload else {"restarted": container.name}
    return Finding.about(
        container,
        f"{container} still uses an old certificate{expiry}: {file.path} was renewed {age} ago, "
        f"and {file.server} was not reloaded since{unless}",
        {
            file.path_inside: f"renewed {age} ago, mounted from {file.path}",
            f"youngest process of {file.server}": f"{duration(clock.wall - file.loaded_at)} old",
        },
        severity=severity,
        discriminator=file.path_inside,
        recheck=(container.run,),
        variables={"certificate": file.path, **healing},
    )
