"""The check container.volume-outdated: a volume keeps files of an older image."""

from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.data.outdated_volumes import (
    FIRST_WITH_DATE,
    OutdatedVolume,
    OutdatedVolumes,
)
from diagnose.evidence.engine.info import Info, Ping
from diagnose.mappings import present
from diagnose.model import HOST, CheckResult, Finding, Severity, Skipped, Subject, Unexamined
from diagnose.phrases import and_more, count, sentence
from diagnose.registry import check


@check(
    "container.volume-outdated",
    severity=Severity.advice,
    causes=(
        "container.crashed",
        "container.exits-at-start",
        "container.restart-loop",
        "container.restarts-exhausted",
    ),
    aloud=("has a volume with files of an older image", "have volumes with files of older images"),
)
def volume_outdated(
    outdated_volumes: OutdatedVolumes, ping: Ping, info: Info | None, log_tails: LogTails | None
) -> CheckResult:
    """A volume has files of an older image and hides those of the current one.

    The engine copies what an image has into an empty volume, once. A container that is
    recreated from a newer image keeps the volume: pages, scripts and modules stay as they were.

    A file counts if it is older than its volume, so that nobody has written it since, and the image
    has a different one that is not older. Files of the same size count as equal. A file that a
    backup brought into the volume with its old date looks the same. A file whose name holds a hash
    of its content counts too, where the volume has it under another hash.

    In a folder `node_modules` or `vendor` a package counts too that the image has, and the volume
    has not: it is critical where the log of the failed program does not find it.

    The check knows the storage driver overlay2 and engines from 26 on.
    """
    if ping.version < FIRST_WITH_DATE:
        return Skipped("engines before 26 do not say when a volume was created")
    if info is not None and info.driver not in ("", "overlay2"):
        return Skipped("the storage driver is not overlay2")
    for outdated in outdated_volumes:
        yield _finding(outdated, log_tails)
    if outdated_volumes.left_out:
        further = count(outdated_volumes.left_out, "volume")
        yield Unexamined(HOST, f"{further} of containers: too many to compare with their images")


def _finding(outdated: OutdatedVolume, log_tails: LogTails | None) -> Finding:
    """The finding about an outdated volume. It is critical where the program has failed for lack of
    a package that the volume hides."""
    container = outdated.container
    mount = outdated.mount
    missed = _missed_package(outdated, log_tails)
    newer_files = (*outdated.files, *outdated.renamed)
    hidden = newer_files or outdated.absent
    newer = count(len(hidden), "newer file" if newer_files else "package")
    folder = mount.destination.rstrip("/")
    return Finding.about(
        container,
        sentence(
            f'volume "{outdated.name}" hides {newer} of image "{container.config.image}" '
            f"from {container}: {and_more(hidden)}",
            f"its program fails without {missed}" if missed else "",
        ),
        {
            "mounted at": mount.destination,
            **present(
                {
                    "older than the volume, and different in the image": list(outdated.files[:8]),
                    "in the volume under an older name": list(outdated.renamed[:8]),
                    "in the image, and not in the volume": list(outdated.absent[:8]),
                }
            ),
        },
        severity=Severity.critical if missed else None,
        discriminator=mount.destination,
        touches=(Subject("volume", mount.name),),
        signs=None if missed else frozenset(),
        variables={
            "image": container.config.image,
            "hidden": f"{folder}/.",
            "above": f"{container.name}:{folder}",
        },
    )


def _missed_package(outdated: OutdatedVolume, log_tails: LogTails | None) -> str:
    """The package that the log of a failed program misses; "" for none."""
    tail = log_tails.by_id.get(outdated.container.id) if log_tails is not None else None
    text = "\n".join(tail.lines) if tail is not None else ""
    return next(
        (name for name in outdated.absent if f"'{name}'" in text or f"/{name}'" in text), ""
    )
