"""container.certificate-unfit: clients refuse a certificate that is valid."""

from diagnose.evidence.containers.mounts.certificates.unfit_certificates import (
    UnfitCertificate,
    UnfitCertificates,
)
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import and_more, sentence
from diagnose.registry import check


@check(
    "container.certificate-unfit",
    severity=Severity.warning,
    aloud=("serves a certificate for other names", "serve certificates for other names"),
)
def certificate_unfit(unfit_certificates: UnfitCertificates) -> CheckResult:
    """A web server serves a certificate that its clients do not accept.

    nginx's configuration names cert.pem, where fullchain.pem lies beside it: browsers that fetch
    what is missing show the site, and programs refuse it. That is advice where no authority is
    known to stand between the certificate and the root. Or the certificate holds for none of the
    names of its site, or not for all of them: that is advice, for a proxy before the site may have
    another certificate and accept each one behind it.
    """
    for unfit in unfit_certificates:
        yield _finding(unfit)


def _finding(unfit: UnfitCertificate) -> Finding:
    container = unfit.container
    if unfit.chain:
        summary = sentence(
            f"{container} serves certificate {unfit.path_inside} without its chain: many programs "
            "cannot verify it",
            f"{unfit.chain} has the chain too",
        )
    else:
        summary = (
            f"{container} serves a certificate for other names than those of its site: "
            f"{unfit.path_inside} does not hold for {and_more(unfit.uncovered)}"
        )
    return Finding.about(
        container,
        summary,
        present({"file": unfit.path, "names of the certificate": list(unfit.names[:8])}),
        discriminator=unfit.path_inside,
        severity=None if unfit.is_between else Severity.advice,
        recheck=(container.run,),
        variables={"certificate": unfit.path, **_cure(unfit)},
    )


def _cure(unfit: UnfitCertificate) -> PageVariables:
    if unfit.chain:
        return {"leaf": unfit.path_inside, "chain": unfit.chain}
    return {"uncovered": and_more(unfit.uncovered)}
