"""Known failures of database servers and brokers: their own data, options and start."""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import (
    AtServer,
    Dropped,
    Given,
    NewVolume,
    Replaced,
    SetAside,
)

_POSTGRES = LazyPattern(r"postgres|pgvecto|postgis|timescale")

DATABASE_SERVERS = (
    Failure(
        name="postgres-lost-found",
        mark="exists but is not empty",
        pattern=r'initdb: (?:error: )?directory "(?P<path>[^"]+)" exists but is not empty',
        cause="PostgreSQL makes its data only in an empty folder, and {path} holds something else: "
        "the lost+found of a disk of its own, or files of a start that broke off",
        cure="create it again with a folder below the mount: --env=PGDATA={path}/pgdata",
        source="datalens-tech/datalens#352",
        confirmed_by="container.option-missing",
        needs=("--env=PGDATA={path}/pgdata",),
    ),
    Failure(
        name="postgres-files-gone",
        mark="data directory lock file is invalid",
        pattern=r"performing immediate shutdown because data directory lock file is invalid",
        cause="the data folder was taken away or replaced below the running server, or a second "
        "server uses it: its postmaster.pid is gone or is another one's",
        cure="look which containers and programs of the host use that folder, and let one alone have it; a mount that came "
        "or went below it has to be there before the start",
        source="sameersbn/docker-postgresql#95",
        look="data",
    ),
    Failure(
        name="postgres-shutting-down",
        mark="the database system is shutting down",
        pattern=r"FATAL: {1,2}the database system is shutting down",
        cause="the server got the order to stop and waits until its clients leave (smart shutdown): until then it "
        "lets nobody in",
        cure="restart its container, which ends the clients' connections; look at what sent the stop",
        source="kartoza/docker-postgis#162",
        turns_away=True,
    ),
    Failure(
        name="innodb-damaged",
        mark="innodb",
        pattern=r"InnoDB: (?:Missing (?:FILE_CREATE|MLOG_CHECKPOINT)|.{0,60}\bData structure corruption\b)",
        cause="the server's data files are damaged, as after a power loss, a full disk or a copy of them while it ran",
        cure="copy the data folder first; then restore a backup, or start it once with --innodb-force-recovery=1 (up to 6) and "
        "dump what can be read into an empty folder",
        source="appwrite/appwrite#3157",
        look="data",
    ),
    Failure(
        name="innodb-checkpoint",
        mark=("no valid checkpoint found", "missing file_checkpoint"),
        pattern=r"InnoDB: (?:No valid checkpoint found|Missing FILE_CHECKPOINT\()",
        cause="the server cannot read the log of its data files: another version of MySQL or MariaDB wrote them, or a first "
        "start was broken off",
        cure="run the image that wrote the data; where a first start was broken off and no data is needed, begin with an "
        "empty volume",
        source="DockerIt/wordpress-docker#4, danielpoliakov/lisa#45",
        build="another",
        look="versions",
    ),
    Failure(
        name="mysql-not-initialised",
        mark="table 'mysql.",
        # tables such as mysql.gtid_slave_pos are missing after an upgrade, and nothing fails
        pattern=r"Table '(?P<table>mysql\.(?:user|db|host|global_priv|plugin|servers))' doesn't exist",
        cause="the data directory has no {table}: it was never initialised, its initialisation was "
        "broken off, or it belongs to another program (MySQL's for MariaDB)",
        cure="empty the data directory if it holds no data, and start the image with its own entrypoint",
        remedy=NewVolume(("/var/lib/mysql",)),
    ),
    Failure(
        name="mysql-data-unfinished",
        mark="data dictionary version",
        pattern=r"No data dictionary version number found",
        cause="the data directory holds files, but no database that was made to its end: "
        "its first start was broken off, or the files belong to another program",
        cure="empty the data directory if it holds no data, and start the image again",
        source="docker-library/mysql#671",
        remedy=NewVolume(("/var/lib/mysql",)),
    ),
    Failure(
        name="postgres-recovers",
        mark="fatal:  the database system is",
        pattern=r"\[\d+\](?:: \[[\d-]+\])? (?:\S+ )?FATAL:  the database system is (?:starting up|in recovery mode|not yet accepting connections)",
        cause="PostgreSQL turns its clients away until it has recovered: it was not stopped cleanly, "
        "or one of its processes has crashed or was killed",
        cure="wait for its recovery, and look for 'was terminated by signal' in its log: "
        "signal 9 usually is the kernel's, which lacked memory",
        source="sclorg/postgresql-container#541",
        goes_on=True,
        look="memory",
    ),
    Failure(
        name="mysql-unknown-option",
        mark="unknown ",
        pattern=r"\[ERROR\].{0,60}?unknown (?:variable|option) '(?P<option>[^']+)'",
        cause="the server does not know the setting {option}: "
        "it was removed in this version, or is misspelt",
        cure="remove the setting from the configuration or the command",
        remedy=Dropped("{option}"),
        build="another",
    ),
    Failure(
        name="postgres-preload",
        mark="must be ",
        pattern=r"extension \"(?P<library>[a-z]\w{1,40})\" must be preloaded"
        r"|\b(?P<library_named>[a-z]\w{1,40}) must be loaded via \"?shared_preload_libraries",
        cause="the database uses the extension {library}, which PostgreSQL has to load at its start, and its settings do not "
        "say so",
        cure="add {library} to shared_preload_libraries in postgresql.conf, or start it with "
        "--shared-preload-libraries={library}",
        source="TimescaleDB's and pg_stat_statements' own messages",
        remedy=Given("--shared-preload-libraries={library}"),
    ),
    Failure(
        name="mysql-table-names",
        mark="different lower_case_table_names",
        pattern=r"Different lower_case_table_names settings for server \('(?P<now>\d)'\) and data dictionary \('(?P<data>\d)'\)",
        cause="the data was made with lower_case_table_names={data}, "
        "and MySQL 8 does not accept another value later",
        cure="set lower_case_table_names={data} again, "
        "or load a dump into an empty data directory that is made with {now}",
        source="MySQL manual, identifier case sensitivity",
        remedy=Given("--lower-case-table-names={data}"),
    ),
    Failure(
        name="postgres-locale",
        mark="invalid locale name",
        pattern=r"invalid locale name \"(?P<locale>[^\"]+)\"",
        cause="the image has no locale {locale}: the Alpine images have none but C and en_US",
        cure="use the image without -alpine and make the locale in it, or set LANG to en_US.utf8",
        source="docker-library/postgres#327",
        remedy=Replaced("{locale}", "en_US.utf8"),
        look="builds",
    ),
    Failure(
        name="consul-address",
        mark="private ipv4 addresses found",
        pattern=r"Multiple private IPv4 addresses found",
        cause="the container is on several networks, and Consul does not know which address to use",
        cure="set CONSUL_BIND_INTERFACE=eth0, or -bind in the command",
        source="hashicorp/docker-consul#34",
        confirmed_by="container.option-missing",
        needs=("--env=CONSUL_BIND_INTERFACE=eth0",),
    ),
    Failure(
        name="redis-bind",
        mark="could not create server tcp listening socket",
        pattern=r"Could not create server TCP listening socket (?P<address>\S+?):\d+: bind: Cannot assign requested address",
        cause="Redis is configured to listen at {address}, an address that its container does not have",
        cure="set bind to 0.0.0.0",
    ),
    Failure(
        name="redis-dump",
        mark=("signature", "internal error in rdb"),
        pattern=r"Wrong signature trying to load DB from file|\bInternal error in RDB reading offset\b",
        cause="the file dump.rdb is not a dump of Redis, or is damaged",
        cure="move dump.rdb out of the data folder, or restore it from a backup",
        source="dokku/dokku-redis#248",
        remedy=SetAside("dump.rdb", ("/data", "/bitnami/redis/data", "/var/lib/redis")),
    ),
    Failure(
        name="mysql-socket-folder",
        mark="bind on unix socket",
        pattern=r"\bBind on unix socket: No such file or directory",
        cause="the folder of MariaDB's socket (/run/mysqld as a rule) is not there: the image's own start script makes it, "
        "or a tmpfs lies over /run",
        cure="start the server by the image's own entrypoint, or make the folder first, for the server's user",
        source="MariaDB's own message",
    ),
    Failure(
        name="redis-folder",
        mark="append-only dir",
        pattern=r"Can't open or create append-only dir (?P<folder>\S+): (?:Permission denied|Read-only file system)",
        cause="the user that Redis runs as may not write its data folder, and so cannot make {folder} "
        "there",
        cure="give the folder to that user, or recreate the container without the user that it was "
        "given: the image's own start script then does it",
    ),
    Failure(
        name="redis-dump-short",
        mark="short read",
        pattern=r"Short read or OOM loading DB",
        cause="the file dump.rdb ends too early: it is damaged, as after a power loss or a full disk",
        cure="copy the file, and restore it from a backup",
        remedy=SetAside("dump.rdb", ("/data", "/bitnami/redis/data", "/var/lib/redis")),
    ),
    Failure(
        name="rabbit-feature-flag",
        mark="required feature flag not enabled",
        pattern=r"Feature flags: `(?P<flag>\w+)`: required feature flag not enabled",
        cause="RabbitMQ was upgraded before the feature flag {flag} was enabled in the old version",
        cure="run the image of the old version again, "
        "enable its feature flags with rabbitmqctl enable_feature_flag all, and then upgrade",
        source="rabbitmq/rabbitmq-server#8371",
        build="another",
        look="builds",
    ),
    Failure(
        name="rabbit-feature-flags",
        mark="feature_flags",
        pattern=r"failed_to_initialize_feature_flags_registry|\bincompatible_feature_flags\b",
        cause="RabbitMQ was upgraded before the feature flags of the old version were enabled, or its data is of "
        "another version",
        cure="run the image of the old version again, "
        "enable its feature flags with rabbitmqctl enable_feature_flag all, and then upgrade",
        source="docker-library/rabbitmq#601",
        build="another",
        look="builds",
    ),
    Failure(
        name="clickhouse-own-server",
        mark="db::netexception",
        pattern=r"\bCode: 210\. DB::NetException: Connection refused \((?:localhost|127\.0\.0\.1):(?P<port>\d+)\)",
        cause="ClickHouse's own server in this container does not answer the start script at port {port}: "
        "it is not up yet, or has ended, and says why in its own file",
        cure="read the end of clickhouse-server.err.log below /var/log/clickhouse-server",
        source="coze-dev/coze-loop#40, ClickHouse/ClickHouse#20002",
    ),
    Failure(
        name="elasticsearch-setting",
        mark="unknown setting",
        pattern=r"unknown setting \[(?P<setting>[\w.]+)\]",
        cause="Elasticsearch does not know the setting {setting}: "
        "it was removed in this version, or is misspelt",
        cure="remove the setting from the configuration or the environment",
        remedy=Dropped("{setting}"),
    ),
    Failure(
        name="postgres-shm",
        mark="could not resize shared memory segment",
        pattern=r"^(?!.{0,300}(?:\bpq: |PG::|psycopg|asyncpg|SQLSTATE|PSQLException|\bpgx|Prisma|Npgsql))"
        r'.{0,300}could not resize shared memory segment "(?P<segment>[^"]+)" to \d+ bytes: No space left on device',
        cause="the container's /dev/shm is full: it has 64 MB unless it is given more",
        cure="recreate it with --shm-size=1g (shm_size in compose)",
        source="docker-library/postgres#416",
        confirmed_by="container.option-missing",
        needs=("--shm-size=1g",),
    ),
    Failure(
        name="postgres-shm-quoted",
        mark="could not resize shared memory segment",
        pattern=r"(?:\bpq: |PG::|psycopg|asyncpg|SQLSTATE|PSQLException|\bpgx|Prisma|Npgsql).{0,300}"
        r"could not resize shared memory segment",
        cause="the database server that the program calls has no room in its /dev/shm: the line quotes that server",
        cure="recreate the database's container with --shm-size=1g (shm_size in compose)",
        source="docker-library/postgres#416",
        look="database",
    ),
    Failure(
        name="postgres-collation",
        mark="collation version",
        pattern=r"database \"(?P<database>[^\"]{1,80})\" has (?:a collation version mismatch|no actual collation version)",
        cause="the texts of database {database} are sorted by other rules than when it was made, as its image was "
        "updated: its indexes may miss rows, or let duplicates in",
        cure="make a backup, then REINDEX DATABASE and ALTER DATABASE ... REFRESH COLLATION VERSION, or go back to "
        "the image that the data was made with",
        source="docker-library/postgres#1356, PostgreSQL documentation, ALTER COLLATION",
        turns_away=True,
        remedy=AtServer("collated", _POSTGRES),
        look="database",
    ),
    Failure(
        name="postgres-sequence-end",
        mark="reached maximum value of sequence",
        pattern=r"nextval: reached maximum value of sequence \"(?P<sequence>[^\"]{1,120})\" \((?P<last>\d{1,20})\)",
        cause="the sequence {sequence} has given out its last number, {last}: no row can be added to its table",
        cure="make its column and the sequence bigint: ALTER TABLE ... ALTER COLUMN ... TYPE bigint, and ALTER "
        "SEQUENCE {sequence} AS bigint",
        source="home-assistant/core#137223",
        turns_away=True,
        remedy=AtServer("counting", _POSTGRES),
        look="database",
    ),
    Failure(
        name="mysql-sequence-end",
        mark="auto-increment",
        pattern=r"Failed to read auto-increment value from storage engine",
        cause="a table has given out the last number of its AUTO_INCREMENT column: no row can be added to it",
        cure="make the column BIGINT UNSIGNED: ALTER TABLE ... MODIFY ...",
        source="MySQL documentation, error 1467",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="dump-of-newer-server",
        mark="version: ",
        pattern=r"server version: (?P<server>\d{1,3}(?:\.\d{1,3}){0,2}).{0,120}(?P<program>pg_dump(?:all)?) version: (?P<own>\d{1,3}(?:\.\d{1,3}){0,2})",
        cause="its {program} is of version {own} and takes no copy of a server of version {server}: no backup is made",
        cure="use the image of the backup program for PostgreSQL {server}, or a newer one",
        source="prodrigestivill/docker-postgres-backup-local#63",
        turns_away=True,
        look="builds",
    ),
    Failure(
        name="dump-mismatch",
        mark="aborting because of server version mismatch",
        pattern=r"aborting because of server version mismatch",
        cause="its pg_dump is older than the server and takes no copy of it: no backup is made",
        cure="use the image of the backup program for the server's major version, or a newer one",
        source="eeshugerman/postgres-backup-s3#2",
        turns_away=True,
        follows=True,
        look="builds",
    ),
)
