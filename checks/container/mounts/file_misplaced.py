"""container.file-misplaced: a program looks for a mounted file at another path."""

from msgspec.structs import replace

from checks.container.helpers import LINE
from diagnose.evidence.containers.mounts.misplaced_files import MisplacedFile, MisplacedFiles
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import shortened
from diagnose.registry import check


@check(
    "container.file-misplaced",
    severity=Severity.warning,
    aloud=("looks for a mounted file elsewhere", "look for mounted files elsewhere"),
)
def file_misplaced(misplaced_files: MisplacedFiles) -> CheckResult:
    """A program looks for a mounted file at another path than the one where it is.

    Its log of the last minutes names a path where the container has nothing, and a file of the
    same name is mounted in another folder. It is a warning where a variable of the container leads
    to the folder of that path, and advice elsewhere: a program may look in several places. It is
    advice too where the line says that the file is optional. Lines that say what was found are left
    out, and so is a program whose log names the mounted path too.
    """
    for misplaced in misplaced_files:
        finding = _finding(misplaced)
        yield replace(finding, is_quiet=not misplaced.variable)


def _finding(misplaced: MisplacedFile) -> Finding:
    container, mount = misplaced.container, misplaced.mount
    led = f", as its variable {misplaced.variable} has it" if misplaced.variable else ""
    access = "" if mount.rw else ":ro"
    return Finding.about(
        container,
        f"{container} looks for {misplaced.wanted}{led}, which it does not have: {mount.source} is "
        f"mounted at {mount.destination}",
        {
            LINE: shortened(misplaced.line, 200),
            "mount": str(mount),
            **present({"Config.Env": misplaced.variable}),
        },
        severity=None if misplaced.variable else Severity.advice,
        discriminator=misplaced.wanted,
        stable=(container.life,),
        wanted=misplaced.wanted,
        mounted=mount.destination,
        meant=f"{mount.source}:{misplaced.wanted}{access}",
    )
