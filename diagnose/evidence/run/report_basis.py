"""What every report needs of a host, whatever checks are run."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.run.report_header import ReportHeader
from diagnose.evidence.run.topology import Topology
from diagnose.model import EngineRestart, ReportBasis, Unavailable
from diagnose.registry import evidence


@evidence
def report_basis(
    header: ReportHeader | Unavailable,
    topology: Topology | Unavailable,
    containers: Containers | Unavailable,
    info: Info | Unavailable,
) -> ReportBasis:
    """As much as is known."""
    silent = ReportBasis()
    readable_header = header if isinstance(header, ReportHeader) else None
    listed = tuple(containers) if isinstance(containers, Containers) else None
    present = listed or ()
    return ReportBasis(
        head=readable_header.head if readable_header else silent.head,
        now=readable_header.now if readable_header else silent.now,
        docker=readable_header.docker if readable_header else silent.docker,
        traits=readable_header.traits if readable_header else silent.traits,
        notes=readable_header.notes if readable_header else silent.notes,
        hint=readable_header.hint if readable_header else silent.hint,
        stands_on=topology.stands_on if isinstance(topology, Topology) else silent.stands_on,
        names=None if listed is None else {container.id: container.name for container in listed},
        labels={container.name: container.labels for container in present},
        made_by={container.subject: container.made_by for container in present},
        engine_restart=_engine_restart(containers, info),
    )


def _engine_restart(
    containers: Containers | Unavailable, info: Info | Unavailable
) -> EngineRestart | None:
    if isinstance(containers, Unavailable) or isinstance(info, Unavailable):
        return None
    without_policy = [
        container.name for container in containers.running if not container.restarts_always
    ]
    return EngineRestart(
        info.live_restore_enabled, len(containers.running), tuple(sorted(without_policy))
    )
