"""container.neighbour-has-file: a program misses files that another container has."""

import posixpath

from diagnose.evidence.containers.mounts.neighbours_files import NeighboursFile, NeighboursFiles
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import quoted
from diagnose.registry import check


@check("container.neighbour-has-file", severity=Severity.warning)
def neighbour_has_file(neighbours_files: NeighboursFiles) -> CheckResult:
    """A program looks for files that only another container beside it has.

    The last lines of its log say that a file is missing. The container has nothing at that path,
    and another container of the same project, or without compose on the same network, has the file
    there: the uploads of PHP that nginx
    should serve, a download that another program should import. Both need one volume. A file counts
    in a mount of the neighbour, or one that is younger than the neighbour: two images have the same
    names by chance. The check says nothing where the first one has a mount of its own there, nor
    about files that scanners ask for, such as .env: nobody should get those.
    """
    for file in neighbours_files:
        yield _finding(file)


def _finding(file: NeighboursFile) -> Finding:
    container = file.container
    neighbour = file.neighbour
    mount = file.mount
    place = f"in {mount.place}" if mount is not None else "in its writable layer"
    further = f", and {file.times - 1} more such files" if file.times > 1 else ""
    return Finding.about(
        container,
        f"{container} looks for {file.path}{further}, and has no such file: {neighbour} has it {place}",
        {
            "log": quoted(file.line),
            f"{file.path} in {container.name}": "missing",
            f"{file.path} in {neighbour.name}": place,
        },
        recheck=(container.run, neighbour.run),
        touches=(neighbour.subject,),
        variables={"missed": file.path, "neighbour": neighbour.name} | _steps(file),
    )


def _steps(file: NeighboursFile) -> PageVariables:
    """The mount that both shall have; for a file without one the folder that needs one."""
    mount = file.mount
    if mount is None or not mount.has_host_path or mount.is_anonymous:
        return {"apart": posixpath.dirname(file.path)}
    return {"shared": f"{mount.name or mount.source}:{mount.destination}"}
