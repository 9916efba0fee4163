"""storage.writable-layer-large: a container writes a lot outside its volumes."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.storage.usage.disk_usage import DiskUsage
from diagnose.model import Bytes, CheckResult, Finding, Severity, Skipped, Subject, Unexamined
from diagnose.phrases import size
from diagnose.registry import check


@check("storage.writable-layer-large", severity=Severity.warning, causes=["storage.disk-full"])
def writable_layer_large(
    usage: DiskUsage, containers: Containers, *, least: Bytes = Bytes(1 << 30)
) -> CheckResult:
    """A container has written a lot of data outside its volumes.

    That data is lost with the container, and it slows every write down. Measured only where the
    disk is 70 % full or it is asked for.
    """
    if usage.not_asked:
        return Skipped(usage.not_asked)
    touches = (Subject("filesystem", usage.point),) if usage.is_led_by("writable layers") else ()
    for writer in containers:
        written = usage.writable.get(writer.id)
        if written is None:
            yield Unexamined(writer.subject, "the size of its layer could not be measured")
        elif written >= least:
            yield Finding.about(
                writer,
                f"{writer} has written {size(written)} into its writable layer, outside of any "
                "volume",
                {"writable layer, bytes on disk": written},
                touches=touches,
            )
