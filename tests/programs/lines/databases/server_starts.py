"""Lines of real logs for the rows of `diagnose/programs/failures/databases/server_starts.py`."""

from __future__ import annotations

LINES = {
    "postgres-build": (
        "2026-12-02 03:00:00.000 UTC [1] DETAIL:  The database cluster was initialized with CATALOG_VERSION_NO 202307071, but the "
        "server was compiled with CATALOG_VERSION_NO 202209061."
    ),
    "postgres-control-file": "2026-12-02 03:00:00.000 UTC [1] FATAL:  incorrect checksum in control file",
    "postgres-checkpoint": "2026-12-02 03:00:00.000 UTC [27] FATAL:  could not locate required checkpoint record",
    "postgres-recovery-short": "2026-12-02 03:00:00.000 UTC [27] FATAL:  WAL ends before end of online backup",
    "postgres-standby-low": (
        "2026-12-02 03:00:00.000 UTC [27] DETAIL:  max_connections = 50 is a lower setting than on the primary server, where its "
        "value was 200."
    ),
    "postgres-recovery-file": (
        '2026-12-02 03:00:00.000 UTC [27] FATAL:  using recovery command file "recovery.conf" is not supported'
    ),
    "postgres-restore-command": (
        "2026-12-02 03:00:00.000 UTC [27] FATAL:  must specify restore_command when standby mode is not enabled"
    ),
    "innodb-file-kept": (
        "2026-12-02  3:00:00 0 [ERROR] InnoDB: undo tablespace './/undo001' exists. Creating system tablespace with existing undo "
        "tablespaces is not supported."
    ),
    "innodb-tail": (
        "2026-12-02  3:00:00 0 [ERROR] InnoDB: Tablespace size stored in header is 4864 pages, but the sum of data file sizes is "
        "768 pages"
    ),
    "mysql-engines-changed": (
        "2026-12-02  3:00:00 0 [ERROR] Recovery failed! You must enable all engines that were enabled at the moment of the crash"
    ),
    "mysql-log-absent": "2026-12-02  3:00:00 0 [ERROR] Failed to open log (file './binlog.000011', errno 2)",
    "mysql-secure-transport": (
        "2026-12-02  3:00:00 0 [ERROR] Server is started with --require-secure-transport=ON but no secure transport (SSL or PIPE) "
        "are configured."
    ),
    "mysql-time-zone": (
        "2026-12-02  3:00:00 0 [ERROR] Fatal error: Illegal or unknown default time zone 'Europe/Berln'"
    ),
    "redis-listens-nowhere": "1:M 02 Dec 2026 03:00:00.000 # Configured to not listen anywhere, exiting.",
    "redis-cluster-file": "1:M 02 Dec 2026 03:00:00.000 # Fatal: can't update cluster config file.",
    "redis-journal-unwritten": (
        "1:M 02 Dec 2026 03:00:00.000 # Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting..."
    ),
    "redis-users-twice": (
        "1:M 02 Dec 2026 03:00:00.000 # Configuring Redis with users defined in redis.conf and at the same setting an ACL file "
        "path is invalid."
    ),
    "sentinel-file": "1:X 02 Dec 2026 03:00:00.000 # Sentinel needs config file on disk to save state. Exiting...",
    "minio-endpoints": (
        "FATAL Invalid command line arguments: Incorrect number of endpoints provided [http://minio1/data http://minio2/data]"
    ),
    "minio-drives-of-another": (
        "ERROR Unable to initialize backend: /data drive is already being used in another erasure deployment. (Number of drives "
        "specified: 4 but the number of drives found in the 1st drive's format.json: 8)"
    ),
    "rabbit-plugin-unfit": (
        '2026-12-02 03:00:00.000000+00:00 [error] <0.9.0> Failed to enable plugin "rabbitmq_delayed_message_exchange": it may have '
        "been built with an incompatible (more recent?) version of Erlang"
    ),
    "rabbit-definitions-bare": (
        "2026-12-02 03:00:00.000000+00:00 [error] <0.9.0> Definitions import: some queues, exchanges or bindings in the definition "
        "file are missing the virtual host field."
    ),
    "rabbit-advanced-file": (
        '2026-12-02 03:00:00.000000+00:00 [error] <0.9.0> Failed to load advanced configuration file "/etc/rabbitmq/advanced.config", '
        "incorrect format: unterminated"
    ),
    "kafka-listener-protocol": (
        "java.lang.IllegalArgumentException: Unknown security protocol CLIENT in listener CLIENT://:9092"
    ),
    "kafka-voters": (
        "org.apache.kafka.common.config.ConfigException: Invalid value 1@kafka for configuration controller.quorum.voters. Each "
        "entry should be in the form `{id}@{host}:{port}`."
    ),
}
