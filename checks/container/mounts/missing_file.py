"""Findings of container.mount-source-missing about files that a mounted folder does not have."""

import posixpath
from collections.abc import Mapping

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.bind_mounts import NamedPath
from diagnose.evidence.containers.mounts.link_ends import LinkEnd
from diagnose.evidence.containers.mounts.missing_files import MissingFile
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.mappings import present
from diagnose.model import Finding, Json, PageVariables, Severity
from diagnose.phrases import and_more, quoted

NAMES_SHOWN = 8
_WRITE_AHEAD_LOGS = frozenset({"pg_wal", "pg_xlog"})
"""Folders of PostgreSQL that its data cannot be without."""
_INSTALLERS = {"pnpm-lock.yaml": "pnpm install", "yarn.lock": "yarn install"}
"""Commands that install the modules of package.json, by a file beside it."""


def absent_file(missing: MissingFile, row: Mapping[str, str]) -> Finding:
    """The finding about a file that the program misses below a mount, and that the host does not
    have there.

    row: the page variables of the known failure's own remedy.
    """
    container = missing.container
    mount = missing.place.mount
    if missing.leads_to is not None:
        return _dangling_link_finding(missing, missing.leads_to)
    name = posixpath.basename(missing.path)
    holds = and_more(missing.names, NAMES_SHOWN) if missing.names else "nothing"
    return Finding.about(
        container,
        f"{container} cannot find {missing.path_inside}: {missing.folder} on the host has no {name}",
        {
            **missing.place.evidence,
            f"contents of {missing.folder}": holds,
            **_image_evidence(missing),
        },
        severity=Severity.warning if missing.is_repeated else Severity.critical,
        discriminator=mount.source,
        onset=None if missing.is_repeated else container.failed_first,
        variables={"source": missing.folder, **_cure(missing, row)},
    )


def _dangling_link_finding(missing: MissingFile, end: LinkEnd) -> Finding:
    """The finding about a link whose target does not exist, or is not mounted."""
    container = missing.container
    lacks = f"{end.on_host} on the host is not there" if end.on_host else "nothing is mounted there"
    lost = "" if end.on_host else f"*/diff{end.path_inside}"
    is_log = posixpath.basename(missing.path) in _WRITE_AHEAD_LOGS
    return Finding.about(
        container,
        f"{container} cannot find {missing.place.path_inside}: {missing.path} on the host is a link "
        f"that leads to {end.path_inside}, and {lacks}",
        {**missing.place.evidence, "the link leads to": end.path_inside},
        severity=Severity.warning if missing.is_repeated else Severity.critical,
        discriminator=missing.place.mount.source,
        onset=None if missing.is_repeated else container.failed_first,
        variables={
            "source": missing.folder,
            "dangling": missing.path,
            **present(
                {
                    "lineage": missing.lineage,
                    "lost_folder": lost,
                    "lost_log": missing.path if lost and is_log else "",
                }
            ),
        },
    )


def _image_evidence(missing: MissingFile) -> dict[str, Json]:
    """The evidence on whether the image has the missing file."""
    if missing.is_in_image:
        return {"the image": f"has {missing.path_inside}, but the mount hides it"}
    if missing.is_in_image is None:
        return {}
    hint = ": install the modules in the folder of the host" if missing.lacks_modules else ""
    return {"the image": f"has no {missing.path_inside} either{hint}"}


def _cure(missing: MissingFile, row: Mapping[str, str]) -> PageVariables:
    """The page variables with a source for the file or the folder."""
    is_hidden = missing.is_in_image or (missing.is_in_image is None and missing.lacks_modules)
    if is_hidden:
        return {
            "from_image": missing.container.config.image,
            "hidden": missing.path_inside,
            "lacking": missing.folder,
        }
    job = {name: value for name, value in row.items() if name.startswith("job_")}
    if job or missing.lacks_modules or missing.lacks_build:
        return job or _sources_job(missing)
    if missing.likely_name:
        example = f"{missing.folder}/{missing.likely_name}"
        return {"example": example, "wanted": missing.path}
    return {"incomplete": missing.folder}


def _sources_job(missing: MissingFile) -> PageVariables:
    """The page variables of a job that installs the modules of Node.js into the mounted sources,
    or builds the program."""
    config = missing.container.config
    installers = (command for name, command in _INSTALLERS.items() if name in missing.names)
    install = next(installers, "npm install")
    package_manager = install.partition(" ")[0]
    build = f"{package_manager} run build"
    if missing.lacks_modules:
        command = install
    elif missing.has_modules:
        command = build
    else:
        command = f"{install} && {build}"
    return {
        "job_command": command,
        "job_folder": posixpath.dirname(missing.path_inside),
        "job_image": config.image,
        "job_user": config.user or "0",
    }


def volume_for_file(container: Container, mistaken_path: NamedPath) -> Finding:
    """The finding about a named volume in the place of a file: a source that is not a path names a
    volume."""
    mount = mistaken_path.mount
    return Finding.about(
        container,
        f"{container} finds a folder at {mistaken_path.path_inside}: "
        f'"{mount.name}" is not an absolute path, so the engine took it as the name of a volume',
        {
            LINE: quoted(mistaken_path.line),
            "mount": f'volume "{mount.name}" -> {mount.destination}',
        },
        discriminator=mount.destination,
        onset=container.failed_first,
        variables={
            "source": mount.source,
            "named_file": f"{mount.name}:{mount.destination}",
            "inside": mount.destination,
        },
    )
