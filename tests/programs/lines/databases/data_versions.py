"""Lines of real logs for the rows of `diagnose/programs/failures/databases/data_versions.py`."""

from __future__ import annotations

LINES = {
    "postgres-file-cut": 'PANIC:  could not read file "global/pg_control": read 100 of 296',
    "postgres-file-lost": 'error: could not open file "base/16384/32877": No such file or directory',
    "wiredtiger-unopened": "95: Failed to start up WiredTiger under any compatibility version. This may be due to an unsupported upgrade.",
    "timescaledb-release": 'FATAL:  could not access file "timescaledb-2.11.1": No such file or directory',
    "postgres-locale-absent": 'FATAL:  database locale is incompatible with operating system; DETAIL:  The database was initialized with LC_COLLATE "en_US.UTF-8",  which is not recognized by setlocale().',
    "postgres-data": (
        "DETAIL:  The data directory was initialized by PostgreSQL version 13, which is not compatible with "
        "this version 16.2"
    ),
    "postgres-18-layout": "Error: in 18+, these Docker images are configured to store database data in a",
    "mysql-downgrade": "[ERROR] [MY-014061] [InnoDB] Invalid MySQL server downgrade: Cannot downgrade from 80035 to 80034.",
    "mysql-boot": (
        "[ERROR] [MY-013171] [InnoDB] Cannot boot server version 80036 on data directory built by "
        "version 90000. Downgrade is not supported"
    ),
    "mysql-skip": (
        "[ERROR] [MY-014060] [Server] Invalid MySQL server upgrade: Cannot upgrade from 50744 to 80400. "
        "Upgrade to next major version is only allowed from the last LTS release"
    ),
    "mysql-redo": (
        "[ERROR] [MY-012526] [InnoDB] Upgrade is not supported after a crash or shutdown with "
        "innodb_fast_shutdown = 2. This redo log was created with MySQL 5.7.21, and it appears "
        "logically non empty. The redo log was created with MySQL 5.7.21."
    ),
    "rabbit-node": "       {{failed_to_cluster_with,",
    "meilisearch-version": (
        "Your database version (1.0.0) is incompatible with your current engine version (1.2.0)."
    ),
    "mysql-upgrade": "[ERROR] [MY-012526] [InnoDB] Upgrade is not supported after a crash or shutdown with innodb_fast_shutdown = 2.",
    "mariadb-redo": "[ERROR] InnoDB: Upgrade after a crash is not supported. The redo log was created with MariaDB 10.5.8.",
    "mariadb-tc-log": "2026-01-02 10:00:00 0 [ERROR] Bad magic header in tc log",
    "mongo-fcv": 'Wrong mongod version: UPGRADE PROBLEM: Found an invalid featureCompatibilityVersion document: version: \\"4.4\\"',
    "mongo-upgrade": "** IMPORTANT: UPGRADE PROBLEM: The data files need to be fully upgraded",
    "elasticsearch-downgrade": "java.lang.IllegalStateException: cannot downgrade a node from version [8.1.0] to version [7.17.1]",
    "elasticsearch-skip": "cannot upgrade a node from version [6.8.0] directly to version [8.1.0]",
    "redis-rdb": "1:M 02 Jan 2026 10:00:00.000 # Can't handle RDB format version 11",
    "redis-aof": "# Bad file format reading the append only file appendonly.aof.2.incr.aof: make a backup of your AOF file",
    "nextcloud-downgrade": (
        "Can't start Nextcloud because the version of the data (31.0.1.1) is higher than the docker image version (30.0.0.19)"
    ),
    "gitea-database": "migrate: Your database (migration version: 205) is for a newer Gitea, you can not use the newer database",
    "gitlab-upgrade-path": "It is required to upgrade to the latest 14.0.x version first before proceeding.",
    "kafka-cluster": "The Cluster ID XvvB doesn't match stored clusterId Some(0Hna) in meta.properties.",
    "kafka-cluster-id": (
        "java.lang.RuntimeException: Invalid cluster.id in: /tmp/kraft-combined-logs/meta.properties. "
        "Expected ciWo7IWazngRchmPES6q5A==, but read MkU3OEVBNTcwNTJENDM2Qg"
    ),
    "cassandra-cluster": (
        "org.apache.cassandra.exceptions.ConfigurationException: Saved cluster name Test Cluster != "
        "configured name orders"
    ),
    "kafka-node": "Configured node.id `1001` doesn't match stored node.id `1389' in meta.properties.",
    "minio-format": "ERROR Unable to initialize backend: format.json file: expected format-type: fs, found: xl-single",
    "minio-backend": "FATAL Unable to use the drive /data: Drive /data: found backend type fs, expected xl or xl-single",
    "postgres-wal": "PANIC:  could not locate a valid checkpoint record",
    "pg-restore-older": "pg_restore: error: unsupported version (1.15) in file header",
    "neo4j-format": "java.lang.IllegalStateException: Unable to find store format for version AF4.3.0",
    "redis-module": "# The RDB file contains AUX module data I can't load: no matching module 'scdtype00'",
    "nexus-orient": (
        "This instance is using a legacy Orient database, which is no longer supported. You must migrate to H2 or "
        "PostgreSQL before upgrading to this version."
    ),
}
