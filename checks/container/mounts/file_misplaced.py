"""container.file-misplaced: a program looks for a mounted file at another path."""

from diagnose.evidence.containers.mounts.files_elsewhere import FileElsewhere, FilesElsewhere
from diagnose.evidence.containers.mounts.misplaced_files import MisplacedFile, MisplacedFiles
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import shortened
from diagnose.registry import check


@check(
    "container.file-misplaced",
    severity=Severity.warning,
    aloud=("looks for a mounted file elsewhere", "look for mounted files elsewhere"),
)
def file_misplaced(
    misplaced_files: MisplacedFiles, files_elsewhere: FilesElsewhere | None
) -> CheckResult:
    """A program looks for a mounted file at another path than the one where it is.

    Its log of the last minutes names a path where the container has nothing, and a file of the same
    name is mounted in another folder. Lines that say what was found are left out, and so is a
    program whose log names the mounted path too.

    It is a warning where a variable of the container leads to the folder of that path, and advice
    elsewhere: a program may look in several places. It is advice too where the line says that the
    file is optional.

    A program that has ended because a file of settings is not there is critical, where one mount of
    its container has a file of that name, and none holds the path. A program that has ended for
    lack of settings is critical too, where its command names such a file.
    """
    yield from map(_ended_finding, files_elsewhere or ())
    yield from map(_finding, misplaced_files)


def _ended_finding(file: FileElsewhere) -> Finding:
    container = file.container
    access = "" if file.mount.rw else ":ro"
    lack = f"looks for {file.wanted}, which it does not have"
    if file.is_of_image:
        lack = f"reads {file.wanted}, where nothing is mounted, and misses settings"
    return Finding.about(
        container,
        f"{container} {lack}: {file.on_host} is in it as {file.place}",
        {LINE: shortened(file.line, 200), "mount": str(file.mount)},
        severity=Severity.critical,
        discriminator=file.wanted,
        onset=container.failed_first,
        variables={"found": file.on_host, "beside": f"{file.on_host}:{file.wanted}{access}"},
    )


def _finding(misplaced: MisplacedFile) -> Finding:
    container = misplaced.container
    mount = misplaced.mount
    variable_clause = f", as its variable {misplaced.variable} says" if misplaced.variable else ""
    access = "" if mount.rw else ":ro"
    return Finding.about(
        container,
        f"{container} looks for {misplaced.wanted}{variable_clause}, which it does not have: {mount.source} is "
        f"mounted at {mount.destination}",
        {
            LINE: shortened(misplaced.line, 200),
            "mount": str(mount),
            **present({"Config.Env": misplaced.variable}),
        },
        severity=None if misplaced.variable else Severity.advice,
        discriminator=misplaced.wanted,
        recheck=(container.run,),
        is_quiet=not misplaced.variable,
        variables={
            "wanted": misplaced.wanted,
            "mounted": mount.destination,
            "meant": f"{mount.source}:{misplaced.wanted}{access}",
        },
    )
