"""What databases and brokers answer their clients, and what the servers say of their own files."""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure

_REFUSED = "container.database-refused"

CLIENTS = (
    Failure(
        "postgres-login",
        "password authentication failed",
        r'password authentication failed for user "(?P<user>[^"]+)"',
        (
            "the database refuses the password of user {user}; POSTGRES_PASSWORD counts "
            "only when the data directory is made, so a later change of it has no effect"
        ),
        "give the program the old password, or change it in the database: \\password {user} in "
        "psql",
        "docker-library/postgres#203",
        _REFUSED,
    ),
    Failure(
        "mysql-access",
        "access denied for user",
        r"Access denied for user '(?P<user>[^']*)'@'(?P<host>[^']*)'",
        (
            "the database refuses user {user} from {host}: "
            "a wrong password, or a user that exists for another host only; "
            "MYSQL_PASSWORD counts only when the data directory is made"
        ),
        "give the program the old password, or run ALTER USER in the database",
        "docker-library/mysql#51",
        _REFUSED,
    ),
    Failure(
        "postgres-database",
        "does not exist",
        r'database "(?P<database>[^"]+)" does not exist',
        "the database server has no database {database}; "
        "POSTGRES_DB counts only when the data directory is made",
        "create it with createdb in the database's container, or correct the name",
        "the program's own message",
        _REFUSED,
    ),
    Failure(
        "postgres-role",
        "does not exist",
        r'role "(?P<role>[^"]+)" does not exist',
        "the database server has no role {role}; "
        "POSTGRES_USER counts only when the data directory is made",
        "create it with createuser in the database's container, or correct the name",
        "the program's own message",
        _REFUSED,
    ),
    Failure(
        "mysql-database",
        "unknown database",
        r"Unknown database '(?P<database>[^']+)'",
        "the database server has no database {database}; "
        "MYSQL_DATABASE counts only when the data directory is made",
        "create it in the database, or correct the name",
        "the program's own message",
        _REFUSED,
    ),
    Failure(
        "too-many-clients",
        "too many",
        r"sorry, too many clients already|Too many connections"
        r"|remaining connection slots are reserved",
        "the database has as many connections as it allows",
        "end idle clients, or raise max_connections, and use a pool of connections",
        "the program's own message",
        _REFUSED,
    ),
    Failure(
        "postgres-hba",
        "pg_hba.conf",
        r'no pg_hba\.conf entry for host "(?P<host>[^"]+)"',
        "the database lets nobody in from {host}: pg_hba.conf has no line for that address",
        "add a line for the container network to pg_hba.conf, and reload the database",
        "the program's own message",
        _REFUSED,
    ),
    Failure(
        "postgres-starting",
        "database system is",
        r"the database system is (?:starting up|in recovery mode)",
        "the database was not ready yet when the program called it",
        "let the program wait, or order the start by health: "
        "depends_on with condition service_healthy",
        "the program's own message",
    ),
    Failure(
        "redis-password",
        "auth",
        r"NOAUTH Authentication required|WRONGPASS invalid username-password pair"
        r"|ERR AUTH <password> called without any password",
        "the program's password for Redis is not the one that Redis asks for",
        "give both the same password",
        "the program's own message",
    ),
    Failure(
        "mysql-plugin",
        "authentication p",
        r"Authentication plugin '(?P<plugin>[^']+)' cannot be loaded"
        r"|Client does not support authentication protocol requested by server",
        "the client is too old for the way in which MySQL 8 checks passwords",
        "use a newer client, or give the user the plugin mysql_native_password",
        "the program's own message",
    ),
    Failure(
        "mongo-auth",
        "authentication failed",
        r"(?:MongoServerError|AuthenticationFailed|SCRAM).{0,80}Authentication failed",
        "the database refuses the user or the password; "
        "MONGO_INITDB_ROOT_PASSWORD counts only when the data directory is made",
        "give the program the old password, or change it in the database; "
        "authSource is mostly admin",
        "the program's own message",
        _REFUSED,
    ),
)

SERVERS = (
    Failure(
        "postgres-lost-found",
        "exists but is not empty",
        r'initdb: (?:error: )?directory "(?P<path>[^"]+)" exists but is not empty',
        "PostgreSQL makes its data only in an empty folder, and {path} holds something else: "
        "the lost+found of a disk of its own, or files of a start that broke off",
        "create it again with a folder below the mount: --env=PGDATA={path}/pgdata",
        "datalens-tech/datalens#352",
        "container.option-missing",
        ("--env=PGDATA={path}/pgdata",),
    ),
    Failure(
        "mysql-not-initialised",
        "table 'mysql.",
        r"Table '(?P<table>mysql\.\w+)' doesn't exist",
        "the data directory has no {table}: "
        "it was never initialised, or its initialisation was broken off",
        "empty the data directory if it holds no data, and start the image with its own entrypoint",
        "the program's own message",
    ),
    Failure(
        "mysql-unknown-option",
        "unknown ",
        r"\[ERROR\].{0,60}?unknown (?:variable|option) '(?P<option>[^']+)'",
        "the server does not know the setting {option}: "
        "it was removed in this version, or is misspelt",
        "remove the setting from the configuration or the command",
        "the program's own message",
    ),
    Failure(
        "redis-bind",
        "could not create server tcp listening socket",
        r"Could not create server TCP listening socket (?P<address>\S+): bind: Cannot assign requested address",
        "Redis is configured to listen at {address}, an address that its container does not have",
        "set bind to 0.0.0.0",
        "the program's own message",
    ),
    Failure(
        "redis-dump",
        "signature",
        r"Wrong signature trying to load DB from file",
        "the file dump.rdb is no dump of Redis, or is damaged",
        "move dump.rdb out of the data folder, or restore it from a backup",
        "dokku/dokku-redis#248",
    ),
    Failure(
        "redis-dump-short",
        "short read",
        r"Short read or OOM loading DB",
        "the file dump.rdb ends too early: it is damaged, as after a power loss or a full disk",
        "copy the file, and restore it from a backup",
        "the program's own message",
    ),
    Failure(
        "rabbit-feature-flag",
        "required feature flag not enabled",
        r"Feature flags: `(?P<flag>\w+)`: required feature flag not enabled",
        "RabbitMQ was upgraded before the feature flag {flag} was enabled in the old version",
        "run the image of the old version again, "
        "enable all with rabbitmqctl enable_feature_flag all, and upgrade then",
        "rabbitmq/rabbitmq-server#8371",
    ),
    Failure(
        "elasticsearch-setting",
        "unknown setting",
        r"unknown setting \[(?P<setting>[\w.]+)\]",
        "Elasticsearch does not know the setting {setting}: "
        "it was removed in this version, or is misspelt",
        "remove the setting from the configuration or the environment",
        "the program's own message",
    ),
    Failure(
        "postgres-shm",
        "could not resize shared memory segment",
        r'could not resize shared memory segment "(?P<segment>[^"]+)" to \d+ bytes: No space left on device',
        "the container's /dev/shm is full: it has 64 MB unless it is given more",
        "recreate it with --shm-size=1g (shm_size in compose)",
        "docker-library/postgres#416",
        "container.option-missing",
        ("--shm-size=1g",),
    ),
)
