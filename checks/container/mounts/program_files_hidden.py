"""container.program-files-hidden: an empty folder is mounted over program files of an image."""

from diagnose.evidence.containers.mounts.hidden_folders import HiddenFolders
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import and_more
from diagnose.registry import check

SHOWN = 3


@check(
    "container.program-files-hidden",
    severity=Severity.advice,
    posture=True,
    aloud=(
        "has an empty folder over its program's files",
        "have empty folders over their programs' files",
    ),
)
def program_files_hidden(hidden_folders: HiddenFolders) -> CheckResult:
    """An empty folder of the host is mounted over program files of the image.

    A bind mount hides what the image has at its place, and copies nothing: that is what a named
    volume does at its first use. The program runs without these files, and answers 404 or 403, or
    lacks a plugin. Files count that programs run or web servers show (.jar, .php, .js, .so, .html
    and their like), at the place of the mount or one folder below it. A folder that the image
    itself calls a volume is one for data. Layers that containerd keeps are not looked into.
    """
    for folder in hidden_folders:
        container = folder.container
        mount = folder.mount
        yield Finding.about(
            container,
            f"{container} has the empty folder {mount.source} over {mount.destination} of its image, "
            f"which has {and_more(folder.files, SHOWN)} there",
            {"mount": str(mount), "the image has": list(folder.files)},
            discriminator=mount.destination,
            variables={
                "source": mount.source,
                "image": container.config.image,
                "hidden": f"{mount.destination.rstrip('/')}/.",
            },
        )
