"""The check container.volume-outdated: a volume keeps files of an older image."""

from diagnose.evidence.containers.mounts.data.outdated_volumes import (
    FIRST_WITH_DATE,
    OutdatedVolumes,
)
from diagnose.evidence.engine.info import Info, Ping
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped, Subject, Unexamined
from diagnose.phrases import and_more, count
from diagnose.registry import check


@check(
    "container.volume-outdated",
    severity=Severity.advice,
    aloud=("has a volume with files of an older image", "have volumes with files of older images"),
)
def volume_outdated(
    outdated_volumes: OutdatedVolumes, ping: Ping, info: Info | None
) -> CheckResult:
    """A volume has files of an older image and hides those of the current one.

    The engine copies what an image has into an empty volume, once. A container that is created
    again from a newer image gets the earlier volume: pages, scripts and modules stay as they were.
    A file counts if it is older than its volume, so that nobody has written it since, and the image
    has a different one that is not older. Files of the same size count as equal. A file that a
    backup brought into the volume with its old date looks the same. Seen for the storage driver
    overlay2 and engines from 26 on.
    """
    if ping.version < FIRST_WITH_DATE:
        return Skipped("engines before 26 do not say when a volume was made")
    if info is not None and info.driver not in ("", "overlay2"):
        return Skipped("the storage driver is not overlay2")
    for outdated in outdated_volumes:
        container, mount = outdated.container, outdated.mount
        newer = count(len(outdated.files), "newer file")
        folder = mount.destination.rstrip("/")
        yield Finding.about(
            container,
            f'volume "{outdated.name}" hides {newer} of image "{container.config.image}" '
            f"from {container}: {and_more(outdated.files)}",
            {
                "mounted at": mount.destination,
                "older than the volume, and different in the image": list(outdated.files[:8]),
            },
            discriminator=mount.destination,
            touches=(Subject("volume", mount.name),),
            image=container.config.image,
            hidden=f"{folder}/.",
            above=f"{container.name}:{folder}",
        )
    if outdated_volumes.left_out:
        further = count(outdated_volumes.left_out, "volume")
        yield Unexamined(HOST, f"{further} of containers: too many to compare with their images")
