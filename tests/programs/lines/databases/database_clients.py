"""Lines of real logs for the rows of `diagnose/programs/failures/databases/database_clients.py`."""

from __future__ import annotations

LINES = {
    "laravel-database-refused": (
        "SQLSTATE[HY000] [2002] Connection refused (Connection: mysql, SQL: delete from `cache`)"
    ),
    "postgres-login": (
        'psql: error: connection to server at "db" (172.18.0.2), port 5432 failed: FATAL:  password '
        'authentication failed for user "shop"'
    ),
    "mysql-access": "ERROR 1045 (28000): Access denied for user 'shop'@'172.18.0.3' (using password: YES)",
    "postgres-database": 'FATAL:  database "shopdb" does not exist',
    "postgres-role": 'FATAL:  role "shop" does not exist',
    "mysql-database": "ERROR 1049 (42000): Unknown database 'shop'",
    "too-many-clients": "FATAL:  sorry, too many clients already",
    "postgres-data-denied": 'error: could not open file "global/pg_filenode.map": Permission denied',
    "postgres-hba": 'FATAL:  no pg_hba.conf entry for host "172.21.0.3", user "shop", database "postgres", SSL encryption',
    "postgres-hba-plain": 'FATAL:  no pg_hba.conf entry for host "172.21.0.3", user "shop", database "postgres", no encryption',
    "postgres-starting": "FATAL:  the database system is starting up",
    "redis-password": "ReplyError: NOAUTH Authentication required.",
    "mysql-plugin": "ERROR 2059 (HY000): Authentication plugin 'caching_sha2_password' cannot be loaded: No such file",
    "clickhouse-login": (
        "E0414 12:16:05.970399       1 migration.go:34] failed to create or update clickhouse tables: connect: "
        "handshake: failed: exception: AUTHENTICATION_FAILED (516): DB::Exception: default: Authentication "
        "failed: password is incorrect, or there is no user with such name."
    ),
    "mongo-auth": "MongoServerError: Authentication failed.",
    "mysql-host": "Error: Host '172.18.0.3' is not allowed to connect to this MySQL server",
    "mysql-public-key": (
        "Caused by: com.mysql.cj.exceptions.UnableToConnectException: Public Key Retrieval is not allowed"
    ),
    "postgres-no-tls": "[FATAL] Failed to initialize database: pq: SSL is not enabled on the server",
    "zabbix-proxy-base": (
        '184:20170824:163456.974 cannot use database "zabbix": Zabbix server cannot work with a Zabbix '
        "proxy database"
    ),
    "zabbix-empty": (
        '7:20220916:180617.869 cannot use database "zabbix": its "users" table is empty (is this the Zabbix '
        "proxy database?)"
    ),
    "runner-unknown": "ERROR: Checking for jobs... forbidden               runner=cnqGqEov",
    "mssql-login": (
        "2020-03-26 09:12:21.05 Logon       Login failed for user 'sa'. Reason: Password did not match "
        "that for the login provided. [CLIENT: 172.18.0.4]"
    ),
    "mongo-client-older": "Failed: server at db:27017 reports wire version 25, but this version of the Go driver requires at most 21",
}
