"""container.mount-source-missing: what a container mounts is not on the host."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec.structs import replace

from checks.container.mounts.foreign_path import with_owner
from checks.container.mounts.late_source import late_source_finding
from checks.container.mounts.missing_file import absent_file, volume_for_file
from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.file_access import unseen
from diagnose.evidence.containers.mounts.access.unusable_files import UnusableFiles
from diagnose.evidence.containers.mounts.bind_mounts import (
    BindSources,
    NamedPath,
    PathStatus,
    asked_for,
    missing_in_folder,
    never_started,
    not_a_file,
)
from diagnose.evidence.containers.mounts.data.dangling_links import DanglingLinks
from diagnose.evidence.containers.mounts.missing_files import MissingFile, MissingFiles
from diagnose.evidence.containers.mounts.moved_sources import MovedSources
from diagnose.evidence.containers.mounts.refused_mounts import RefusedMount, refused_mount
from diagnose.evidence.containers.run_evidence import failed_start_evidence
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.mounts import Mounts
from diagnose.first_steps.rows.row_steps import row_steps
from diagnose.mappings import present
from diagnose.model import (
    CheckItem,
    CheckResult,
    EvidenceGroup,
    Finding,
    PageVariables,
    Severity,
    Unavailable,
    Unexamined,
)
from diagnose.phrases import quoted
from diagnose.registry import check

StandIn = Literal["emptied", "folder", "kept_folder", "kept_missing", "missing", ""]
"""The thing in the place of the source: a folder without its files, a folder for a file, nothing,
or something that is not known. The page has a cure for each, which takes the source by this name.
`kept_`: the container was started with a folder there, so that its layer keeps one, over which no
file can be mounted.
"""

_OTHER_CURES = ("came_late", "emptied", "folder", "kept_folder", "kept_missing", "missing")
"""Variables of cures that leave it to the reader to put something there, or that take what is
there."""


class MissedFiles(EvidenceGroup, frozen=True):
    """Files and links below mounts that programs do not find."""

    missing_files: MissingFiles | None
    dangling_links: DanglingLinks | None

    @property
    def by_container(self) -> Mapping[str, MissingFile]:
        """The missing file of each container, by the container's id.

        Those behind a link that `container.link-dangling` names are left out.
        """
        behind_links = {link.container.id for link in self.dangling_links or ()}
        return {
            missing.container.id: missing
            for missing in self.missing_files or ()
            if missing.leads_to is None or missing.container.id not in behind_links
        }


class HostFolders(EvidenceGroup, frozen=True):
    """The places of sources on the host."""

    moved_sources: MovedSources | None
    mounts: Mounts | None


@check("container.mount-source-missing", severity=Severity.critical, observed=True)
def mount_source_missing(
    containers: Containers,
    clock: Clock,
    options: Options,
    bind_sources: BindSources | Unavailable,
    log_tails: LogTails | None,
    files: MissedFiles,
    folders: HostFolders,
    unusable_files: UnusableFiles | None,
) -> CheckResult:
    """Something that a container mounts does not exist on the host.

    For `-v` the engine makes an empty folder of that name, which cannot be mounted over a file:
    `not a directory`, exit code 127. For `--mount` it refuses the start and leaves no trace in the
    container (seen on 20.10.24, 26.1.5 and 28.5.2), so the sources of containers that were created
    recently and never ran are looked up; a request that is refused at create leaves no container at
    all. An engine that starts a container again after a boot leaves the runtime's error: a share or
    a disk that was mounted since then is there by now.

    Where the image has nothing at that place the start succeeds, and the program finds an empty
    folder: its last lines say that it is a directory. They say the same of a named volume, which
    the engine creates for a source without a slash. Where the line that explains the failure names
    a file below a mount, that file is looked up on the host.

    A container with the engine's socket may have started this one with a path of its own: its
    mounts tell where that is on the host. A link that leads to what went with another container is
    container.link-dangling.
    """
    absent = files.by_container
    tails = LogTails({}, {}) if log_tails is None else log_tails
    known_sources = None if isinstance(bind_sources, Unavailable) else bind_sources
    unusable_folders = {
        unusable.container.id: unusable for unusable in unusable_files or () if unusable.is_folder
    }
    for container in containers:
        items = _source_items(
            container, bind_sources, tails, absent.get(container.id), folders.mounts
        )
        unusable = unusable_folders.get(container.id)
        if items is None and unusable is not None:
            items = _taken_for_file(container, unusable.named, unusable.sources)
        elif items is None and never_started(container, clock.wall, options.since_s):
            items = _never_mounted(container, bind_sources)
        for item in items or ():
            if isinstance(item, Finding):
                owned_item = with_owner(item, container, containers, known_sources)
                yield with_moved(owned_item, folders.moved_sources)
            else:
                yield item


def with_moved(finding: Finding, moved_sources: MovedSources | None) -> Finding:
    """The finding with the folder to which its source was moved, if it was."""
    source = finding.variables.get("source", "")
    cure = moved_sources.variables_of(source) if moved_sources is not None else {}
    if not cure:
        return finding
    displaced = {f"beside {cure['place']}": cure["displaced"]}
    for other in (*_OTHER_CURES, "sought"):
        finding = finding.without_variable(other)
    return replace(finding, evidence={**finding.evidence, **displaced}).with_variables(cure)


def _source_items(
    container: Container,
    bind_sources: BindSources | Unavailable,
    tails: LogTails,
    missing: MissingFile | None,
    mounts: Mounts | None,
) -> Iterable[CheckItem] | None:
    """Findings about the sources of mounts, from the error of the runtime or of the program.

    None where nothing is wrong.
    """
    refused = refused_mount(container)
    mistaken_path = not_a_file(container, tails)
    lacking = _lacks_all(container, tails, bind_sources)
    if refused is not None and refused.is_about_paths:
        return _refused_mount_findings(container, refused, bind_sources, mounts)
    if mistaken_path is not None:
        return _taken_for_file(container, mistaken_path, bind_sources)
    if lacking is not None:
        return [_emptied_folder_finding(container, lacking)]
    if missing is None:
        return None
    failure = tails.of(container).failure
    row = row_steps(container, failure, None, is_running=missing.is_repeated)
    return [absent_file(missing, row)]


def _taken_for_file(
    container: Container, mistaken_path: NamedPath, bind_sources: BindSources | Unavailable
) -> Iterator[CheckItem]:
    """The finding about a mount that the program takes for a file, and that is a folder."""
    if mistaken_path.mount.type == "volume":
        yield volume_for_file(container, mistaken_path)
    else:
        yield from _empty_folder(container, mistaken_path, bind_sources)


def _refused_mount_findings(
    container: Container,
    refused: RefusedMount,
    bind_sources: BindSources | Unavailable,
    mounts: Mounts | None,
) -> Iterator[Finding]:
    """The findings about a mount that the runtime could not create.

    The source is missing, was missing then, or is a folder over a file.
    """
    source = refused.source
    on_host = bind_sources.by_path.get(source) if isinstance(bind_sources, BindSources) else None
    if on_host is not None and on_host.failed == "missing":
        summary = f"did not start: {source} does not exist"
        evidence = failed_start_evidence(container)
        yield _missing_source_finding(container, summary, source, evidence, stand_in="missing")
    elif refused.missed_source:
        yield late_source_finding(container, source, on_host, mounts)
    elif refused.kinds_differ:
        yield from _folder_over_file_findings(container, refused, on_host)


def _folder_over_file_findings(
    container: Container, refused: RefusedMount, on_host: PathStatus | None
) -> Iterator[Finding]:
    source = refused.source
    target = refused.target
    kind = on_host.type if on_host is not None else ""
    if kind == "file":
        return  # over a folder: the source is not at fault
    evidence = failed_start_evidence(container)
    if kind == "folder" and target == _program_of(container):
        summary = (
            f"did not start: the folder {source} is mounted over {target}, the program of its image"
        )
        finding = _missing_source_finding(container, summary, source, evidence, stand_in="")
        yield finding.with_variables({"covering": target})
        return
    yield _missing_source_finding(
        container,
        f"did not start: {source} is not a file, but {target} in the container is",
        source,
        evidence,
        stand_in="folder" if kind == "folder" else "",
    )


def _program_of(container: Container) -> str:
    """The path of the first process's program; "" where PATH decides it."""
    program = container.path if "/" in container.path else ""
    folder = container.config.working_dir or "/"
    return posixpath.normpath(posixpath.join(folder, program)) if program else ""


def _empty_folder(
    container: Container, mistaken_path: NamedPath, bind_sources: BindSources | Unavailable
) -> Iterator[CheckItem]:
    """A bind mount that the program takes for a file, and that is an empty folder on the host.

    Where somebody has removed the folder, the file is still to come: the engine makes the folder
    again at the next start.
    """
    source = mistaken_path.mount.source
    why = _unseen_reason(bind_sources, source)
    if why or isinstance(bind_sources, Unavailable):
        yield Unexamined(container.subject, why)
        return
    on_host = bind_sources.by_path.get(source)
    count = bind_sources.entries.get(source)
    evidence: dict[str, object] = {"log": quoted(mistaken_path.line)}
    if on_host is not None and on_host.type == "folder" and count is None:
        yield Unexamined(
            container.subject, f"{source}: the entries of the folder could not be listed"
        )
    elif count == 0:
        yield _missing_source_finding(
            container,
            f"finds an empty folder at {mistaken_path.path_inside}: {source} is not a file",
            source,
            {**evidence, "on the host": "an empty folder, as the engine makes for a missing file"},
            stand_in="kept_folder",
        )
    elif on_host is not None and on_host.failed == "missing" and not container.is_running:
        yield _missing_source_finding(
            container,
            f"was started without its file {mistaken_path.path_inside}: {source} does not exist",
            source,
            {**evidence, "on the host": "no such file or directory"},
            stand_in="kept_missing",
        )


def _lacks_all(
    container: Container, log_tails: LogTails, bind_sources: BindSources | Unavailable
) -> NamedPath | None:
    """The path that the program misses in a folder of the host that is empty; else None."""
    lacking = missing_in_folder(container, log_tails)
    if lacking is None or isinstance(bind_sources, Unavailable):
        return None
    return lacking if bind_sources.entries.get(lacking.mount.source) == 0 else None


def _emptied_folder_finding(container: Container, lacking: NamedPath) -> Finding:
    """The finding about an empty folder of the host in which the program misses a file.

    Somebody has moved or removed it, and the engine made it again at the next start; or the disk or
    the files of a deployment never arrived.
    """
    source = lacking.mount.source
    return _missing_source_finding(
        container,
        f"cannot find {lacking.path_inside}: {source} on the host is an empty folder",
        source,
        {
            **lacking.evidence,
            "on the host": "an empty folder, as the engine creates for a missing source",
        },
        stand_in="emptied",
    )


def _never_mounted(
    container: Container, bind_sources: BindSources | Unavailable
) -> Iterator[CheckItem]:
    """The missing sources of a container that was never started."""
    for source in asked_for(container):
        why = _unseen_reason(bind_sources, source)
        if why:
            yield Unexamined(container.subject, why)
        elif (
            isinstance(bind_sources, BindSources)
            and bind_sources.by_path[source].failed == "missing"
        ):
            evidence: dict[str, object] = {
                "HostConfig.Mounts": f"bind {source}",
                "on the host": "no such file or directory",
            }
            yield _missing_source_finding(
                container,
                f"cannot start: {source} does not exist",
                source,
                evidence,
                stand_in="missing",
            )


def _missing_source_finding(
    container: Container,
    predicate: str,
    source: str,
    evidence: dict[str, object],
    stand_in: StandIn,
) -> Finding:
    known_as: PageVariables = {stand_in: source} if stand_in else {}
    sought = {} if stand_in == "emptied" else {"sought": posixpath.basename(source.rstrip("/"))}
    return Finding.about(
        container,
        f"{container} {predicate}",
        evidence,
        discriminator=source,
        signs=signs(container.state.error),
        variables={"source": source, **known_as, **present(sought)},
    )


def _unseen_reason(sources: BindSources | Unavailable, path: str) -> str:
    """The reason why a source could not be looked at; "" where it was."""
    if isinstance(sources, Unavailable):
        return f"{path}: {sources}"
    return unseen(path, sources.by_path.get(path))
