"""container.imports-copied: a program copies files from one mount to another."""

from diagnose.evidence.containers.mounts.copied_imports import CopiedImport, CopiedImports
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.registry import check

_COMMON = "/data"
"""The usual path of one mount for downloads and library."""


@check(
    "container.imports-copied",
    severity=Severity.advice,
    aloud=("copies what it could link or move", "copy what they could link or move"),
)
def imports_copied(copied_imports: CopiedImports) -> CheckResult:
    """A program copies its files from one mount to another of the same file system.

    Importers such as Sonarr make a hard link, and downloaders rename a file that is complete. The
    kernel refuses both between two mounts, whatever lies behind them, and the programs then copy.
    The check says nothing about folders on two disks or subvolumes, nor about a program that has
    both folders in one mount too.
    """
    for copied in copied_imports:
        yield _finding(copied)


def _finding(copied: CopiedImport) -> Finding:
    container = copied.container
    arrival = copied.arrival
    place = copied.place
    has_parent = copied.parent != "/"
    return Finding.about(
        container,
        f"{container} copies each file that it {copied.does} from {arrival.destination} to "
        f"{place.destination}: these are two mounts of one file system, and neither hard "
        "links nor moves work across mounts",
        {"arrive in": str(arrival), "stay in": str(place), "both lie below": copied.parent},
        recheck=(container.run,),
        variables=_steps(copied) if has_parent else {"apart": arrival.source},
    )


def _steps(copied: CopiedImport) -> PageVariables:
    """The page variables of one mount for both folders, at a path that the container has free."""
    steps = {"parent": copied.parent}
    if copied.container.mount_at(_COMMON) is not None:
        return steps
    return steps | {"common_mount": f"{copied.parent}:{_COMMON}"}
