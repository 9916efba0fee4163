"""Variables with the number of a user that an image does not know, beside the one that it knows.

Images of linuxserver.io read PUID, those of jlesage USER_ID, others UID. A container that gets
another one runs as the image's own user, and its files belong to that one.
"""

from collections.abc import Iterable, Iterator

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.items import Items
from diagnose.evidence.machine.processes import Processes
from diagnose.mappings import assignments, known
from diagnose.model import Failed
from diagnose.numbers import is_number
from diagnose.questions import Host
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence
from diagnose.word_sets import vocabulary

MOST = 20
"""Containers whose images are asked for their variables."""
_USERS = vocabulary(
    "APP_UID APP_USER_ID HOST_UID LOCAL_UID LOCAL_USER_ID NB_UID PUID RUN_UID UID USERID USERMAP_UID"
    " USER_ID USER_UID"
)
_OF_BUILD = "APP_UID"
"""The user that Microsoft's images make in their build: nothing reads it when they start."""
_ROOT = 0


class OtherUserVariable(msgspec.Struct, frozen=True):
    """A number of a user under a name that the image does not know."""

    container: Container
    variable: str
    value: str
    meant: str
    """The variable of the image."""
    default: str
    """The image's own value of it."""


class OtherUserVariables(Items[OtherUserVariable], frozen=True):
    """At most one for each container."""


@evidence
def other_user_variables(
    host: Host, containers: Containers, processes: Processes
) -> OtherUserVariables:
    """The numbers of users that no process of their container has.

    The image of each container with such a variable is asked for its own.
    """
    candidates = [
        container
        for container in containers.running
        if len(_numbers(container.config.environment)) > 1
    ]
    variables = (
        next(_other_variables(host, container, processes), None)
        for container in host.first(candidates, MOST, "containers with the number of a user")
    )
    return OtherUserVariables(known(variables))


def _numbers(environment: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The variables that name a user by its number."""
    return {
        name: value
        for name, value in environment
        if name in _USERS and is_number(value) and int(value) != _ROOT
    }


def _other_variables(
    host: Host, container: Container, processes: Processes
) -> Iterator[OtherUserVariable]:
    """The numbers that nobody in the container runs as, beside one that its image brings."""
    image = host.ask(InspectImage(container.image))
    if isinstance(image, Failed):
        return
    own = _numbers(assignments(image.env).items())
    own.pop(_OF_BUILD, None)
    running_as = {process.uid for process in processes.inside(container.id)}
    for name, value in _numbers(container.config.environment).items():
        if name in own or int(value) in running_as:
            continue
        for meant, default in own.items():
            is_unset = container.config.value_of(meant) == default != value
            # users are mapped to other numbers where neither runs
            if is_unset and running_as & {_ROOT, int(default)}:
                yield OtherUserVariable(container, name, value, meant, default)
