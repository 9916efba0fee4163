"""Lines of `environment` in a compose file that look like mounts.

    environment:
      - /srv/backrest/data:/data

Compose takes such a line for the name of a variable, finds no value for it, and leaves it out.
"""

from collections.abc import Mapping

from diagnose.evidence.containers.compose.written_projects import WrittenProjects
from diagnose.evidence.items import ByContainer
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence

_LOOKS_LIKE_A_MOUNT = LazyPattern(r"(?:~|\.{1,2})?/[^:=]{0,300}:/[^=]{0,300}")


class MountsAmongVariables(ByContainer[tuple[str, ...]], frozen=True):
    """The lines, as they are written; none for most containers."""


@evidence
def mounts_among_variables(written_projects: WrittenProjects) -> MountsAmongVariables:
    """By the names in the files of projects alone."""
    found: Mapping[str, tuple[str, ...]] = {
        container.id: lines
        for project in written_projects
        for container in project.containers
        if (service := project.of(container)) is not None
        and (lines := tuple(filter(_LOOKS_LIKE_A_MOUNT.fullmatch, service.variables)))
    }
    return MountsAmongVariables(found)
