"""Pulls that make no progress and do not fail."""

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.images.downloads import Downloads
from diagnose.model import DAEMON, CheckResult, Finding, Json, Seconds, Severity, Skipped
from diagnose.phrases import count, duration, size
from diagnose.registry import check


@check(
    "image.pull-stalled",
    severity=Severity.warning,
    caused_by=["network.mtu-mismatch", "resources.io-saturated", "network.conntrack-full"],
)
def pull_stalled(
    daemon: Daemon, downloads: Downloads, *, idle: Seconds = Seconds(120)
) -> CheckResult:
    """A pull makes no progress, and the engine waits for it without an end.

    The engine has no time limit for the bytes of a layer: a proxy or a registry that keeps the
    connection and sends nothing holds the pull for ever, and each later pull of that layer waits
    with it. It shows in the files into which layers are written: a file that is whole is read from
    its beginning, one that waits for bytes is at its end.
    """
    if daemon.is_podman:
        return Skipped("Podman pulls in the process of each command")
    stalled = downloads.idle_since(idle)
    if not stalled:
        return None
    longest = duration(downloads.taken_at - stalled[0].mtime)
    got = sum(file.bytes for file in stalled)
    files: list[Json] = [
        f"{file.path}: {size(file.bytes)}, {duration(downloads.taken_at - file.mtime)} old"
        for file in stalled
    ]
    yield Finding(
        subject=DAEMON,
        summary=(
            f"a pull hangs: {count(len(stalled), 'layer')} received no data for {longest} "
            f"({size(got)} arrived before), and the engine has no timeout for that"
        ),
        evidence={"open files": files},
        variables={"engine_pid": str(stalled[0].pid)},
        onset=stalled[0].mtime,
    )
