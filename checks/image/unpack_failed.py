"""image.unpack-failed: images that are complete and cannot be unpacked on this host."""

from checks.image.failed_pulls import FailedPulls, image_of
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.images.layers import Layers
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.images.unpack_errors import (
    DISK_ERROR,
    KILLED,
    LEFT_RECORD,
    NO_ATTRIBUTES,
    NO_NAMESPACES,
    UNREADABLE_ARCHIVE,
    unpack_error,
)
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import present
from diagnose.model import DAEMON, CheckResult, Count, Finding, PageVariables, Seconds, Severity
from diagnose.registry import check

FIRST_WITH_ZSTD = (23,)
"""The first engine that reads layers compressed with zstd."""


@check(
    "image.unpack-failed",
    severity=Severity.warning,
    caused_by=["storage.read-only", "kernel.filesystem-errors", "resources.host-oom"],
    observed=True,
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
    in the place of the new one keeps each image with that layer out, from a pull, a load or a
    build, of which the engine logs only the pull.
    """
    failures = FailedPulls(pulls, clock, repeated, recent_s)
    troubles = [*pulls.of("format"), *pulls.of("unpack")]
    for trouble in troubles:
        reason = unpack_error(trouble.text)
        old_engine = _engine_without_zstd(trouble, ping)
        yield failures.finding(
            trouble,
            variables=_variables(trouble, reason, old_engine),
            reason=reason,
            clause=_zstd_clause(old_engine),
        )
    if stored is not None:
        matches = (LEFT_RECORD.search(trouble.text) for trouble in troubles)
        reported = {match["record"] for match in matches if match is not None}
        for record in stored.unreadable:
            if record not in reported:
                yield _left_record_finding(record, stored.root)


def _engine_without_zstd(trouble: PullTrouble, ping: Ping | None) -> str:
    """The version of an engine that takes layers compressed with zstd for damaged ones; else ""."""
    if ping is None or not UNREADABLE_ARCHIVE.search(trouble.text):
        return ""
    return ping.engine_version if (0,) < ping.version < FIRST_WITH_ZSTD else ""


def _zstd_clause(old_engine: str) -> str:
    if not old_engine:
        return ""
    return (
        f": most often they are compressed with zstd, which engine {old_engine} "
        "does not know (engines from 23 on do)"
    )


def _variables(trouble: PullTrouble, reason: str, old_engine: str) -> PageVariables:
    """The page variables for a layer that cannot be unpacked: a plugin, a newer engine, a record
    that is in the way, or the image."""
    is_plugin = "plugin" in reason and bool(trouble.image)
    variables = {"plugin": trouble.image} if is_plugin else _reason_variables(trouble, reason)
    left_record = LEFT_RECORD.search(trouble.text)
    record = {}
    if left_record is not None:
        record = {"record": left_record["record"], "root": left_record["root"]}
    return {**variables, **present({"lacks_zstd": old_engine}), **record}


def _reason_variables(trouble: PullTrouble, reason: str) -> PageVariables:
    """The page variables by the reason: after a kill the next pull works, after any other reason
    it fails too."""
    if reason == KILLED:
        return image_of(trouble)
    cases = {NO_ATTRIBUTES: "unfit_disk", NO_NAMESPACES: "nested", DISK_ERROR: "bad_disk"}
    return {cases[reason]: "data root"} if reason in cases else {}


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
