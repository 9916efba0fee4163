"""The users that images name, of containers that are refused because a user does not exist."""

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.items import ByContainer
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

NO_USER = "unable to find user "
"""The engine's error about a name that the image's /etc/passwd does not have."""


class ImageUsers(ByContainer[str], frozen=True):
    """The user of the image's own configuration (`USER`), by container id."""


@evidence
def image_users(host: Host, containers: Containers) -> ImageUsers:
    """The images' own users. Each of these images takes one question."""
    users: dict[str, str] = {}
    for container in containers:
        if not container.image or NO_USER not in container.state.error:
            continue
        detail = host.ask(InspectImage(container.image))
        if not isinstance(detail, Failed) and detail.config is not None and detail.config.user:
            users[container.id] = detail.config.user
    return ImageUsers(users)
