"""container.uploads-unlinked: a program has uploads that its public folder has no link to."""

from diagnose.evidence.containers.programs.unlinked_uploads import (
    AllUnlinkedUploads,
    UnlinkedUploads,
)
from diagnose.model import CheckResult, Finding, Severity
from diagnose.registry import check


@check(
    "container.uploads-unlinked",
    severity=Severity.advice,
    aloud=("has uploads that no browser gets", "have uploads that no browser gets"),
)
def uploads_unlinked(all_unlinked_uploads: AllUnlinkedUploads) -> CheckResult:
    """Uploaded files lie in a program, and its public folder has no link to them.

    Programs of Laravel keep uploads in storage/app/public, and a link at public/storage shows them
    to browsers. `php artisan storage:link` makes it; it is lost with a container or a volume, and
    one that was made on the host leads to nothing inside. It counts where the folder has entries.
    It is advice, because a program may hand its files out itself.
    """
    for uploads in all_unlinked_uploads:
        yield _finding(uploads)


def _finding(uploads: UnlinkedUploads) -> Finding:
    container = uploads.container
    state = "leads to nothing" if uploads.is_dangling else "is missing"
    return Finding.about(
        container,
        f"{container} has uploads in {uploads.uploads}, and the link {uploads.link}, by which browsers "
        f"get them, {state}",
        {uploads.link: state, "one of the uploads": uploads.example},
        recheck=(container.run,),
        variables={"code": uploads.folder, "link": uploads.link},
    )
