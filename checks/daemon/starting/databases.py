"""Can the engine read its own records?"""

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data.databases import (
    BUILDS,
    NETWORKS,
    VOLUMES,
    DamagedDatabase,
    EngineDatabases,
)
from diagnose.evidence.engine.starting.end_meaning import NETWORK
from diagnose.mappings import by_key
from diagnose.model import DAEMON, CheckResult, Finding, Json, PageVariables, Severity, Unavailable
from diagnose.phrases import shortened
from diagnose.registry import check

CONTENTS = {
    NETWORKS: "its record of networks",
    VOLUMES: "its record of volumes",
    **dict.fromkeys(BUILDS, "its record of the build cache"),
}
"""The contents of a file of the data root; every other file is containerd's."""
CONTAINERDS = "containerd's record of images and containers"


def _contents(path: str) -> str:
    return next(
        (contents for file, contents in CONTENTS.items() if path.endswith(f"/{file}")), CONTAINERDS
    )


@check(
    "daemon.database-damaged",
    severity=Severity.critical,
    caused_by=["storage.disk-full", "storage.read-only", "kernel.filesystem-errors"],
    causes=["container.start-refused"],
)
def database_damaged(daemon: Daemon, databases: EngineDatabases) -> CheckResult:
    """A database file of the engine is damaged.

    This happens after a power cut, or on a full or failing disk. The engine refuses the file or
    panics, and the stack below the panic shows which file it was reading. Each start ends the same
    way. A containerd without its record is loaded only in part: the engine then answers, and can
    start nothing (seen on 28.5). Damage to the record of networks that the engine names itself is
    daemon.bridge-init-failed. A build cache that newer engines reset by themselves is not a
    finding.
    """
    damaged = databases.damaged
    if damaged is None or NETWORK.search(damaged.line.text):
        return None
    program = (
        "containerd" if not damaged.path or _contents(damaged.path) == CONTAINERDS else "dockerd"
    )
    contents = _contents(damaged.path).replace("containerd's", "its") if damaged.path else ""
    name = f"{contents}, {damaged.path}" if damaged.path else "a database file"
    verb = "panics when it reads" if damaged.is_panic else "cannot read"
    effect = "nothing can be started" if daemon.answers else "the engine cannot start"
    evidence: dict[str, Json] = {
        f"{databases.log_source} {damaged.line.place}".strip(): shortened(damaged.line.text)
    }
    caller = _caller(damaged)
    if caller:
        evidence["called by"] = caller
    if damaged.path:
        evidence["damaged file"] = f"{damaged.path}: {_contents(damaged.path)}"
    yield Finding(
        subject=DAEMON,
        summary=f"{effect}: {program} {verb} {name}",
        evidence=evidence,
        variables=_variables(damaged.path, program),
        onset=damaged.line.at,
    )


def _variables(path: str, program: str) -> PageVariables:
    """The page variable that selects a block of the page, by the database.

    A record that is rebuilt by itself, or one whose loss costs something.
    """
    if not path:
        return {}
    if path.endswith(f"/{VOLUMES}"):
        return {"rebuilt": path}
    if any(path.endswith(f"/{file}") for file in BUILDS):
        return {"build_cache": path}
    return {"containerds" if program == "containerd" else "networks": path}


def _caller(damaged: DamagedDatabase) -> str:
    """The innermost function of the stack outside of bbolt and the runtime."""
    frames = damaged.line.fields.get("stack", "").split()
    return next(
        (frame for frame in frames if "bbolt" not in frame and not frame.startswith("sync.")), ""
    )


@check("daemon.database-locked", severity=Severity.critical, caused_by=[])
def database_locked(daemon: Daemon, databases: EngineDatabases) -> CheckResult:
    """Another process holds a database file of the engine locked.

    It may be a second or an earlier dockerd on the same data root, a containerd that was left
    behind, a backup, or a program that opened the file to read it. The engine waits for the lock
    without a message, or gives up with "timeout".
    """
    if daemon.reason == "forbidden" and not daemon.is_down:
        return Unavailable("forbidden", "the socket is closed to this user")
    if not daemon.is_down and not daemon.is_hung:
        return None
    names = {lock.pid: lock.comm for lock in databases.locked}
    for pid, paths in by_key((lock.pid, lock.path) for lock in databases.locked).items():
        holder = f"process {pid} ({names[pid]})" if names[pid] else f"process {pid}"
        yield Finding(
            subject=DAEMON,
            summary=f"{holder} holds {paths[0]} locked: the engine cannot open {_contents(paths[0])}",
            evidence={"/proc/locks": f"FLOCK WRITE {pid}", "locked": paths},
            variables={"pid": str(pid), "path": paths[0]},
            discriminator=str(pid),
        )
