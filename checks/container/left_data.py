"""container.data-left-behind: a container was recreated, and began with an empty volume."""

from __future__ import annotations

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.left_volumes import LeftVolumes
from diagnose.model import CheckResult, Finding, Severity, Subject
from diagnose.phrases import ago, and_more
from diagnose.registry import check

NAMES_SHOWN = 3


@check("container.data-left-behind", severity=Severity.warning)
def data_left_behind(left: LeftVolumes, clock: Clock) -> CheckResult:
    """A recreated container does not use the volume that has its data.

    An image declares a volume, and nobody gives it a name: each `docker run`, and each `docker
    compose up` after a `down`, makes a new one. The program finds nothing, and starts from the
    beginning. The former volume is recognised by the same entries at its top, and by its last
    change, which is at most ten minutes before the container was created.
    """
    for item in left.items:
        container, destination = item.container, item.mount.destination
        age = clock.age(container.created_at) or 0.0
        yield Finding.about(
            container,
            f"{container} started with new data in {destination} {ago(age)} ago: its previous data "
            f"may be in the unused anonymous volume {item.former[:12]}",
            {
                "volume now": item.mount.name[:12],
                f"volume {item.former[:12]}": (
                    f"last changed {ago(item.gap)} before the container was created"
                ),
                "entries in both": and_more(item.entries, NAMES_SHOWN),
            },
            discriminator=destination,
            touches=(Subject("volume", item.former),),
            former=item.former,
            destination=destination,
            bound=f"{item.former}:{destination}",
        )
    return None
