"""Lines of real logs for the rows of `diagnose/programs/failures/databases/database_servers.py`."""

from __future__ import annotations

LINES = {
    "mysql-socket-folder": "[ERROR] Can't start server : Bind on unix socket: No such file or directory",
    "mysql-table-names": (
        "[ERROR] [MY-011087] [Server] Different lower_case_table_names settings for server ('1') and data "
        "dictionary ('0')."
    ),
    "postgres-locale": 'initdb: error: invalid locale name "de_DE.utf8"',
    "consul-address": "==> Multiple private IPv4 addresses found. Please configure one with 'bind'",
    "mysql-not-initialised": "[ERROR] Fatal error: Can't open and lock privilege tables: Table 'mysql.db' doesn't exist",
    "mysql-unknown-option": "[ERROR] /usr/sbin/mariadbd: unknown variable 'default-authentication-plugin=mysql_native_password'",
    "redis-bind": "# Warning: Could not create server TCP listening socket 10.9.8.7:6379: bind: Cannot assign requested address",
    "redis-dump": "1:M 02 Jan 2026 10:00:00.000 # Wrong signature trying to load DB from file",
    "redis-folder": "# Fatal: Can't open or create append-only dir appendonlydir: Permission denied",
    "redis-dump-short": "1:M 02 Jan 2026 10:00:00.000 # Short read or OOM loading DB. Unrecoverable error, aborting now.",
    "rabbit-feature-flag": (
        "[error] <0.230.0> Feature flags: `classic_mirrored_queue_version`: required feature flag not "
        "enabled! It must be enabled"
    ),
    "elasticsearch-setting": "java.lang.IllegalArgumentException: unknown setting [xpack.security.enrolment.enabled] please check",
    "postgres-shm-quoted": 'pq: could not resize shared memory segment "/PostgreSQL.2088012784" to 50438144 bytes: No space left on device',
    "postgres-shm": 'ERROR:  could not resize shared memory segment "/PostgreSQL.2088012784" to 50438144 bytes: No space left on device',
    "postgres-lost-found": 'initdb: error: directory "/var/lib/postgresql/data" exists but is not empty',
    "mysql-data-unfinished": "[ERROR] [MY-011096] [Server] No data dictionary version number found.",
    "postgres-recovers": (
        "2024-09-09 06:02:44.236 UTC [30] FATAL:  the database system is starting up"
    ),
    "rabbit-feature-flags": "Error during startup: {error,failed_to_initialize_feature_flags_registry}",
    "clickhouse-own-server": "Code: 210. DB::NetException: Connection refused (localhost:9008). (NETWORK_ERROR)",
    "postgres-preload": 'FATAL:  extension "timescaledb" must be preloaded',
    "postgres-files-gone": "LOG: performing immediate shutdown because data directory lock file is invalid",
    "postgres-shutting-down": "2019-11-26 16:25:56.716 UTC [2792] shop@osm FATAL:  the database system is shutting down",
    "innodb-damaged": "2022-04-28 14:58:41 0 [ERROR] InnoDB: Missing FILE_CREATE, FILE_DELETE or FILE_MODIFY before FILE_CHECKPOINT for tablespace 512",
    "innodb-checkpoint": "InnoDB: No valid checkpoint found.",
    "postgres-collation": '2026-04-12 10:53:37.637 UTC [12996] WARNING:  database "ente_db" has a collation version mismatch',
    "postgres-sequence-end": 'ERROR:  nextval: reached maximum value of sequence "states_state_id_seq" (2147483647)',
    "mysql-sequence-end": "ERROR 1467 (HY000): Failed to read auto-increment value from storage engine",
    "dump-of-newer-server": (
        "pg_dump: error: server version: 14.0 (Debian 14.0-1.pgdg110+1); pg_dump version: 13.2 (Debian 13.2-1.pgdg100+1)"
    ),
    "dump-mismatch": "pg_dump: error: aborting because of server version mismatch",
}
