"""Lines of real logs for the rows of `diagnose/programs/failures/databases/server_data.py`."""

from __future__ import annotations

LINES = {
    "innodb-zeros": "[ERROR] InnoDB: space header page consists of zero bytes in data file ./ibdata1",
    "postgres-part-missing": 'FATAL:  could not open file "global/pg_filenode.map": No such file or directory',
    "mysql-folder-begun": "[ERROR] --initialize specified but the data directory has files in it. Aborting.",
    "innodb-size": (
        "[ERROR] InnoDB: The Auto-extending innodb_system data file './ibdata1' is of a different size 0 pages "
        "(rounded down to MB) than specified in the .cnf file: initial 768 pages, max 0 (relevant if non-zero) pages!"
    ),
    "redis-journal": (
        "1:M 01 May 2024 10:00:00.000 # Bad file format reading the append only file: make a backup of your AOF file, "
        "then use ./redis-check-aof --fix <filename>"
    ),
    "mongo-files-refused": (
        '{"t":{"$date":"2021-11-15T03:31:24.719+00:00"},"s":"F","c":"STORAGE","id":28595,"ctx":"initandlisten",'
        '"msg":"Terminating.","attr":{"reason":"1: Operation not permitted"}}'
    ),
    "mongo-file-newer": (
        '{"t":{"$date":"2024-05-01T10:00:00.000+00:00"},"s":"E","c":"WT","id":22435,"ctx":"initandlisten","msg":'
        '"WiredTiger error message","attr":{"error":-31802,"message":"unsupported WiredTiger file version: this build '
        'only supports versions up to 4, and the file is version 5"}}'
    ),
    "mongo-socket-file": (
        "2018-03-11T03:00:55.288+0000 E STORAGE  [initandlisten] Failed to set up listener: SocketException: Permission "
        "denied"
    ),
    "rabbit-flags": (
        "Feature flags: error: feature flags required by this version are not enabled: stream_queue"
    ),
    "cassandra-address-kept": (
        "Exception (java.lang.RuntimeException) encountered during startup: A node with address /172.18.0.3 already "
        "exists, cancelling join. Use cassandra.replace_address if you want to replace this node."
    ),
    "postgres-memory-kept": "FATAL:  pre-existing shared memory block (key 5432001, ID 0) is still in use",
    "sqlite-read-only": "sqlite3.OperationalError: attempt to write a readonly database",
    "innodb-denied": "[ERROR] [MY-012592] [InnoDB] InnoDB: Operating system error number 13 in a file operation.",
    "aria-damaged": "[ERROR] mysqld: Aria recovery failed. Please run aria_chk -r on all Aria tables (*.MAI) and delete all aria_log.######## files",
    "meilisearch-unknown-version": "Error: Meilisearch (v1.6.0) failed to infer the version of the database.",
    "key-twice": 'error: duplicate key value violates unique constraint "users_pkey"',
    "mssql-system": (
        "/opt/mssql/bin/sqlservr: Error: The system directory [/.system] could not be created. File: "
        "LinuxDirectory.cpp:420 [Status: 0xC0000022 Access Denied errno = 0xD(13) Permission denied]"
    ),
    "openldap-config-kept": (
        "***  ERROR  | 2024-01-05 10:00:00 | Error: the database directory (/var/lib/ldap) is empty but not the config "
        "directory (/etc/ldap/slapd.d)"
    ),
    "oracle-memory": "ORA-00845: MEMORY_TARGET not supported on this system",
    "nexus-folder": (
        "java.io.FileNotFoundException: ../sonatype-work/nexus3/tmp/i4j_ZTDnGON8hKM67_i7vtgYvHn4UeE=.lock (No such file "
        "or directory)"
    ),
    "clickhouse-owner": (
        "DB::Exception: Effective user of the process (clickhouse) does not match the owner of the data (root). Run "
        "under 'sudo -u root'."
    ),
    "activemq-slave": (
        " INFO | Database /opt/apache-activemq/data/kahadb/lock is locked by another server. This broker is now in "
        "slave mode waiting a lock to be acquired"
    ),
    "solr-core-kept": "ERROR: Core 'shop' already exists!",
    "postgres-timeline": "FATAL:  requested timeline 3 is not a child of this server's history",
}
