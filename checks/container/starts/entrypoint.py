"""container.entrypoint-missing and entrypoint-forbidden.

A container's program is not there, or may not be executed.
"""

import shlex

import msgspec

from checks.container.starts.start_errors import (
    failed_start,
    program_variables,
    refused_program,
    with_mounted_copy,
)
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.bind_mounts import BindSources
from diagnose.evidence.containers.mounts.program_places import (
    ProgramPlace,
    hiding_mount,
    place_of_program,
)
from diagnose.evidence.containers.options.tmpfs_options import noexec_tmpfs
from diagnose.evidence.containers.programs.file_capabilities import lacking_capabilities
from diagnose.evidence.containers.programs.lost_files import LostFiles
from diagnose.evidence.containers.programs.missing_programs import (
    MISSING,
    MissingProgram,
    MissingPrograms,
    own_program,
)
from diagnose.evidence.containers.programs.program import Program
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.containers.programs.shut_scripts import ShutScripts
from diagnose.evidence.images.commands import ImageCommands
from diagnose.evidence.storage.mounts import Mounts
from diagnose.first_steps.starts.entrypoint_steps import steps_for_missing_program, whole_command
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import agree, joined
from diagnose.registry import check

MOST_OPTIONS = 2
"""Capabilities that the page's command can add."""


@check(
    "container.entrypoint-missing",
    severity=Severity.critical,
    caused_by=["container.mount-source-missing"],
    observed=True,
)
def entrypoint_missing(
    containers: Containers,
    programs: Programs | None,
    missing_programs: MissingPrograms | None,
    lost_files: LostFiles | None,
) -> CheckResult:
    """A container's program does not exist in its image.

    A mount over its folder hides what the image has there, or the container was given a command of
    its own: a name that the image does not have, a whole line as one name, an option of `docker
    run` behind the image's name. The engine answers 127 also for a file that is mounted over a
    directory ("not a directory"), which is another problem. Seen on engines 20.10.24, 26.1.5 and
    28.5.2: the container stays `created`, only inspect has the error. Below an init (`--init`), a
    shell or a supervisor it starts, and their last words name the program.
    """
    by_id = missing_programs.by_id if missing_programs is not None else {}
    for container in containers:
        if lost_files is not None and lost_files.holds(container):
            continue
        missing = by_id.get(container.id, MissingProgram())
        below = programs.of(container) if programs is not None else None
        if own_program(container) in MISSING:
            program = container.path or (container.command or ["?"])[0]
            finding = failed_start(container, _not_found_clause(container, program, missing))
            yield _with_cure(finding, container, program, missing)
        elif below is not None and below.missing and below.why == "no such file or directory":
            program = below.path
            missing = msgspec.structs.replace(missing, is_of_image=below.is_of_image)
            finding = refused_program(
                container, below, _not_found_clause(container, program, missing)
            )
            yield _with_cure(finding, container, program, missing)


def _with_cure(
    finding: Finding, container: Container, program: str, missing: MissingProgram
) -> Finding:
    """The finding with the command of the image, and the page variables of the cure."""
    evidence = dict(finding.evidence)
    if missing.image_command:
        evidence["command of the image"] = shlex.join(missing.image_command)
    variables = {"container": container.name, "program": program}
    return msgspec.structs.replace(
        finding,
        evidence=evidence,
        variables=variables | steps_for_missing_program(container, program, missing),
    )


def _not_found_clause(container: Container, program: str, missing: MissingProgram) -> str:
    """The clause that says why the program of a container is not found in it."""
    if missing.misplaced_options:
        options = missing.misplaced_options
        verb = agree(options, "was", "were")
        return (
            f"{shlex.join(options)} {verb} given after the image name, "
            f"and {verb} taken as the command"
        )
    if missing.is_line:
        return f'the whole line "{program}" was taken as the name of one program'
    lacks = _unfound_program_clause(container, program, missing)
    if missing.likely_program:
        return f"{lacks}, but it has {missing.likely_program}"
    if missing.is_own_command and not program.startswith("-"):
        return f"{lacks}, which the container's own command names"
    return lacks


def _unfound_program_clause(container: Container, program: str, missing: MissingProgram) -> str:
    """The clause about the argument or the path that was taken for a program and is not in the
    image."""
    if program.startswith("-"):
        return (
            f'the argument "{program}" was taken as the command, '
            "because the image has no ENTRYPOINT"
        )
    mount = hiding_mount(container, program)
    if mount:
        of_image = ", nor in its image" if missing.is_of_image is False else ""
        return f"there is no {program} in what is mounted at {mount}{of_image}"
    if program.startswith(("./", "../")) and not missing.is_own_command:
        return f"its start script finds no {program} in the folder that it has changed to"
    return f"its image has no {program}"


@check("container.entrypoint-forbidden", severity=Severity.critical, observed=True)
def entrypoint_forbidden(
    containers: Containers,
    programs: Programs | None,
    mounts: Mounts | None,
    bind_sources: BindSources | None,
    image_commands: ImageCommands | None,
    lost_files: LostFiles | None,
    shut_scripts: ShutScripts | None,
) -> CheckResult:
    """A container's program cannot be executed: permission denied.

    No x bit, a directory, or a mount with noexec: seen on engines 20.10.24, 26.1.5 and 28.5.2 with
    exit code 126, state `created`. A later refusal of the kernel is only in the log: an interpreter
    that the user may not reach, a program with capabilities of its own (`setcap`) that were
    dropped; below an init, a shell or a supervisor also a missing x bit and a mount with noexec.
    """
    for container in containers:
        if lost_files is not None and lost_files.holds(container):
            continue
        refusal = own_program(container)
        refused = programs.of(container) if programs is not None else None
        if refusal in ("permission denied", "is a directory"):
            finding = _refused_entrypoint_finding(container, mounts, bind_sources)
            finding = finding.with_variables(whole_command(container, image_commands))
            yield _with_script(finding, container, shut_scripts)
        elif refused is not None and _is_forbidden(container, refused):
            place = place_of_program(container, refused.path, mounts)
            if not refused.is_aside or _cannot_be_executed(refused, place):
                finding = _kernel_refusal_finding(container, refused, place)
                yield _with_script(finding, container, shut_scripts)


def _with_script(
    finding: Finding, container: Container, shut_scripts: ShutScripts | None
) -> Finding:
    """The finding with the file that needs an x bit: a copy of it for a read-only container, or
    the file of the host.

    Not on a mount with noexec: there it would not be executed with that bit either.
    """
    finding = with_mounted_copy(finding, container)
    path = shut_scripts.by_id.get(container.id, "") if shut_scripts is not None else ""
    if not path or path != finding.variables.get("source") or "noexec" in finding.variables:
        return finding
    return finding.with_variables({"script": path})


_FORBIDDEN = ("permission denied", "operation not permitted")


def _is_forbidden(container: Container, refused: Program) -> bool:
    """Whether the file may not be executed; container.option-in-the-way reports a tmpfs as the
    reason."""
    return refused.why in _FORBIDDEN and not noexec_tmpfs(container, refused.path)


def _refused_entrypoint_finding(
    container: Container, mounts: Mounts | None, bind_sources: BindSources | None
) -> Finding:
    """The finding about a program that the runtime refuses before it runs."""
    program = container.path
    mistake = _argument_as_command(container, program, bind_sources)
    if mistake:
        return failed_start(container, mistake, variables={"folder": program})
    finding = failed_start(container, f"{program} cannot be executed: permission denied")
    finding = finding.with_variables(program_variables(container, program))
    return _with_place(finding, place_of_program(container, program, mounts))


def _kernel_refusal_finding(
    container: Container, refused: Program, place: ProgramPlace | None
) -> Finding:
    """The finding about a program that the container's first process starts or becomes, and the
    kernel refuses.

    Where nothing may be executed, or the script has no x bit, the script itself is refused before
    the kernel looks for its interpreter.
    """
    if refused.why != "permission denied" or place is None:
        return _forbidden_program_finding(container, refused)
    if not (place.is_noexec or refused.lacks_execute_bit or not refused.interpreter):
        return _forbidden_program_finding(container, refused)
    script = msgspec.structs.replace(refused, interpreter="")
    return _with_place(_forbidden_program_finding(container, script), place)


def _cannot_be_executed(program: Program, place: ProgramPlace | None) -> bool:
    """Whether the file itself shows that nobody can execute it at its place.

    It begins like a program: a file of data without an x bit was not to be executed.
    """
    is_noexec = place is not None and place.is_noexec
    begins_as_program = bool(program.machine or program.interpreter)
    return begins_as_program and (program.lacks_execute_bit or is_noexec)


def _argument_as_command(
    container: Container, program: str, bind_sources: BindSources | None
) -> str:
    """The sentence about a mounted folder that became the command.

    "" for a program, or where that is not known.
    """
    mount = container.mount_at(program.rstrip("/")) or container.mount_at(program)
    if mount is None or bind_sources is None or container.config.entrypoint:
        return ""
    source = bind_sources.by_path.get(mount.source)
    if source is None or source.type != "folder":
        return ""
    return (
        f'its command is "{program}", which is a mounted folder, not a program: '
        "the image has no ENTRYPOINT that would take this as an argument"
    )


def _with_place(finding: Finding, place: ProgramPlace | None) -> Finding:
    """The finding with the file of the host that is the program.

    A change in the container's writable layer does not help.
    """
    if place is None:
        return finding
    summary = f"{finding.summary}; it is {place.path} on the host"
    evidence = {**finding.evidence, f"mounted at {place.mount.destination}": place.mount.source}
    steps = {"source": place.path}
    if place.mounted is not None and place.is_noexec:
        point = place.mounted.point
        summary += f", and {point} is mounted with noexec"
        evidence[f"mount options of {point}"] = place.mounted.options
        steps["noexec"] = point
    placed = msgspec.structs.replace(finding, summary=summary, evidence=evidence)
    return placed.without_variable("file").with_variables(steps)


def _forbidden_program_finding(container: Container, program: Program) -> Finding:
    if program.why == "operation not permitted":
        return _capabilities_finding(container, program)
    user = container.config.user or "root"
    evidence = {"Config.User": user}
    if program.lacks_execute_bit:
        evidence["mode"] = f"{(program.mode or 0) & 0o7777:o}"
        return refused_program(
            container, program, f"{program.path} has no x bit, so nobody may execute it", evidence
        )
    if program.is_folder:
        return refused_program(
            container, program, f"{program.path} is a folder, not a program", evidence
        )
    if program.interpreter:
        reason = (
            f"{program.interpreter}, which {program.path} needs, cannot be executed by user {user}"
        )
        finding = refused_program(
            container, msgspec.structs.replace(program, path=program.interpreter), reason, evidence
        )
        cure = {"confined": container.name} if container.config.user else {}
        return finding.without_variable("file").with_variables(cure)
    return refused_program(
        container, program, f"{program.path} cannot be executed by user {user}", evidence
    )


def _capabilities_finding(container: Container, program: Program) -> Finding:
    """The finding about a program whose execution the kernel does not permit at all.

    Its file demands capabilities that the container lacks; for a file that was not read this is
    likely.
    """
    config = container.host_config
    missing = lacking_capabilities(program.capabilities or (), config)
    reason = f"{program.path} has capabilities that the container may not have"
    if missing:
        noun = "capability" if len(missing) == 1 else "capabilities"
        reason = (
            f"the file {program.path} requires the {noun} {joined(missing)}, which the container "
            "does not have"
        )
    elif program.capabilities is not None:
        reason = f"the kernel does not permit execution of {program.path}"
    finding = refused_program(
        container,
        program,
        reason,
        {
            "HostConfig.CapDrop": config.cap_drop or "none",
            "HostConfig.CapAdd": config.cap_add or "none",
        },
    ).without_variable("file")
    options = [f"--cap-add={name}" for name in missing]
    if 0 < len(options) <= MOST_OPTIONS:
        further = {"further": options[1]} if len(options) == MOST_OPTIONS else {}
        return finding.with_variables({"option": options[0], **further})
    return finding.with_variables({"stripped": container.name} if config.cap_drop else {})
