"""Facts of a host that every report needs, for any choice of checks."""

from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info
from diagnose.evidence.run.report_header import ReportHeader
from diagnose.evidence.run.topology import Topology
from diagnose.model import EngineRestart, ReportBasis, Subject, Unavailable
from diagnose.registry import evidence

FORGOTTEN_S = 7 * 86_400.0
"""Seconds within which the owner of a container that did not start has recreated it."""
_FIRST_ENGINE = 1_363_737_600.0
"""20 March 2013. A container from before was created while the clock was wrong, so its age is
unknown."""


@evidence
def report_basis(
    header: ReportHeader | Unavailable,
    topology: Topology | Unavailable,
    containers: Containers | Unavailable,
    info: Info | Unavailable,
) -> ReportBasis:
    """The facts for a report, as far as known."""
    basis = ReportBasis(engine_restart=_engine_restart(containers, info))
    if isinstance(header, ReportHeader):
        basis = replace(
            basis,
            head=header.head,
            now=header.now,
            docker=header.docker,
            traits=header.traits,
            notes=header.notes,
            hint=header.hint,
        )
    if isinstance(topology, Topology):
        basis = replace(basis, stands_on=topology.stands_on)
    if isinstance(containers, Containers):
        basis = replace(
            basis,
            names={container.id: container.name for container in containers},
            labels={container.name: container.labels for container in containers},
            made_by={container.subject: container.made_by for container in containers},
            leftovers=_leftovers(containers, basis.now),
            restarting=_restarting_names(containers),
        )
    return basis


def _restarting_names(containers: Containers) -> frozenset[str]:
    """The names of the containers that the engine restarts after a while."""
    return frozenset(
        container.name for container in containers if container.state.status == "restarting"
    )


def _leftovers(containers: Containers, now: float) -> frozenset[Subject]:
    """The containers that were created long ago and never started, without a restart policy.

    A restart policy shows that its author wants the container to run, whenever that was.
    """
    return frozenset(container.subject for container in containers if _is_left_over(container, now))


def _is_left_over(container: Container, now: float) -> bool:
    """Whether a container was created long ago, and nothing has ever started it."""
    created = container.created_at
    if created is None or not _FIRST_ENGINE < created < now - FORGOTTEN_S:
        return False
    is_to_run = bool(container.service) or container.restarts_always
    return container.never_ran and not is_to_run


def _engine_restart(
    containers: Containers | Unavailable, info: Info | Unavailable
) -> EngineRestart | None:
    """The effects of an engine restart on containers; None where the containers are not known."""
    if isinstance(containers, Unavailable) or isinstance(info, Unavailable):
        return None
    without_policy = [
        container.name for container in containers.running if not container.restarts_always
    ]
    return EngineRestart(
        info.live_restore_enabled, len(containers.running), tuple(sorted(without_policy))
    )
