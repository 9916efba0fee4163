"""Errors that databases and brokers send to their clients."""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import Parameter, TypedLike

_REFUSED = "container.database-refused"
_OF_OTHER_SERVERS = LazyPattern(
    r"\b(?:e?mail\w{0,40}|ftp|imap|ldaps?|smtps?|starttls)\b", re.IGNORECASE
)
"""Servers that are not databases, and whose clients miss TLS in the same words."""

DATABASE_CLIENTS = (
    Failure(
        name="postgres-login",
        mark="password authentication failed",
        pattern=r'password authentication failed for user "(?P<user>[^"]+)"',
        cause=(
            "the database refuses the password of user {user}; POSTGRES_PASSWORD counts "
            "only when the data directory is made, so a later change of it has no effect"
        ),
        cure="give the program the old password, or change it in the database: \\password {user} in "
        "psql",
        source="docker-library/postgres#203",
        confirmed_by=_REFUSED,
        look="database",
    ),
    Failure(
        name="mysql-host",
        mark="is not allowed to connect to this",
        pattern=r"Host '(?P<host>[^']*)' is not allowed to connect to this (?:MySQL|MariaDB) server",
        cause="the database has no user of that name for {host}: root usually exists only for localhost, "
        "and MYSQL_USER takes effect only when the data directory is created",
        cure="let the program use the database's own user (MYSQL_USER), or make one for all hosts: "
        "CREATE USER 'NAME'@'%'",
        source="docker-library/mysql#275",
        confirmed_by=_REFUSED,
        look="database",
    ),
    Failure(
        name="mysql-public-key",
        mark="public key retrieval is not allowed",
        pattern=r"Public Key Retrieval is not allowed",
        cause="without TLS the client has to ask MySQL 8 for a public key, and Java's driver does not do so by default",
        cure="add allowPublicKeyRetrieval=true to the address of the database, or let it use TLS",
        source="nacos-group/nacos-docker#133",
        remedy=Parameter("jdbc:m", "allowPublicKeyRetrieval=true"),
    ),
    Failure(
        name="postgres-no-tls",
        mark=("ssl", "tls"),
        pattern=r"pq: SSL is not enabled on the server|server does not support SSL, but SSL was required"
        r"|The server does not support SSL(?: connections)?\b|\bserver does not support TLS\b",
        cause="the program asks the database for TLS, and the server has none",
        cure="write sslmode=disable into the address of the database (Node.js: ssl=false), or give the "
        "server a certificate and ssl=on",
        source="mautrix/whatsapp#65",
        unlike=_OF_OTHER_SERVERS,
        remedy=Parameter("postgres", "sslmode=disable"),
    ),
    Failure(
        name="zabbix-proxy-base",
        mark="cannot use database",
        pattern=r"cannot use database \"(?P<database>[^\"]{1,80})\": Zabbix (?P<kind>server|proxy) cannot work with a Zabbix",
        cause="the Zabbix server and a Zabbix proxy are given the same database, {database}, and the other "
        "one has made its tables there",
        cure="give the proxy a database of its own, in its MYSQL_DATABASE or POSTGRES_DB",
        source="zabbix/zabbix-docker#130",
        look="database",
    ),
    Failure(
        name="zabbix-empty",
        mark="table is empty",
        pattern=r"cannot use database .{1,80}table is empty",
        cause="the database of Zabbix was made only in part, because its first start was broken off; "
        "or it is the database of a proxy",
        cure="drop the database if nothing in it is needed: an empty one is filled at the next start",
        source="zabbix/zabbix-docker#1012",
        look="database",
    ),
    Failure(
        name="mysql-access",
        mark="access denied for user",
        pattern=r"Access denied for user '(?P<user>[^']*)'@'(?P<host>[^']*)'",
        cause=(
            "the database refuses user {user} from {host}: "
            "a wrong password, or a user that exists for another host only; "
            "MYSQL_PASSWORD takes effect only when the data directory is created"
        ),
        cure="give the program the old password, or run ALTER USER in the database",
        source="docker-library/mysql#51",
        confirmed_by=_REFUSED,
        look="database",
    ),
    Failure(
        name="postgres-database",
        mark=("does not exist", "could not find your database"),
        pattern=r'database "(?P<database>[^"]+)" does not exist'
        r"|could not find your database: (?P<database_rails>[\w-]{1,63})"
        # Prisma says the same of MySQL, at its port 3306
        r"|Database `(?P<database_prisma>[^`]{1,63})` does not exist(?! on the database server at `[^`]{1,200}:3306`)",
        cause="the database server has no database {database}; "
        "POSTGRES_DB takes effect only when the data directory is created",
        cure="create it with createdb in the database's container, or correct the name",
        confirmed_by=_REFUSED,
        look="database",
    ),
    Failure(
        name="postgres-role",
        mark="does not exist",
        pattern=r'role "(?P<role>[^"]+)" does not exist',
        cause="the database server has no role {role}; "
        "POSTGRES_USER takes effect only when the data directory is created",
        cure="create it with createuser in the database's container, or correct the name",
        confirmed_by=_REFUSED,
        look="database",
    ),
    Failure(
        name="mysql-database",
        mark=("unknown database", "does not exist on the database server at"),
        # a replica writes so of a statement of its source, which nobody refuses it
        pattern=r"^(?!.{0,200}\b(?:Slave|Replica) SQL\b).{0,2000}?Unknown database '(?P<database>[^']+)'"
        r"|Database `(?P<database_prisma>[^`]{1,63})` does not exist on the database server at `[^`]{1,200}:3306`",
        cause="the database server has no database {database}; "
        "MYSQL_DATABASE takes effect only when the data directory is created",
        cure="create it in the database, or correct the name",
        confirmed_by=_REFUSED,
        look="database",
    ),
    Failure(
        name="too-many-clients",
        mark=("too many", "connection slots"),
        pattern=r"sorry, too many clients already|Too many connections"
        r"|remaining connection slots are reserved",
        cause="the database has as many connections as it allows",
        cure="end idle clients, or raise max_connections, and use a pool of connections",
        confirmed_by=_REFUSED,
        look="database",
    ),
    Failure(
        name="postgres-data-denied",
        mark="could not open file",
        pattern=r'could not open file "(?P<path>(?:global|base|pg_\w+)/[^"]+)": Permission denied',
        cause="the database may not read {path} of its own data: "
        "the owner or the mode of its data folder was changed",
        cure="give the data folder back to the database's user, and restart the database",
        source="immich-app/immich#16186",
        confirmed_by=_REFUSED,
    ),
    Failure(
        name="postgres-hba-plain",
        mark="pg_hba.conf",
        pattern=r'no pg_hba\.conf entry for (?:replication connection from )?host "(?P<host>[^"]+)", '
        r".{1,200}, (?:no encryption|SSL off)",
        cause="the database refuses clients from {host} without TLS: pg_hba.conf has no line that allows "
        "the address, user and database, or only one that begins with hostssl",
        cure="let the client use TLS (sslmode=require) where pg_hba.conf has such a hostssl line; otherwise "
        "add a line for the container network to it, and reload the database",
        source="PostgreSQL documentation, client authentication",
        confirmed_by=_REFUSED,
    ),
    Failure(
        name="postgres-hba",
        mark="pg_hba.conf",
        pattern=r'no pg_hba\.conf entry for host "(?P<host>[^"]+)"',
        cause="the database refuses clients from {host}: pg_hba.conf has no line that allows that address",
        cure="add a line for the container network to pg_hba.conf, and reload the database",
        confirmed_by=_REFUSED,
    ),
    Failure(
        name="postgres-starting",
        mark="database system is",
        pattern=r"the database system is (?:starting up|in recovery mode)",
        cause="the database was not ready yet when the program called it",
        cure="let the program wait, or order the start by health: "
        "depends_on with condition service_healthy",
        may_pass=True,
    ),
    Failure(
        name="runner-unknown",
        mark="forbidden",
        pattern=r"(?:Checking for jobs|Verifying runner)\.\.\. forbidden",
        cause="GitLab does not know this runner, or no longer knows it: it refuses its token",
        cure="register the runner again, and put the new token into its config.toml",
        source="sameersbn/docker-gitlab#1589",
    ),
    Failure(
        name="clickhouse-login",
        mark="authentication failed",
        pattern=r"(?:DB::Exception: |ClickHouseError: )?(?P<user>\S{1,60}): Authentication failed: "
        r"password is incorrect,? or there is no user with such name",
        cause="ClickHouse refuses {user}: a wrong password, or a user that does not exist; user "
        "default is refused on networks where its image was given no user and no password",
        cure="give ClickHouse and the program the same CLICKHOUSE_USER and CLICKHOUSE_PASSWORD",
        source="coroot/coroot#534",
        confirmed_by=_REFUSED,
        look="database",
    ),
    Failure(
        name="mssql-login",
        mark="login failed for user",
        pattern=r"Login failed for user '(?P<user>[^']+)'\. Reason: Password did not match",
        cause="SQL Server refuses the password of {user}; MSSQL_SA_PASSWORD takes effect only when the "
        "data directory is created",
        cure="give the program the old password, or change it in the server: ALTER LOGIN",
        source="microsoft/mssql-docker#563",
        remedy=TypedLike(
            r"^(?!MSSQL_SA_|SA_PASSWORD$).*(?:SA|SQL|DB|DATABASE).*(?:PASS(?:W(?:OR)?D)?|CONNECTION\w*|UR[IL])$"
        ),
        look="database",
    ),
    Failure(
        name="redis-password",
        mark=("noauth", "wrongpass", "auth <password>", "client sent auth"),
        pattern=r"NOAUTH Authentication required|WRONGPASS invalid username-password pair"
        r"|ERR AUTH <password> called without any password|ERR Client sent AUTH, but no password is set",
        cause="the program's password for Redis is not the one that Redis asks for",
        cure="give both the same password",
        remedy=TypedLike(r"REDIS.*(?:PASS(?:W(?:OR)?D)?|UR[IL])$"),
    ),
    Failure(
        name="mysql-plugin",
        mark="authentication",
        pattern=r"Authentication plugin '(?P<plugin>[^']+)' cannot be loaded"
        r"|Client does not support authentication protocol requested by server"
        r"|requested authentication method unknown to the client",
        cause="the client is too old for the way in which MySQL 8 checks passwords",
        cure="use a newer client, or give the user the plugin mysql_native_password",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="mongo-client-older",
        mark="wire version",
        pattern=r"reports (?:minimum |maximum )?wire version (?P<version>\d{1,3}), but this version of .{1,80} requires at most",
        cause="the program's driver is too old for this release of MongoDB",
        cure="use a newer image of the program, or the release of MongoDB that its documentation names",
        source="MongoDB documentation, compatibility of drivers",
        turns_away=True,
        look="builds",
    ),
    Failure(
        name="mongo-auth",
        mark="authentication failed",
        pattern=r"(?:Mongo(?:Server)?Error|OperationFailure|AuthenticationFailed|SCRAM).{0,80}Authentication failed",
        cause="the database refuses the user or the password; "
        "MONGO_INITDB_ROOT_PASSWORD takes effect only when the data directory is created",
        cure="give the program the old password, or change it in the database; "
        "authSource is usually admin",
        confirmed_by=_REFUSED,
        remedy=TypedLike(r"^(?!.*INITDB).*MONGO.*(?:PASS(?:W(?:OR)?D)?|UR[IL])$"),
        look="database",
    ),
    Failure(
        name="laravel-database-refused",
        mark="(connection: ",
        pattern=r"\bSQLSTATE\[\w{2,8}\] \[\d{1,5}\] Connection refused \(Connection: (?P<kind>mariadb|mysql|pgsql)\b",
        cause="the program's database ({kind}) refuses the connection: nothing listens at the place that DB_HOST and DB_PORT "
        "give; without DB_CONNECTION and DB_HOST the program takes its own default, such as 127.0.0.1",
        cure="set DB_CONNECTION and DB_HOST to the database that it should use; where they are right, see that this runs",
        source="alexjustesen/speedtest-tracker#1091; Laravel documentation, database",
        may_pass=True,
        look="addresses",
    ),
)
