"""The checks container.exec-format and container.interpreter-missing.

The kernel cannot execute a program that is there.
"""

from checks.container.starts.start_errors import refused_program, with_mounted_copy
from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs.format_defects import defect_of_format, missing_part
from diagnose.evidence.containers.programs.other_interpreters import (
    OtherInterpreter,
    OtherInterpreters,
)
from diagnose.evidence.containers.programs.program import Program
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.engine.info import Info
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.registry import check

ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "armv6l": "arm",
    "i686": "386",
    "i386": "386",
}
"""The name of an architecture in `/info` -> its name in images."""
_FIRST_BYTES = "first bytes of the program"
_BINARY = "cannot execute binary file"
"""bash's message about a file that is not a script: a line `#!` would damage it."""


@check("container.exec-format", severity=Severity.critical, caused_by=["image.platform-mismatch"])
def exec_format(containers: Containers, programs: Programs, info: Info | None) -> CheckResult:
    """The kernel cannot execute a container's program.

    It is built for another architecture (its ELF header says which), is a script without `#!`, or
    is empty, as after a build or a copy that broke off. After a power cut a layer of an image may
    hold empty files, too, or files of zeros: libraries count as well.
    The engine's state says exit code 1, or 255 with some versions of runc, and nothing else; a
    shell says 126. The text is in the log, so a container whose log cannot be read is not judged.
    """
    host = ARCHITECTURES.get(info.architecture, info.architecture) if info is not None else ""
    for container in containers:
        program = programs.of(container)
        if program is None or program.why != "exec format error":
            continue
        if program.is_empty:
            yield _empty_finding(container, program)
            continue
        defect = defect_of_format(program, host)
        first_bytes = {_FIRST_BYTES: defect.first_bytes} if defect.first_bytes else {}
        finding = refused_program(container, program, defect.words, first_bytes)
        finding = finding.without_variable("image" if _lacks_first_line(program) else "file")
        finding = with_mounted_copy(finding, container)
        yield _marked_finding(finding) if program.is_marked else finding


def _lacks_first_line(program: Program) -> bool:
    """Whether the program is a script whose first line names no interpreter, or hides it.

    A script that was not read may have the line: then its interpreter is built for another
    processor.
    """
    if program.is_marked:
        return True
    is_plain = program.is_read and not (program.machine or program.interpreter)
    return is_plain and _BINARY not in program.line


def _empty_finding(container: Container, program: Program) -> Finding:
    """The finding about a program without content, by the place of its file."""
    mount = innermost_mount(container.mounts, program.file)
    image = container.config.image
    defect = f"{program.file or program.path} is an empty file"
    if mount is not None:
        defect += f"; it is {mount.on_host(program.file)} on the host, mounted there"
    elif program.is_of_image:
        defect += f' of image "{image}": its layer is damaged on this disk, or was built so'
    finding = refused_program(container, program, defect, {_FIRST_BYTES: "none, or zeros"})
    finding = finding.without_variable("file").without_variable("image")
    damaged = {"damaged": image} if program.is_of_image else {}
    return finding.with_variables({"empty": program.file or program.path, **damaged})


def _marked_finding(finding: Finding) -> Finding:
    """The finding with the page variables for a script whose first line only has a byte order mark
    too many."""
    file = finding.variables.get("file", "")
    sealed_file = finding.variables.get("sealed_file", "")
    unmarked = finding.without_variable("file").without_variable("sealed_file")
    return unmarked.with_variables(present({"marked": file, "sealed_marked": sealed_file}))


@check("container.interpreter-missing", severity=Severity.critical)
def interpreter_missing(
    containers: Containers, programs: Programs, other_interpreters: OtherInterpreters | None
) -> CheckResult:
    """A container's program needs an interpreter that its image does not have.

    A script whose `#!` line names one that is missing or ends in a carriage return, or a binary
    whose loader is missing (glibc's on Alpine). The kernel says "no such file or directory", and a
    shell "not found", although the program is there.
    """
    for container in containers:
        program = programs.of(container)
        if program is None or program.missing or program.why != "no such file or directory":
            continue
        lack = missing_part(program)
        other_interpreter = (
            other_interpreters.of(container) if other_interpreters is not None else None
        )
        has = (
            f", and its image has {other_interpreter.path}" if other_interpreter is not None else ""
        )
        finding = refused_program(
            container, program, f"{lack.words}{has}", {_FIRST_BYTES: lack.first_bytes}
        )
        if program.has_carriage_return:
            finding = with_mounted_copy(finding, container)
        yield _with_interpreter(finding, program, other_interpreter)


def _with_interpreter(
    finding: Finding, program: Program, other_interpreter: OtherInterpreter | None
) -> Finding:
    """The finding with the page variables of what the program lacks.

    Without a carriage return the file is in order: what is missing comes into the image.
    """
    if not program.has_carriage_return:
        finding = finding.without_variable("file")
    steps: PageVariables = {"loader": program.loader} if program.other_libc else {}
    if other_interpreter is not None:
        steps = {**steps, **_run_by(other_interpreter)}
    return finding.without_variable("image").with_variables(steps) if steps else finding


def _run_by(other_interpreter: OtherInterpreter) -> PageVariables:
    """The page variables that let this interpreter run the script."""
    kind = "behind_init" if other_interpreter.is_behind_init else "interpreter"
    return {kind: other_interpreter.path, "script": other_interpreter.words}
