"""Lines of real logs for the rows of `diagnose/programs/failures/databases/schema_changes.py`."""

from __future__ import annotations

LINES = {
    "flyway-checksum": "Migration checksum mismatch for migration version 3",
    "liquibase-checksum": "1 changesets check sum",
    "django-history": "django.db.migrations.exceptions.InconsistentMigrationHistory: Migration admin.0001_initial is applied before its dependency users.0001_initial on database 'default'.",
    "alembic-heads": "FAILED: Multiple head revisions are present for given argument 'head'; please specify a specific target revision",
    "server-tables-older": "[ERROR] Incorrect definition of table mysql.column_stats: expected column 'histogram' at position 10 to have type longblob, found type varbinary(255).",
    "sqlx-changed": "called `Result::unwrap()` on an `Err` value: VersionMismatch(20240101120000)",
}
