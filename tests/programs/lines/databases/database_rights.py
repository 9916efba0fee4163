"""Lines of real logs for the rows of `diagnose/programs/failures/databases/database_rights.py`."""

from __future__ import annotations

LINES = {
    "schema-unselected": (
        "** (Postgrex.Error) ERROR 3F000 (invalid_schema_name) no schema has been selected to create in"
    ),
    "account-closed": (
        'psql: error: connection to server at "db" (172.18.0.2), port 5432 failed: FATAL:  role "shop" '
        "is not permitted to log in"
    ),
    "database-closed-to-user": (
        "ERROR 1044 (42000): Access denied for user 'shop'@'%' to database 'ledger'"
    ),
    "database-right-missing": "ERROR:  permission denied for schema public",
    "redis-right-missing": (
        "ReplyError: NOPERM User shop has no permissions to run the 'set' command"
    ),
}
