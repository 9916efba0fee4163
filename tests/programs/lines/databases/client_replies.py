"""Lines of real logs for the rows of `diagnose/programs/failures/databases/client_replies.py`."""

LINES = {
    "postgres-password-absent": "Error: SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string",
    "postgres-scram-unknown": (
        "Failed to initialize pool: The authentication type 10 is not supported. Check that you have configured the "
        "pg_hba.conf file to include the client's IP address or subnet"
    ),
    "postgres-connection-lost": (
        'connection to server at "db" (172.18.0.2), port 5432 failed: server closed the connection unexpectedly'
    ),
    "mysql-connection-lost": "django.db.utils.OperationalError: (2006, 'MySQL server has gone away')",
    "mysql-no-tls": "ERROR 2026 (HY000): TLS/SSL error: SSL is required, but the server does not support it",
    "redis-loading": "redis.exceptions.BusyLoadingError: Redis is loading the dataset in memory",
    "kafka-silent": (
        "org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. Call: listTopics"
    ),
    "kafka-topic-silent": (
        "org.apache.kafka.common.errors.TimeoutException: Topic orders not present in metadata after 60000 ms."
    ),
    "zookeeper-silent": (
        "kafka.zookeeper.ZooKeeperClientTimeoutException: Timed out waiting for connection while in state: CONNECTING"
    ),
}
