"""Lines of real logs for the rows of `diagnose/programs/failures/network/refused_clients.py`."""

from __future__ import annotations

LINES = {
    "mysql-blocked": "Host '172.18.0.5' is blocked because of many connection errors; unblock with 'mysqladmin flush-hosts'",
    "mysql-zone": "java.sql.SQLException: The server time zone value 'CEST' is unrecognized or represents more than one time zone.",
    "mysql-packet": "ERROR 1153 (08S01): Got a packet bigger than 'max_allowed_packet' bytes",
    "mysql-password-kind": "ERROR 1524 (HY000): Plugin 'mysql_native_password' is not loaded",
    "hibernate-unreached": "org.hibernate.HibernateException: Unable to determine Dialect without JDBC metadata (please set 'jakarta.persistence.jdbc.url' for common cases or 'hibernate.dialect' when a custom Dialect implementation must be provided)",
    "mssql-database": 'Microsoft.Data.SqlClient.SqlException (0x80131904): Cannot open database "Shop" requested by the login. The login failed.',
    "mssql-certificate": "A connection was successfully established with the server, but then an error occurred during the login process. (provider: SSL Provider, error: 0 - The certificate chain was issued by an authority that is not trusted.)",
    "mongo-login-needed": "MongoServerError: command insert requires authentication",
    "elastic-login-needed": "ElasticsearchSecurityException: missing authentication credentials for REST request [/]",
    "amqp-refused": 'Exception (403) Reason: "username or password not allowed"',
    "amqp-vhost": '{amqp_error,not_allowed,"vhost shop not found"}',
    "kafka-own-address": "WARN [Producer clientId=producer-1] Bootstrap broker localhost:9092 (id: -1 rack: null) disconnected",
    "no-way-to-ipv6": "Error: connect ENETUNREACH 2606:4700::6810:1234:443 - Local (:::0)",
    "no-way-out": "dial tcp 140.82.121.3:443: connect: network is unreachable",
    "mount-inside-refused": "mount.nfs: access denied by server while mounting nas:/volume1/media",
    "plain-server": 'Get "https://registry.lan:5000/v2/": http: server gave HTTP response to HTTPS client',
    "plain-port": "curl: (35) error:140770FC:SSL routines:SSL23_GET_SERVER_HELLO:unknown protocol",
    "redis-slots": "ReplyError: CLUSTERDOWN Hash slot not served",
    "mongo-user-elsewhere": (
        '{"s":"I","c":"ACCESS","id":20249,"ctx":"conn3","msg":"Authentication failed","attr":{"error":"UserNotFound: '
        'Could not find user \\"shop\\" for db \\"shop\\""}}'
    ),
    "pooler-database": (
        "2024-01-05 10:00:00.000 UTC [1] WARNING C-0x7f: (nodb)/shop@172.18.0.3:44444 pooler error: no such database: "
        "shop2"
    ),
    "oracle-service": "ORA-12514: TNS:listener does not currently know of service requested in connect descriptor",
}
