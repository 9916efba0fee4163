"""The command that brings a program's database to the version that its code needs.

Programs ask for it in their own words; the command is that of the framework's documentation, and
never taken from the log: of that only a name is filled in.
"""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures import Recognised

WAITING = frozenset(
    {"airflow-database", "data-older", "odoo-database", "prisma-pending", "table-missing"}
)
"""Failures that a migration heals."""

COMMANDS = (
    (
        LazyPattern(r"you can force it with `-i base`"),
        "/entrypoint.sh odoo --database={database} --init=base --stop-after-init",
    ),
    (LazyPattern(r"manage\.py|\bdjango\b"), "python manage.py migrate"),
    (
        LazyPattern(r"\bdb:migrate\b|\bbin/rails\b|ActiveRecord|active_record"),
        "bin/rails db:migrate",
    ),
    (
        LazyPattern(
            r"\bartisan\b|Illuminate|laravel|SQLSTATE\[42S02\].{0,1000}\((?:Connection|SQL): "
        ),
        "php artisan migrate --force",
    ),
    (LazyPattern(r"\bprisma\b|PrismaClient|\bP2021\b"), "npx prisma migrate deploy"),
    (LazyPattern(r"\bflask db\b|flask_migrate|flask-migrate"), "flask db upgrade"),
    (LazyPattern(r"\balembic\b"), "alembic upgrade head"),
    (LazyPattern(r"\bsequelize\b"), "npx sequelize-cli db:migrate"),
    (LazyPattern(r"\bknex\b"), "npx knex migrate:latest"),
    (LazyPattern(r"\bairflow\b"), "airflow db migrate"),
    (LazyPattern(r"\bkong migrations bootstrap\b"), "kong migrations bootstrap"),
    (LazyPattern(r"\bkong migrations up\b"), "kong migrations up"),
    (LazyPattern(r"\bsuperset db upgrade\b"), "superset db upgrade"),
    (LazyPattern(r"\bminiflux -migrate\b"), "miniflux -migrate"),
    (
        LazyPattern(r"\bdoctrine:migrations:migrate\b"),
        "php bin/console doctrine:migrations:migrate --no-interaction",
    ),
)
"""Signs of a framework in a log, and its command, with groups of the failure's pattern in braces.
The first one that fits counts."""


def migration_of(failure: Recognised | None, lines: tuple[str, ...]) -> str:
    """The command that a log asks for; "" where it asks for none, or for an unknown framework.

    failure: the known failure of the log's lines.
    """
    if failure is None or failure.name not in WAITING:
        return ""
    shown = (failure.line, *lines)
    commands = (command for framework, command in COMMANDS if any(map(framework.search, shown)))
    return failure.filled_for_shell(next(commands, ""))
