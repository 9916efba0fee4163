"""The mount at which the runtime refused a start, by its own error. Pure."""

import re

import msgspec

from diagnose.evidence.containers.container import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions.files import PathStatus

_MOUNTING = LazyPattern(
    r'mounting "(?P<source>[^"]+)" to rootfs (?:"[^"]{1,300}" )?'
    r'at "(?:/[^"]{1,300}/merged(?=/))?(?P<target>[^"]+)"'
)
"""The runtime's error about a mount that it could not create; before runc 1.0 the target is a path
of the host."""


class RefusedMount(msgspec.Struct, frozen=True):
    """A mount that the runtime could not create."""

    source: str
    target: str
    error: str

    @property
    def kinds_differ(self) -> bool:
        """Whether one of source and target is a file, and the other one a folder."""
        return "not a directory" in self.error

    @property
    def is_about_paths(self) -> bool:
        """Whether source or target is missing, or of the wrong kind."""
        return self.kinds_differ or "no such file" in self.error

    @property
    def missed_source(self) -> bool:
        """Whether the source did not exist at the start. The runtime looks at it before it mounts
        it, and says so in these words (runc 1.0 to 1.3)."""
        return f"stat {self.source}: no such file or directory" in self.error

    def is_for_source(self, status: PathStatus | None) -> bool:
        """Whether the source did not exist at the start, or does not exist now; status: of the
        source now."""
        is_gone = status is not None and status.failed == "missing"
        return self.missed_source or (is_gone and "no such file" in self.error)


def refused_mount(container: Container) -> RefusedMount | None:
    """The mount of the runtime's error; None where the start failed for another reason."""
    if not container.start_failed:
        return None
    match: re.Match[str] | None = _MOUNTING.search(container.state.error)
    if match is None:
        return None
    return RefusedMount(match["source"], match["target"], container.state.error)
