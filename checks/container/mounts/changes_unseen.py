"""container.changes-unseen: a program waits for changes on a share that no kernel reports."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.share_watches import ShareWatch, ShareWatches
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.registry import check

_OF_IMAGES = ((LazyPattern(r"(?:^|/)paperless"), "PAPERLESS_CONSUMER_POLLING=60"),)
"""Images whose program polls for changes at this interval in seconds when the variable is set."""
_OF_PROGRAMS = {
    "dotnet": "DOTNET_USE_POLLING_FILE_WATCHER=true",
    "node": "CHOKIDAR_USEPOLLING=true",
    "next-server": "WATCHPACK_POLLING=true",
    "uvicorn": "WATCHFILES_FORCE_POLLING=true",
}
"""The same for libraries, by the names of the processes: chokidar, watchpack, watchfiles, .NET."""


@check(
    "container.changes-unseen",
    severity=Severity.advice,
    aloud=(
        "does not notice what other machines change in a folder that it watches",
        "do not notice what other machines change in folders that they watch",
    ),
)
def changes_unseen(share_watches: ShareWatches) -> CheckResult:
    """A container's program does not notice what others change on a share.

    It has inotify watch files on NFS, SMB, SSHFS or another share. The kernel reports what this
    machine changes there, and nothing of what others do: new files lie there until the program is
    started again. A program that also looks by itself from time to time loses nothing, and so does
    one whose files nobody else changes: the report says it aloud only of a program that is there to
    take what others put into a folder.
    """
    for watch in share_watches:
        yield _finding(watch)
    yield from share_watches.unexamined


def _finding(watch: ShareWatch) -> Finding:
    container = watch.container
    mount = watch.mount
    mounted = watch.mounted
    is_quiet = not _polling_of_image(container)
    return Finding.about(
        container,
        f"{container} watches {mount.destination} for changes, and does not notice those that other "
        f"machines make: {mounted.point} on the host is {mounted.fstype}",
        {
            "mount": str(mount),
            f"source of {mounted.point}": mounted.source,
            "inotify": f"process {watch.program} watches files there",
        },
        discriminator=mount.destination,
        recheck=(container.run,),
        variables=_polling_variable(watch),
        is_quiet=is_quiet,
    )


def _polling_variable(watch: ShareWatch) -> PageVariables:
    """The page variable with the variable that makes the program poll; its folder where none is
    known."""
    container = watch.container
    setting = _polling_of_image(container) or _OF_PROGRAMS.get(watch.program, "")
    if setting and not container.config.value_of(setting.partition("=")[0]):
        return {"polling": setting}
    return {"watched": watch.mount.destination}


def _polling_of_image(container: Container) -> str:
    """The variable that makes the program of an image poll its folder for changes."""
    image = container.config.image
    return next((setting for name, setting in _OF_IMAGES if name.search(image)), "")
