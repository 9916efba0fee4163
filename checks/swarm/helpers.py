"""What the checks of swarm share."""

from __future__ import annotations

from collections.abc import Sequence

from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Subject

NOT_USED = "this engine is in no swarm"
NO_MANAGER = "this node is no manager: only managers know"
"""Why a check does not apply."""

TASK_CAUSES = (
    "container.entrypoint-forbidden",
    "container.entrypoint-missing",
    "container.exec-format",
    "container.interpreter-missing",
    "container.mount-source-missing",
    "container.oom-killed",
    "container.restart-loop",
    "container.runtime-limit-hit",
    "container.start-refused",
    "image.pull-denied",
    "image.pull-no-space",
    "image.pull-rate-limited",
    "image.platform-mismatch",
    "image.registry-tls",
    "image.registry-unreachable",
)
"""What keeps a task from running on this node."""


_NO_IMAGE = LazyPattern(r"No such image: (?P<image>\S+)")


def missing_image(errors: Sequence[str]) -> tuple[Subject, ...]:
    """The image that a node did not have and could not pull."""
    matches = [match for error in errors[:1] if (match := _NO_IMAGE.search(error))]
    return tuple(Subject("image", match["image"].partition("@")[0]) for match in matches)
