"""container.compose-file-refused: compose refuses a project's file, and starts nothing of it."""

import posixpath
from collections.abc import Callable, Mapping

from diagnose.evidence.containers.compose.refused_projects import (
    ComposeFault,
    RefusedProject,
    RefusedProjects,
    TakenName,
)
from diagnose.evidence.containers.compose.taken_subnets import SUBNET, TakenSubnet
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import HOST, CheckResult, Finding, Json, PageVariables, Severity
from diagnose.phrases import short_id
from diagnose.registry import check

SHOWN = 4
AROUND = 2
"""Lines before and after the fault that are shown."""
_PLAIN = LazyPattern(r"[A-Za-z_][\w-]{0,60}")


@check("container.compose-file-refused", severity=Severity.warning)
def compose_file_refused(refused_projects: RefusedProjects) -> CheckResult:
    """Compose refuses a project's file, and starts nothing of the project.

    `docker compose up` reads all files first, and ends at the first fault: running containers are
    not affected, but a change, or a start after `down`, does not happen.

    The faults are those that `docker compose config` finds in YAML, in keys and values, in
    references between parts, and in files that are named. A service that needs one whose profile is
    off is such a fault, where neither has a container. Beside them count external networks and
    volumes that the engine does not have, a `container_name` that a container of another project
    has, and a subnet that another network has.

    Of two projects with one subnet often only one should run: that is advice, unless somebody works
    on the file. Variables that the caller's shell may set are not judged. Keys are those of compose
    2.40: a newer one may know more, so that no key is a fault where containers were made with a
    newer one.

    A file that made containers counts where it was changed since. Other files count where they lie
    in the folder in which the tool was called, or in a usual place, such as beside the folder of
    another project, and were changed lately or have a network that compose made.
    """
    for project in refused_projects:
        if project.is_refused:
            yield _finding(project)
    yield from refused_projects.unexamined


def _finding(project: RefusedProject) -> Finding:
    evidence: dict[str, Json] = {}
    for fault in project.faults[:SHOWN]:
        place = f"{fault.path}, line {fault.line}" if fault.line else fault.path
        evidence.setdefault(place, _clause(fault, project))
    for part in project.lacking[:SHOWN]:
        evidence[f"{part.kind} {part.name}"] = f"external in {part.path}, line {part.line}"
    for taken_name in project.taken[:SHOWN]:
        place = f"{taken_name.part.path}, line {taken_name.part.line}"
        evidence[place] = f"container_name: {taken_name.part.name}"
    for clash in project.subnets[:SHOWN]:
        evidence[f"{clash.part.path}, line {clash.part.line}"] = f"subnet: {clash.part.name}"
    if project.network:
        evidence["network that compose made for it"] = project.network
    evidence["containers that run"] = "some" if project.runs else "none"
    effect = (
        "what runs continues, but the next start fails" if project.runs else "nothing of it runs"
    )
    summary = f'compose refuses project "{project.name}": {_reason(project)}; {effect}'
    variables = {**_place(project), **_steps(project)}
    if project.container is None:
        subject = HOST
        severity = Severity.advice if _is_only_alike(project) else Severity.warning
        finding = Finding(
            subject=subject,
            summary=summary,
            evidence=evidence,
            discriminator=project.paths[0],
            severity=severity,
        )
    else:
        finding = Finding.about(
            project.container,
            summary,
            evidence,
            severity=Severity.warning if project.runs else Severity.critical,
        )
    return finding.with_variables(variables)


def _is_only_alike(project: RefusedProject) -> bool:
    """Whether all that is wrong is a subnet of which nothing shows that somebody wants it now."""
    return project.is_old and not (project.faults or project.lacking or project.taken)


def _reason(project: RefusedProject) -> str:
    """The reason why compose refuses the project: a fault of a file, a missing part, or a taken
    name."""
    if project.faults:
        fault = project.faults[0]
        place = f"line {fault.line} of {fault.path}" if fault.line else fault.path
        return f"{place} {_clause(fault, project)}"
    if project.lacking:
        part = project.lacking[0]
        return f'the engine has no {part.kind} "{part.name}", which {part.path} calls external'
    if not project.taken:
        return _subnet_clause(project.subnets[0])
    taken_name = project.taken[0]
    return (
        f'{_holder(taken_name)} has the name "{taken_name.part.name}", which service '
        f'"{taken_name.part.service}" should have'
    )


def _subnet_clause(clash: TakenSubnet) -> str:
    """The clause about the subnet of the file and the network that it overlaps."""
    part = clash.part
    return (
        f'subnet {part.name} of its network "{part.service}" overlaps network '
        f'"{clash.holder.name}" ({clash.held})'
    )


def _holder(taken_name: TakenName) -> str:
    project = taken_name.holder.compose_project
    return f'a container of project "{project}"' if project else "a container of no project"


def _clause(fault: ComposeFault, project: RefusedProject) -> str:
    """The fault of a line or a file, as the predicate of a sentence about it."""
    words = _CLAUSES.get(fault.kind)
    if words is None:  # a recording of a newer version
        return "has a fault that this version does not know"
    return words(fault, project)


def _unknown_key(fault: ComposeFault, project: RefusedProject) -> str:
    place = fault.place or "the file itself"
    meant_clause = f': "{fault.detail}" is meant' if fault.detail else ""
    version = f" {project.version}" if project.version else ""
    return (
        f'has the key "{fault.name}", which compose{version} does not know in {place}{meant_clause}'
    )


_CLAUSES: Mapping[str, Callable[[ComposeFault, RefusedProject], str]] = {
    "yaml": lambda fault, _: f"is not YAML: {fault.detail}",
    "empty": lambda *_: "has no services",
    "doubled": lambda fault, _: f'has the key "{fault.name}", which {fault.detail} already has',
    "unknown-key": _unknown_key,
    "wrong-kind": lambda fault, _: f"has a value of {fault.place} that has to be {fault.detail}",
    "entry-is-mapping": lambda fault, _: (
        f'has "{fault.name}: ..." in the list {fault.place}, whose entries are NAME=value'
    ),
    "env-file": lambda fault, _: f"names the env file {fault.name}, which does not exist",
    "file-missing": lambda fault, _: f"names the file {fault.name}, which does not exist",
    "no-unit": lambda fault, _: f"gives {fault.place} the duration {fault.name} without a unit",
    "test-without-kind": lambda fault, _: (
        f"has a list in {fault.place} that does not begin with CMD or CMD-SHELL"
    ),
    "open-brace": lambda fault, _: f'has a "${{" in {fault.place} that no name or "}}" follows',
    "undefined": lambda fault, _: (
        f'names the {fault.detail} "{fault.name}", which no part of the file defines'
    ),
    "off": lambda fault, _: (
        f'names the service "{fault.name}", which is started only with profile {fault.detail}'
    ),
    "condition": lambda fault, _: f'has an unknown condition "{fault.name}" in {fault.place}',
    "no-image": lambda fault, _: f"gives {fault.place} neither an image nor a build",
    "two-networks": lambda fault, _: f"gives {fault.place} both network_mode and networks",
    "new-key": lambda fault, project: (
        f'has the key "{fault.name}", which compose takes from {fault.detail} on; this host has '
        f"{project.version}"
    ),
}
"""The predicate about a file that compose refuses, by the kind of fault."""


def _place(project: RefusedProject) -> PageVariables:
    """The page variables with the folder and the only file of the project.

    Compose reports faults of a file without an engine, and those of names and networks only at a
    start.
    """
    file = only(project.paths)
    if file is None:
        return {"folder": project.folder, "project": project.name}
    place = {"folder": project.folder, "compose_file": file}
    if project.faults:
        place["refused_file"] = file
    return place if project.container is None else {**place, "project": project.name}


def _steps(project: RefusedProject) -> PageVariables:
    """The page variables for the first fault of the project.

    A project of which nothing was started is not started here: its owner does that.
    """
    is_new = project.container is None
    if project.faults:
        return _fault_steps(project.faults[0], is_new=is_new)
    if project.lacking:
        part = project.lacking[0]
        kind = "first" if is_new and part.kind == "network" else "external"
        return {f"{kind}_{part.kind}": part.name}
    if not project.taken:
        return _subnet_steps(project, is_new=is_new)
    return _name_steps(project.taken[0], is_new=is_new)


def _subnet_steps(project: RefusedProject, *, is_new: bool) -> PageVariables:
    """The edit of the subnet's line; by hand where the file names addresses of the subnet too."""
    part = project.subnets[0].part
    place = {"fault_file": part.path, "holding_network": project.subnets[0].holder.name}
    if part.kind != SUBNET or not project.free:
        return {**place, "line": str(part.line), "free_subnet": project.free}
    edit = f"{part.line}s|{part.name}|{project.free}|"
    return {**place, "first_subnet_edit" if is_new else "subnet_edit": edit}


def _name_steps(taken_name: TakenName, *, is_new: bool) -> PageVariables:
    """The page variables for a taken name: a person renames a running container, and an ended one
    can give its name up."""
    holder = taken_name.holder
    if holder.is_running or holder.restarts_always:
        return {"holder": holder.name, "compose_service": taken_name.part.service}
    kind = "first_stopped" if is_new else "stopped"
    return {f"{kind}_holder": holder.name, "kept_name": f"{holder.name}-{short_id(holder.id)}"}


def _fault_steps(fault: ComposeFault, *, is_new: bool) -> PageVariables:
    """The page variables with the place of the fault in its file, and the edit for a misspelt
    key."""
    steps: PageVariables = {"fault_file": fault.path}
    if fault.line:
        first = max(1, fault.line - AROUND)
        steps |= {"line": str(fault.line), "lines": f"{first},{fault.line + AROUND}p"}
    names = (fault.name, fault.detail)
    if fault.kind == "unknown-key" and all(map(_PLAIN.fullmatch, names)):
        edit = f"{fault.line}s/{fault.name}/{fault.detail}/"
        steps["first_edit" if is_new else "slip_edit"] = edit
    if fault.kind in ("env-file", "file-missing"):
        steps |= _missing_file_steps(fault.name)
    if fault.kind == "off":
        steps["needed_profile"] = fault.detail.partition(", ")[0]
    if fault.kind == "new-key":
        steps["wanted_version"] = fault.detail
    return steps


def _missing_file_steps(path: str) -> PageVariables:
    """The page variables with a missing file, and with the names by which a similar one is found:
    `.env.example` for `.env`, `prod.env` for `./env/prod.env`."""
    stem, ending = posixpath.splitext(posixpath.basename(path))
    return {
        "missing_file": path,
        "same_stem": f"*{stem.lstrip('.')}*",
        "same_ending": f"*{ending or stem}*",
    }
