"""The container that should migrate another one's database, and fails. Pure."""

import re

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.phrases import shortened
from diagnose.programs.failures import Recognised
from diagnose.programs.migrations import WAITING

SHOWN = 160
"""Characters of its line in a sentence."""
_MIGRATES = LazyPattern(
    r"migrat|bootstrap|\bupgrade\b|\binit(?:db)?\b|[-_ :]init\b|\bsetup\b|\bdb:\w", re.IGNORECASE
)
"""Names of migrating containers: db:migrate, kong migrations bootstrap, airflow-init."""


class FailedMigrator(msgspec.Struct, frozen=True):
    """A container of the same project and image that fails at the database's migration."""

    container: Container
    line: str
    """The line of its log that explains; "" where none does."""

    @property
    def clause(self) -> str:
        """The container that should migrate the database, and its failure."""
        why = f": {shortened(self.line, SHOWN)}" if self.line else ""
        return f"{self.container}, which should migrate its database, fails{why}"

    @property
    def evidence(self) -> dict[str, str]:
        return {f"log of {self.container.name}": self.line} if self.line else {}


def failed_migrator(
    container: Container,
    failure: Recognised | None,
    containers: Containers,
    log_tails: LogTails | None,
) -> FailedMigrator | None:
    """The only container that should bring the database to the version for which this one waits."""
    if failure is None or failure.name not in WAITING or not container.compose_project:
        return None
    migrator = only([other for other in containers if _migrates_for(container, other)])
    if migrator is None:
        return None
    telling = log_tails.of(migrator).telling if log_tails is not None else None
    return FailedMigrator(migrator, telling.whole if telling and telling.explains else "")


def _migrates_for(container: Container, other: Container) -> bool:
    """Whether another container of the project and image is called for a migration, and failed."""
    is_alike = (
        other.id != container.id
        and other.shares_project(container)
        and other.config.image == container.config.image
    )
    if not is_alike or other.state.status == "running" or not other.state.exit_code:
        return False
    return _MIGRATES.search(" ".join((other.compose_service, *other.command))) is not None
