"""The numbers of the users that containers name, as their own `/etc/passwd` has them."""

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.machine.passwd import USERS_FILE, user_entries
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.registry import evidence

MOST = 20
"""Images whose file of users is read, those of failed containers first."""
BYTES = 64 * 1024


class UserNumbers(msgspec.Struct, frozen=True):
    """User and group by container id, as `1000:1000`, of containers whose user is a name."""

    by_id: dict[str, str] = {}

    def of(self, container: Container) -> str:
        """The user as the engine takes it: with the number of a name that is known."""
        return self.by_id.get(container.id, container.config.user)


def user_of(container: Container, numbers: UserNumbers | None) -> str:
    """The container's user by number, as the engine takes it; unchanged where no file was read."""
    return numbers.of(container) if numbers is not None else container.config.user


@evidence
def user_numbers(host: Host, containers: Containers) -> UserNumbers:
    """The numbers of users that images name, for containers with mounts and failed ones.

    Each image with a named user has one file read. The engine reads it, and the container need not
    run.
    """
    by_image: dict[tuple[str, str], list[Container]] = {}
    with_named_user = [container for container in containers if _is_named(container)]
    for container in sorted(with_named_user, key=lambda container: container.is_running):
        by_image.setdefault((container.image, container.config.user), []).append(container)
    first = [
        same[0] for same in host.first(list(by_image.values()), MOST, "images with a named user")
    ]
    numbers: dict[str, str] = {}
    answers = host.ask_about(
        first, lambda container: ReadContainerFile(container.id, USERS_FILE, bytes=BYTES)
    )
    for container, answer in answers:
        if isinstance(answer, Failed):
            continue
        number = _number(container.config.user, answer.text)
        if number:
            same = by_image[container.image, container.config.user]
            numbers |= dict.fromkeys((other.id for other in same), number)
    return UserNumbers(numbers)


def _is_named(container: Container) -> bool:
    user = container.config.user.partition(":")[0]
    is_name = user not in ("", "root") and not user.isdigit()
    has_mount = any(mount.has_host_path for mount in container.mounts)
    return is_name and (has_mount or not container.is_running)


def _number(user: str, users: str) -> str:
    """The user's number, and that of its group; "" where the file has no such user.

    A group that is given by name stays unchanged.
    """
    name, _, group = user.partition(":")
    entry = next((entry for entry in user_entries(users) if entry.name == name), None)
    return f"{entry.uid}:{group or entry.gid}" if entry is not None else ""
