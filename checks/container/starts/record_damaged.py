"""container.record-damaged: containers that the engine cannot load."""

import posixpath

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.data.covered_records import CoveredRecords
from diagnose.evidence.engine.data.hidden_containers import (
    DamagedRecord,
    HiddenContainers,
    layer_records,
)
from diagnose.evidence.engine.info import Info
from diagnose.mappings import present
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped
from diagnose.model import container as container_subject
from diagnose.phrases import and_more
from diagnose.registry import check

MOUNTS_SHOWN = 5


@check("container.record-damaged", severity=Severity.critical)
def record_damaged(
    hidden: HiddenContainers, info: Info, daemon: Daemon, covered: CoveredRecords | None
) -> CheckResult:
    """A container is missing since the engine's start: its record is damaged.

    A power cut or a full disk leaves config.v2.json or hostconfig.json empty or torn. The engine
    skips such a container at its start, with one line in its log, and shows nothing of it. It does
    the same where the record of the container's layer is gone. Its volumes and what it wrote are
    still there.
    """
    if daemon.is_podman:
        return Skipped("Podman keeps its containers differently")
    is_hidden = bool(covered)
    for record in hidden.damaged:
        if record.is_gone and is_hidden:
            continue  # daemon.data-root-covered finds them together
        yield _finding(record, info, hidden.folder)


def _finding(record: DamagedRecord, info: Info, folder: str) -> Finding:
    known_as = record.name or record.id[:12]
    mounts = f"; mounted in it: {and_more(record.mounts, MOUNTS_SHOWN)}" if record.mounts else ""
    layer = f"{layer_records(info)}/{record.id}"
    return Finding(
        subject=container_subject(known_as),
        summary=(
            f'the engine does not show container "{known_as}": {_damage(record)}, '
            f"as after a power cut or on a full disk{mounts}"
        ),
        evidence={
            record.file: _state(record),
            **present({"Binds and Mounts": list(record.mounts)}),
        },
        variables=present(
            {"folder": f"{folder}/{record.id}", "layer": "" if record.is_gone else layer}
        ),
        touches=(DAEMON,),
    )


def _damage(record: DamagedRecord) -> str:
    if record.is_gone:
        return "the record of its layer is gone"
    name = posixpath.basename(record.file)
    return f"its record {name} is empty" if record.is_empty else f"its record {name} holds no JSON"


def _state(record: DamagedRecord) -> str:
    """The state of the damaged file, as evidence says it."""
    if record.is_gone:
        return "no such folder"
    return "0 bytes" if record.is_empty else "no JSON object"
