"""storage.d-type-missing: a file system on which overlay cannot remove layers."""

from diagnose.evidence.engine.info import Info
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped
from diagnose.registry import check


@check("storage.d-type-missing", severity=Severity.warning)
def d_type_missing(info: Info) -> CheckResult:
    """The data root's file system lacks d_type, which overlay needs.

    xfs made with ftype=0, ext4 without the feature filetype: layers cannot be removed. Seen: engine
    20.10.24 tolerates one that holds layers already, 28.5.2 does not start on it. Only overlay
    drivers say; others are not asked.
    """
    support = info.status.get("Supports d_type")
    if support is None:
        return Skipped(f"the storage driver {info.driver} does not need it")
    if support == "false":
        filesystem = info.status.get("Backing Filesystem", "a file system")
        yield Finding(
            subject=DAEMON,
            summary=f"{info.docker_root_dir} is on {filesystem} without d_type, which storage driver "
            f"{info.driver} needs: layers cannot be removed, and newer engines do not start",
            evidence={"/info DriverStatus Supports d_type": support},
            variables={"root": info.docker_root_dir},
        )
