"""The functions that the checks of swarm share."""

from collections.abc import Sequence

from diagnose.evidence.swarm.swarm import Swarm
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables, Skipped, Subject, Unavailable

NOT_USED = "this engine is in no swarm"
NO_MANAGER = "this node is not a manager: only managers know"
"""The reason why a check does not apply."""


def reason_without_services(swarm: Swarm) -> Skipped | Unavailable | None:
    """The reason why there are no services to judge here; None if there may be some."""
    if not swarm.is_used:
        return Skipped(NOT_USED)
    if not swarm.manager:
        return Skipped(NO_MANAGER)
    return swarm.services if isinstance(swarm.services, Unavailable) else None


TASK_CAUSES = (
    "container.crashed",
    "container.data-locked",
    "container.database-refused",
    "container.entrypoint-forbidden",
    "container.entrypoint-missing",
    "container.exec-format",
    "container.exits-at-start",
    "container.files-lost",
    "container.interpreter-missing",
    "container.mount-source-missing",
    "container.oom-killed",
    "container.option-missing",
    "container.restart-loop",
    "container.runtime-limit-hit",
    "container.settings-disagree",
    "container.start-refused",
    "container.variable-malformed",
    "container.variable-missing",
    "image.platform-mismatch",
    "image.pull-denied",
    "image.pull-no-space",
    "image.pull-rate-limited",
    "image.registry-tls",
    "image.registry-unreachable",
    "network.port-allocated",
    "network.port-held-by-process",
)
"""Checks of faults that keep a task from running on this node."""

_NO_IMAGE = LazyPattern(r"No such image: (?P<image>\S+)")


def missing_image(errors: Sequence[str]) -> tuple[Subject, ...]:
    """The image that a node did not have and could not pull."""
    matches = list(filter(None, map(_NO_IMAGE.search, errors[:1])))
    return tuple(Subject("image", match["image"].partition("@")[0]) for match in matches)


_ENDED = "non-zero exit"
"""swarm's messages about a task whose program ran and failed."""


def ending_or_stalled(service: str, errors: Sequence[str]) -> PageVariables:
    """The page variable of the service by the state of its newest tasks: they ran and ended, or did
    not run."""
    return {"ending" if errors and _ENDED in errors[0] else "stalled": service}
