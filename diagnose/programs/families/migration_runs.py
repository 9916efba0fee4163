"""Migrations of a program's database that fail, as programs say it that name no cause."""

from diagnose.programs.failures.recognition import NEVER, Failure

MIGRATION_RUNS = (
    Failure(
        name="migration-run-failed",
        of_running=NEVER,
        mark="migrat",
        pattern=r"""(?xi)
            \b(?:could\ not|couldn't|error|fail(?:ed|ure|s)|unable)\b[^\n]{0,40}\b(?:migrat(?:e|ing)\ (?:the\ )?
                (?:database|data\ base|db|schema)\b|(?:auto)?-?migrations?\b)
            | \b(?:auto)?-?migrations?\b[^\n]{0,60}\b(?:fail(?:ed|ure|s)|error)\b
            | \b(?:could\ not|error|fail(?:ed|ure)|unable)\b[^\n]{0,80}:\ (?:do\ )?migrate:\ \S  # Gitea, Forgejo
        """,
        cause="a migration fails by which this version of the program changes its database; the line, or one above it, "
        "says at what",
        cure="where the line says nothing of a missing server or right, run the image of the version before again, "
        "with a backup of the data if the migration has changed any, and look in the release notes for the message",
        source="Grafana's, Gitea's and many programs' own messages",
        build="earlier",
        look="builds",
    ),
)
"""After the families that know the reason."""
