"""image.unpack-failed: images that are complete and cannot be unpacked on this host."""

from __future__ import annotations

from checks.image.failed_pulls import FailedPulls, image_of
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.images.layers import Layers
from diagnose.evidence.images.pulls import Pulls
from diagnose.evidence.images.unpack_errors import LEFT_RECORD, UNREADABLE_ARCHIVE, unpack_error
from diagnose.evidence.machine.clock import Clock
from diagnose.model import DAEMON, CheckResult, Count, Finding, Seconds, Severity
from diagnose.registry import check

FIRST_WITH_ZSTD = (23,)
"""The first engine that reads layers compressed with zstd."""


@check(
    "image.unpack-failed",
    severity=Severity.warning,
    caused_by=["storage.read-only", "kernel.filesystem-errors", "resources.host-oom"],
)
def unpack_failed(
    pulls: Pulls,
    stored: Layers | None,
    clock: Clock,
    ping: Ping | None,
    *,
    repeated: Count = Count(3),
    recent_s: Seconds = Seconds(3600),
) -> CheckResult:
    """An image cannot be unpacked on this host, although its download was complete.

    It is in a format that the engine does not know: schema 1 from engine 28 on, layers that are
    compressed with zstd before engine 23 (20.10.24 takes the archive for one that breaks off). Or
    it is a plugin; or the host does not let the engine write the layers: a disk with errors, a
    share without extended attributes, an engine inside a container. An unreadable record of a layer
    that lies where the new one belongs keeps each image with that layer out, from a pull, a load
    or a build, of which the engine logs the pull alone.
    """
    told = set()
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    for trouble in (*pulls.of("format"), *pulls.of("unpack")):
        reason = unpack_error(trouble.text)
        variables = image_of(trouble)
        clause = ""
        if "plugin" in reason and trouble.image:
            variables = {"plugin": trouble.image}
        is_archive = UNREADABLE_ARCHIVE.search(trouble.text) is not None
        if is_archive and ping is not None and (0,) < ping.version < FIRST_WITH_ZSTD:
            clause = (
                f": most often they are compressed with zstd, which engine {ping.engine_version} "
                "does not know (engines from 23 on do)"
            )
            variables |= {"lacks_zstd": ping.engine_version}
        if left := LEFT_RECORD.search(trouble.text):
            variables |= {"record": left["record"], "root": left["root"]}
            told.add(left["record"])
        yield failures.finding(trouble, variables=variables, reason=reason, clause=clause)
    if stored is not None:
        left_over = (record for record in stored.unreadable if record not in told)
        yield from (_left_record_finding(record, stored.root) for record in left_over)
    return None


def _left_record_finding(record: str, root: str) -> Finding:
    return Finding(
        subject=DAEMON,
        summary=(
            "the engine's record of an image layer is empty, as after a power cut: no image with that "
            "layer can be pulled, loaded or built"
        ),
        evidence={f"{record}/cache-id": "no such file"},
        variables={"record": record, "root": root},
        discriminator=record,
    )
