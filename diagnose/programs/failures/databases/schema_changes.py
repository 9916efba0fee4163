"""Migrations whose record and whose files do not agree, and tables of older servers."""

from diagnose.programs.failures.recognition import Failure

SCHEMA_CHANGES = (
    Failure(
        name="flyway-checksum",
        mark="mismatch for migration",
        pattern=r"Migration (?:checksum|description|type) mismatch for migration (?:version )?(?P<version>\w+(?:\.\w+)*)",
        cause="the file of migration {version} was changed after it had run in this database (Flyway)",
        cure="bring back the file as it was and put the change into a new migration; where the change is "
        "without effect, run flyway repair",
        source="Flyway's own message",
        look="database",
    ),
    Failure(
        name="liquibase-checksum",
        mark=("check sum", "checksum"),
        pattern=r"\bchange ?sets? check ?sum|\bcheck sum:? .{0,160}\bwas: \S+ but is now: ",
        cause="a change set was changed after it had run in this database (Liquibase): another build of the "
        "program, or a file that was edited",
        cure="run the build that migrated the database, or bring the file back; where the change is without "
        "effect, run liquibase clear-checksums",
        source="Liquibase's own message",
        look="database",
    ),
    Failure(
        name="django-history",
        mark="applied before its dependency",
        pattern=r"Migration (?P<later>\S+) is applied before its dependency (?P<earlier>\S+) on database",
        cause="the database has migration {later}, and not {earlier}, which has to come before it: the user "
        "model was exchanged, or new first migrations were written after the database was made",
        cure="begin with an empty database, or bring back the migrations that it was made with; only where "
        "its tables are right already, record the missing one with migrate --fake",
        source="django ticket 25313",
        look="database",
    ),
    Failure(
        name="alembic-heads",
        mark="multiple head",
        pattern=r"Multiple head(?: revision)?s are present",
        cause="the program's migrations have two ends (Alembic): two branches of the source were put "
        "together, each with a migration of its own",
        cure="make one end with alembic merge heads, and build the image again; alembic upgrade heads runs "
        "both until then",
        source="Alembic documentation, branches",
        build="earlier",
        look="database",
    ),
    Failure(
        name="server-tables-older",
        mark="mysql.",
        pattern=r"Incorrect definition of table mysql\.(?P<table>\w+)"
        r"|Column count of mysql\.(?P<table_count>\w+) is wrong\. Expected \d+, found \d+\. Created with"
        r"|Cannot load from mysql\.(?P<table_load>\w+)\. The table is probably corrupted",
        cause="the server's own table mysql.{table} comes from an older release: the data were not upgraded "
        "after the image was",
        cure="run mariadb-upgrade (or mysql_upgrade) in the container as its root user, or recreate it with "
        "--env=MARIADB_AUTO_UPGRADE=1",
        source="MariaDB/mariadb-docker#483",
    ),
    Failure(
        name="sqlx-changed",
        mark=("versionmismatch(", "previously applied but has been modified"),
        pattern=r"\bVersionMismatch\((?P<version>\d{1,20})\)|migration (?P<version_told>\d{1,20}) was previously applied but has been modified",
        cause="the file of migration {version} was changed after it had run in this database (sqlx)",
        cure="bring back the file as it was, with its line ends, and put the change into a new migration",
        source="sqlx' own message",
        look="database",
    ),
)
