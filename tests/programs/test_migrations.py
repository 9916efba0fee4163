"""Which command brings a program's database to its code."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.programs.migrations import migration_of

LOGS = {
    "Django": (
        (
            "You have 3 unapplied migration(s). Your project may not work properly.",
            "Run 'python manage.py migrate' to apply them.",
        ),
        "python manage.py migrate",
    ),
    "Rails": (
        ("ActiveRecord::PendingMigrationError: Migrations are pending.",),
        "bin/rails db:migrate",
    ),
    "Laravel": (
        (
            (
                "production.ERROR: SQLSTATE[42S02]: Base table or view not found: 1146 Table "
                "'shop.sessions' doesn't exist (SQL: select * from sessions)"
            ),
        ),
        "php artisan migrate --force",
    ),
    "Prisma": (
        (
            "Invalid `prisma.user.findFirst()` invocation:",
            "The table `public.User` does not exist in the current database.",
        ),
        "npx prisma migrate deploy",
    ),
    "Kong": (
        (
            (
                "[error] init_by_lua error: [postgres error] the current database schema does not match "
                "this version of Kong. Please run `kong migrations up` to update/initialize the database "
                "schema. Nodes running migrations concurrently might corrupt your database schema!"
            ),
        ),
        "kong migrations up",
    ),
    "Kong, at first": (
        ("Error: database needs bootstrapping; run 'kong migrations bootstrap'",),
        "kong migrations bootstrap",
    ),
    "a program that is not known": (('ERROR: relation "orders" does not exist',), ""),
    "a program that is well": (("INFO prisma migrate deploy: no pending migrations",), ""),
}


@pytest.mark.parametrize(("lines", "command"), LOGS.values(), ids=LOGS)
def test_the_command(lines: tuple[str, ...], command: str) -> None:
    assert migration_of(LogTail(lines).failure, lines) == command
