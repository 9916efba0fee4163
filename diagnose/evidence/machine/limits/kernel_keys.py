"""The kernel's quotas of keys: each container takes a session key of its user."""

import re

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

KEY_USERS = "/proc/key-users"
REFUSED = "session key: disk quota exceeded"
"""The runtime's error, without which nothing is read."""
NEARLY = 0.97
_LINE = LazyPattern(
    r"^[ \t]*(?P<uid>\d+):\s+\d+ \d+/\d+ (?P<keys>\d+)/(?P<max_keys>\d+) "
    r"(?P<bytes>\d+)/(?P<max_bytes>\d+)",
    re.MULTILINE,
)
"""keyrings(7): usage, keys, keys of the quota, bytes of the quota."""


class KeyQuota(msgspec.Struct, frozen=True):
    """The quota of one user of the host, in keys and bytes."""

    uid: int
    keys: int
    max_keys: int
    bytes: int
    max_bytes: int

    @property
    def is_used_up(self) -> bool:
        return self.keys >= NEARLY * self.max_keys or self.bytes >= NEARLY * self.max_bytes


class KernelKeys(msgspec.Struct, frozen=True):
    """The quotas that are used up; empty where no container was refused a key."""

    used_up: tuple[KeyQuota, ...] = ()


def lacks_keys(container: Container) -> bool:
    """Whether the last probe of its health was refused a key."""
    health = container.state.health
    last = health.log[-1] if container.is_running and health is not None and health.log else None
    return last is not None and REFUSED in (last.output or "")


@evidence
def kernel_keys(host: Host, containers: Containers) -> KernelKeys | Unavailable:
    """The used key quotas of /proc/key-users, read only where the runtime was refused a key."""
    if not any(
        REFUSED in container.state.error or lacks_keys(container) for container in containers
    ):
        return KernelKeys()
    answer = host.require(ReadFile(KEY_USERS))
    return KernelKeys(tuple(quota for quota in parse_quotas(answer.text) if quota.is_used_up))


def parse_quotas(text: str) -> tuple[KeyQuota, ...]:
    """The lines of /proc/key-users."""
    return tuple(
        KeyQuota(
            int(line["uid"]),
            int(line["keys"]),
            int(line["max_keys"]),
            int(line["bytes"]),
            int(line["max_bytes"]),
        )
        for line in _LINE.finditer(text)
    )
