"""container.record-damaged: containers that the engine cannot load."""

from __future__ import annotations

from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.hidden_containers import HiddenContainers
from diagnose.evidence.engine.info import Info
from diagnose.mappings import present
from diagnose.model import DAEMON, CheckResult, Finding, Severity, Skipped
from diagnose.model import container as container_subject
from diagnose.phrases import and_more
from diagnose.registry import check

MOUNTS_SHOWN = 5


@check("container.record-damaged", severity=Severity.critical)
def record_damaged(hidden: HiddenContainers, info: Info, daemon: Daemon) -> CheckResult:
    """A container is missing since the engine's start: its record is damaged.

    A power cut or a full disk leaves config.v2.json or hostconfig.json empty or torn. The engine
    skips such a container at its start, with one line in its log, and shows nothing of it. Its
    volumes and what it wrote are still there.
    """
    if daemon.is_podman:
        return Skipped("Podman keeps its containers otherwise")
    for record in hidden.damaged:
        folder, _, file = record.file.rpartition("/")
        known_as = record.name or record.id[:12]
        state = "is empty" if record.is_empty else "holds no JSON"
        mounts = f"; it used {and_more(record.mounts, MOUNTS_SHOWN)}" if record.mounts else ""
        yield Finding(
            subject=container_subject(known_as),
            summary=(
                f'the engine does not show container "{known_as}": its record {file} {state}, '
                f"as after a power cut or on a full disk{mounts}"
            ),
            evidence={
                record.file: "0 bytes" if record.is_empty else "no JSON object",
                **present({"Binds and Mounts": list(record.mounts)}),
            },
            variables={
                "folder": folder,
                "layer": f"{info.docker_root_dir}/image/{info.driver}/layerdb/mounts/{record.id}",
            },
            touches=(DAEMON,),
        )
    return None
