"""container.mounted-file-unread: no program of a container reads its mounted settings."""

import posixpath

from diagnose.evidence.containers.mounts.unopened_settings import (
    UnopenedSettings,
    UnopenedSettingsList,
)
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import rfc3339
from diagnose.registry import check


@check(
    "container.mounted-file-unread",
    severity=Severity.warning,
    aloud=("does not read a mounted settings file", "do not read mounted settings files"),
)
def mounted_file_unread(unopened: UnopenedSettingsList) -> CheckResult:
    """A container has a file of settings mounted that its program does not read.

    The file is at a path where the program does not look, and the image's own file or the defaults
    are in force. It is a warning where the command names another file of that name, which no mount
    holds, or no file at all and the program (Redis, MongoDB) reads only those that its command
    names. It is advice where nobody has read the file since it was changed, and the container was
    started after that. The kernel keeps the time of the first reading after a change, except on
    read-only mounts and those with noatime. Files that programs read later, at a request or for a
    job, are left out, as are containers without a program of their own.
    """
    for settings in unopened:
        yield _finding(settings)


def _finding(settings: UnopenedSettings) -> Finding:
    container = settings.container
    mount = settings.mount
    other_settings = settings.other
    return Finding.about(
        container,
        f"{container} does not read {settings.on_host}, which is mounted at {settings.path}: "
        f"{_reason(settings)}",
        present(
            {
                "mount": str(mount),
                "command": "" if settings.kind == "unread" else container.shown_command,
                "changed": _time(settings.changed_at),
                "read last": _time(settings.read_at),
                "where the program looks": other_settings,
            }
        ),
        severity=Severity.advice if settings.kind == "unread" else None,
        discriminator=settings.path,
        recheck=(container.run,),
        variables=_steps(settings),
    )


def _steps(settings: UnopenedSettings) -> PageVariables:
    """The page variables of the file, and of the mount at the place where the program looks."""
    steps: PageVariables = {"source": settings.on_host, "name": posixpath.basename(settings.path)}
    if settings.other:
        access = "" if settings.mount.rw else ":ro"
        is_file = settings.mount.destination == settings.path
        steps["unread"] = settings.path if is_file else ""
        steps["place"] = f"{settings.on_host}:{settings.other}{access}"
    steps["program"] = settings.command_with_file
    return present(steps)


def _reason(settings: UnopenedSettings) -> str:
    if settings.kind == "command":
        effect = "the image's own file" if settings.has_other else "where it has none"
        return f"its command names {settings.other}, {effect}"
    if settings.kind == "nameless":
        return "its command names no file, and the program reads only what that names"
    return "nobody has read the file since it was changed, which was before the container's start"


def _time(at: float | None) -> str:
    return "" if at is None else rfc3339(at)
