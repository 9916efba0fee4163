"""Lines of real logs for the rows of `diagnose/programs/failures/databases/brokers.py`."""

from __future__ import annotations

LINES = {
    "kafka-advertised": "java.lang.IllegalArgumentException: requirement failed: There must be at least one advertised listener.",
    "kafka-broker-number": (
        "kafka.common.InconsistentBrokerIdException: Configured broker.id 2 doesn't match stored broker.id Some(1) in meta.properties. If you moved your data, make sure"
    ),
    "kafka-everywhere": (
        "java.lang.IllegalArgumentException: requirement failed: advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address."
    ),
    "kafka-listener-names": (
        "requirement failed: inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid options based on currently configured listeners are PLAINTEXT"
    ),
    "kafka-folders-failed": (
        "ERROR Shutdown broker because all log dirs in /var/lib/kafka/data have failed (kafka.log.LogManager)"
    ),
    "zookeeper-number": ("java.lang.RuntimeException: My id 4 not in the peer list"),
    "rabbit-tables": (
        "Error during startup: {error,{schema_integrity_check_failed,[{table_missing,rabbit_listener}]}}"
    ),
    "rabbit-setting": (
        "[error] <0.9.0> You've tried to set listeners.ssl.defualt, but there is no setting with that name."
    ),
    "redis-databases": (
        "FATAL: Data file was created with a Redis server configured to handle more than 1 databases. Exiting"
    ),
    "mosquitto-pid-file": ("1700000000: Error: Unable to write pid file."),
    "nats-storage": ("[WRN] JetStream resource limits exceeded for server"),
    "rabbit-nodes-awaited": "Error while waiting for Mnesia tables: {timeout_waiting_for_tables,['rabbit@b1','rabbit@b2'],[rabbit_user,rabbit_vhost]}",
}
