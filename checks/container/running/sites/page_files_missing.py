"""container.page-files-missing: a page names scripts that its server does not have."""

import posixpath

from diagnose.evidence.network.proxies.pages.absent_files import AbsentFiles, AllAbsentFiles
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import count, sentence, shortened
from diagnose.registry import check


@check(
    "container.page-files-missing",
    severity=Severity.warning,
    aloud=("lacks files that its pages request", "lack files that their pages request"),
)
def page_files_missing(all_absent_files: AllAbsentFiles) -> CheckResult:
    """A web page names scripts or styles that its own server does not have.

    The page is served, and stays blank or bare: a build that was not finished, a volume with the
    files of another version over those of the image, a cached page. Access logs show it: three or
    more requests for scripts and styles within five minutes, all of which were answered with 404,
    by clients that got pages. It is a warning where the first page of the server, which is asked
    for anyway, names such a file now. Otherwise it is advice: a browser may hold an old page.
    """
    for absent in all_absent_files:
        yield _finding(absent)


def _finding(absent: AbsentFiles) -> Finding:
    container = absent.container
    proof = "its first page names such a file" if absent.is_named else ""
    return Finding.about(
        container,
        sentence(
            f"{container} lacks files that its pages request: "
            f"{count(len(absent.files), 'script or style', 'scripts and styles')}, "
            f"{count(absent.times, 'time')} recently ({shortened(absent.files[0], 80)})",
            proof,
        ),
        {"log": shortened(absent.line, 160), "answered with 404": list(absent.files[:6])},
        severity=None if absent.is_named else Severity.advice,
        recheck=(container.run,),
        variables={"file_name": posixpath.basename(absent.files[0])},
    )
