"""Lines of `environment` in a compose file that look like mounts.

    environment:
      - /srv/backrest/data:/data

Compose takes such a line for the name of a variable, finds no value for it, and leaves it out.
"""

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
    lines_by_id: dict[str, tuple[str, ...]] = {}
    for project in written_projects:
        for container in project.containers:
            service = project.of(container)
            variables = service.variables if service is not None else ()
            lines = tuple(filter(_LOOKS_LIKE_A_MOUNT.fullmatch, variables))
            if lines:
                lines_by_id[container.id] = lines
    return MountsAmongVariables(lines_by_id)
