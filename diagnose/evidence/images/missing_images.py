"""Images that compose files ask for and this host does not have."""

import msgspec

from diagnose.evidence.containers.compose.unstarted_projects import UnstartedProjects
from diagnose.evidence.images.listing import Images, normal, registry_of
from diagnose.evidence.images.pulls.pulls import PullTrouble
from diagnose.evidence.items import Items
from diagnose.questions.compose import WrittenService
from diagnose.registry import evidence

_MOVED = {"docker.io/bitnami/": "bitnamilegacy/"}
"""Repositories whose publisher has moved its older tags: by the beginning of the name in full.
Bitnami did so in August 2025 (github.com/bitnami/containers/issues/83267)."""


class MissingImage(msgspec.Struct, frozen=True):
    """An image that a service of a compose file needs."""

    image: str
    """As the file writes it."""
    service: str
    path: str
    """The compose file."""
    changed: float = 0.0
    """Unix time of the file's last change."""
    is_wanted: bool = False
    """Whether the tool was called in its folder, or compose has made a network for it."""

    def was_pulled_at(self, time: float) -> bool:
        """Whether somebody who works on the file may have pulled the image at a time."""
        return self.is_wanted or self.changed <= time <= self.changed + _AT_WORK_S

    @property
    def registry(self) -> str:
        """The registry of the image; docker.io for the Hub."""
        return registry_of(self.image)

    @property
    def moved_to(self) -> str:
        """The name under which its publisher keeps older tags; "" where that is not known."""
        full = normal(self.image)
        for old, new in _MOVED.items():
            if full.startswith(old):
                return full.replace(old, new, 1)
        return ""


_AT_WORK_S = 3600.0
"""So long after its last change somebody still tries to start a new file."""
MOST_SUSPECTS = 3
"""Of more missing images none is likelier than the others to be the one that was refused."""


class MissingImages(Items[MissingImage], frozen=True):
    """The newest compose file first."""

    def suspects(self, trouble: PullTrouble) -> tuple[MissingImage, ...]:
        """The images that a failed pull may have been for, where the engine's log names none."""
        if trouble.image or trouble.of_swarm:
            return ()
        pulled = [missing for missing in self.items if missing.was_pulled_at(trouble.last)]
        matching = [missing for missing in pulled if trouble.registry in ("", missing.registry)]
        return tuple(matching) if len(matching) <= MOST_SUSPECTS else ()


@evidence
def missing_images(unstarted: UnstartedProjects, images: Images) -> MissingImages:
    """Images of projects of which nothing was started.

    Without those that compose builds, and those whose name has a variable.
    """
    return MissingImages(
        tuple(
            MissingImage(
                service.image,
                service.name,
                project.path,
                changed=project.changed,
                is_wanted=project.is_here or bool(project.network),
            )
            for project in unstarted
            for service in project.written.services
            if _is_pulled(service) and not images.has(service.image)
        )
    )


def _is_pulled(service: WrittenService) -> bool:
    """Whether compose pulls the image of a service, by a name that is known."""
    is_known = bool(service.image) and "$" not in service.image
    return is_known and not service.builds and not service.profiles
