"""storage.backup-empty: a backup program reads an empty volume, and the data is in another one."""

from diagnose.evidence.storage.volumes.empty_backups import EmptyBackup, EmptyBackups
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity, Subject
from diagnose.registry import check


@check("storage.backup-empty", severity=Severity.warning)
def backup_empty(empty_backups: EmptyBackups) -> CheckResult:
    """A backup program reads an empty volume, and not the one with the data.

    Compose names a volume after its project, so that a backup program in a project of its own, or
    one with a misspelt name, gets a new and empty volume. Its backups succeed and hold nothing. A
    volume counts that is empty, and mounted read-only or by a backup program, while another
    container mounts a volume with the same name behind its project that holds data. A volume into
    which another container writes may be empty rightly, and is left out.
    """
    for backup in empty_backups:
        yield _finding(backup)


def _finding(backup: EmptyBackup) -> Finding:
    container = backup.container
    mount = backup.mount
    access = "read-write" if mount.rw else "read-only"
    place = f'volume "{backup.meant}"' if backup.meant else f"folder {backup.source}"
    volumes = (mount.name, *([backup.meant] if backup.meant else []))
    return Finding.about(
        container,
        f'{container} reads volume "{mount.name}", which is empty: the data is in {place}, which '
        f"{backup.user} mounts",
        {
            "mounted": f"{mount.name} -> {mount.destination}, {access}",
            place: f"{backup.source}, not empty" if backup.meant else "not empty",
        },
        discriminator=mount.destination,
        touches=tuple(Subject("volume", name) for name in volumes),
        variables=present(
            {
                "meant": backup.meant,
                "bound": f"{backup.meant or backup.source}:{mount.destination}:ro",
                "empty": mount.name,
                "folder": "" if backup.meant else backup.source,
            }
        ),
    )
