"""Migrations of a database that were broken off: what they have left is in the way of the next."""

from diagnose.programs.failures.databases.locks import FREE_LIQUIBASE
from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import Unlocked

_BROKEN_OFF = (
    "a migration of the database was broken off, as by a kill or a restart, and its lock is left in "
    "the database"
)
_FREE_GHOST = "UPDATE migrations_lock SET locked=0"
_FREE_KNEX = "UPDATE knex_migrations_lock SET is_locked=0"

LOCKED_MIGRATIONS = (
    Failure(
        name="migration-dirty",
        mark="dirty database",
        pattern=r"dirty database version (?P<version>\d+)",
        cause="migration {version} of the database was broken off, as by a kill or a restart, "
        "and may have been done in part",
        cure="undo by hand what migration {version} has done, and set the version before it: "
        "migrate force, or the table schema_migrations",
        source="golang-migrate's own message",
        look="database",
    ),
    Failure(
        name="migration-locked",
        mark="lock",
        pattern=r"not acquire change ?log lock|\bDatabase has migration lock\b",
        cause=f"{_BROKEN_OFF} (Liquibase)",
        cure="make sure that no migration runs, then free the lock in the database: "
        f"{FREE_LIQUIBASE}",
        source="Liquibase's own message",
        remedy=Unlocked(FREE_LIQUIBASE),
    ),
    Failure(
        name="migration-locked-ghost",
        mark="",
        pattern=r"migrationsarelocked|migration lock was never released",
        cause=f"{_BROKEN_OFF} (Ghost)",
        cure=f"make sure that no migration runs, then free the lock in the database: {_FREE_GHOST}",
        source="Ghost's own message",
        remedy=Unlocked(_FREE_GHOST),
    ),
    Failure(
        name="migration-locked-knex",
        mark="lock",
        pattern=r"migration table is already locked|can't take lock to run migrations"
        r"|\bMigrationLocked\b",
        cause=f"{_BROKEN_OFF} (Knex)",
        cure=f"make sure that no migration runs, then free the lock in the database: {_FREE_KNEX}",
        source="Knex' own message",
        remedy=Unlocked(_FREE_KNEX),
    ),
    Failure(
        name="migration-locked-other",
        mark="lock",
        pattern=r"\bmigrations?\b[^.\n]{0,80}\b(?:already|is|are|still) locked\b"
        r"|\block\b[^.\n]{0,40}\bmigrations?\b[^.\n]{0,40}\b(?:held|never released|not released)\b",
        cause=_BROKEN_OFF,
        cure="make sure that no migration runs, then free the lock in the table that the program "
        "keeps for its migrations",
        source="ALLTERCO/fleet-management#16",
        explains_only=True,
        look="database",
    ),
)
"""Before the families of data, whose words about locks are wider."""
