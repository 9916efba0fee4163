"""storage.volume-options-outdated: a volume keeps the options with which it was made."""

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.volumes.changed_volumes import ChangedVolume, ChangedVolumes
from diagnose.mappings import only, subjects_of
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import joined
from diagnose.registry import check


@check("storage.volume-options-outdated", severity=Severity.warning)
def volume_options_outdated(changed_volumes: ChangedVolumes, clock: Clock) -> CheckResult:
    """A volume of compose has other options than its file by now.

    `driver` and `driver_opts` belong to a volume from its creation on: a path, a server or a size
    that was changed in the file since does not reach it. Containers that are recreated get the old
    volume. The check compares volumes that are older than their file. It leaves out external
    volumes, and values that have a variable or a secret.
    """
    for volume in changed_volumes:
        yield _finding(volume, clock)


def _finding(changed: ChangedVolume, clock: Clock) -> Finding:
    volume = changed.volume
    path = changed.wanted.path
    name, (present, written_option) = next(
        iter(sorted(changed.differences.items(), key=_device_first))
    )
    return Finding(
        subject=volume.subject,
        summary=f'volume "{volume.name}" still has {name} {_shown_option(present)}: {path} was changed to '
        f"{_shown_option(written_option)} {clock.ago(changed.changed_at)}, but a volume keeps the options with which "
        "it was created",
        evidence={
            "Options": dict(volume.options or {}),
            f"{path}, driver_opts": dict(changed.wanted.options),
            "volume created": volume.created_at,
            "used by": joined([container.name for container in changed.users]) or "no container",
        },
        onset=changed.changed_at,
        touches=subjects_of(changed.users),
        variables={"volume": volume.name, **_steps(changed)},
    )


def _device_first(difference: tuple[str, tuple[str, str]]) -> tuple[bool, str]:
    return difference[0] != "device", difference[0]


def _shown_option(value: str) -> str:
    return f'"{value}"' if value else "(none)"


def _steps(volume: ChangedVolume) -> PageVariables:
    """The page variables that make the volume again.

    Empty where its data would be lost, or where the project has not exactly one file.
    """
    projects = {(user.compose_project, *user.compose_files) for user in volume.users}
    project = only(projects)
    if not volume.lies_elsewhere:
        return {"kept": volume.volume.name}
    if project is None or len(project) != 2:
        return {}
    return {"project": project[0], "compose_file": project[1]}
