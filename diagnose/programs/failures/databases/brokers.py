"""Known failures of message brokers: their listeners, their numbers and their data."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import Assigned

_KAFKA_NUMBERS = ("KAFKA_BROKER_ID", "KAFKA_CFG_BROKER_ID", "KAFKA_NODE_ID", "KAFKA_CFG_NODE_ID")

BROKERS = (
    Failure(
        name="kafka-broker-number",
        mark="broker.id",
        pattern=r"Configured broker\.id (?P<program>\d{1,10}) doesn't match stored broker\.id (?:Some\()?(?P<data>\d{1,10})\b"
        r"|Invalid broker\.id in: .{1,200}\. Expected (?P<program_new>\d{1,10}), but read (?P<data_new>\d{1,10})",
        cause="the data of this Kafka are those of broker {data}, and its settings call it {program}",
        cure="set KAFKA_BROKER_ID to {data}; if the volume is another broker's, give it its own",
        source="Kafka's own message",
        remedy=Assigned(_KAFKA_NUMBERS, "{data}"),
    ),
    Failure(
        name="kafka-everywhere",
        mark="nonroutable meta-address",
        pattern=r"(?P<setting>advertised\.\w{1,20}) cannot use the nonroutable meta-address (?P<address>\S{1,40}?)\. ",
        cause="Kafka tells its clients {address} as its address, where it cannot be reached "
        "({setting})",
        cure="name the host in KAFKA_ADVERTISED_LISTENERS that clients call, such as PLAINTEXT://kafka:9092 for containers; "
        "KAFKA_LISTENERS may keep {address}",
        source="Kafka's own message",
    ),
    Failure(
        name="kafka-listener-names",
        mark=("inter.broker.listener.name must", "no security protocol defined for listener"),
        pattern=r"inter\.broker\.listener\.name must be a listener name defined in advertised\.listeners"
        r"|No security protocol defined for listener \w{1,60}",
        cause="the settings of Kafka name a listener in one place and not in another",
        cure="name each listener of KAFKA_LISTENERS in KAFKA_ADVERTISED_LISTENERS and in "
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP, and let KAFKA_INTER_BROKER_LISTENER_NAME be one of them",
        source="Kafka's own message",
    ),
    Failure(
        name="kafka-folders-failed",
        mark="log dirs in",
        pattern=r"because all log dirs in (?P<path>/\S{1,200}) have failed",
        cause="Kafka cannot use its data in {path}: the disk is full or broken, or the folder belongs to another user; a line "
        "above says which",
        cure="make room there or give the folder to Kafka's user, and start it again",
        source="Kafka's own message",
        look="data",
        follows=True,
    ),
    Failure(
        name="zookeeper-number",
        mark="not in the peer list",
        pattern=r"\bMy id (?P<program>\d{1,5}) not in the peer list",
        cause="this ZooKeeper is number {program} by its file myid, and the list of servers has no server.{program}",
        cure="set ZOO_MY_ID to a number of the list ZOO_SERVERS, or add server.{program} there; a file myid in the data "
        "folder counts before the variable",
        source="ZooKeeper's own message",
        look="data",
    ),
    Failure(
        name="rabbit-nodes-awaited",
        mark="timeout_waiting_for_tables",
        pattern=r"\{timeout_waiting_for_tables,",
        cause="RabbitMQ waits for other nodes of its cluster, whose names its data hold: they do not run, or this node "
        "itself had another name before, as the host name of a container changes with each new one",
        cure="give the container a host name that stays (--hostname), as it was then, and start the other nodes too; "
        "where they are gone for good, rabbitmqctl force_boot starts this one without them",
        source="RabbitMQ documentation, restarting of cluster nodes",
        look="networks",
    ),
    Failure(
        name="rabbit-tables",
        mark="schema_integrity_check_failed",
        pattern=r"\{schema_integrity_check_failed",
        cause="the data of RabbitMQ were written by another version, to which or from which it cannot go in one step",
        cure="run the version that wrote the data, enable its feature flags (rabbitmqctl enable_feature_flag all), and "
        "upgrade by one minor version at a time",
        source="RabbitMQ documentation, upgrading",
        look="versions",
        build="earlier",
    ),
    Failure(
        name="rabbit-setting",
        mark="there is no setting with that name",
        pattern=r"You've tried to set (?P<word>[\w.$-]{1,120}), but there is no setting with that name",
        cause="RabbitMQ does not know the setting {word} of rabbitmq.conf: it is misspelt, or of another version",
        cure="correct {word} in the file, or take it out",
        source="RabbitMQ's own message",
    ),
    Failure(
        name="redis-databases",
        mark="configured to handle more than",
        pattern=r"Data file was created with a (?:Redis|Valkey) server configured to handle more than (?P<most>\d{1,6}) "
        r"databases",
        cause="the data of Redis use more databases than the {most} that its settings allow now",
        cure="raise `databases` in its configuration or its command to the previous number (16 "
        "without the setting)",
        source="Redis' own message",
    ),
    Failure(
        name="mosquitto-pid-file",
        mark="unable to write pid file",
        pattern=r"\bError: Unable to write pid file\b",
        cause="Mosquitto may not write the file that pid_file in its configuration names",
        cure="take pid_file out of mosquitto.conf, which no container needs, or name a file in a folder of its user",
        source="eclipse-mosquitto/mosquitto#2074",
    ),
    Failure(
        name="nats-storage",
        mark="jetstream resource limits exceeded",
        pattern=r"JetStream resource limits exceeded for server",
        cause="JetStream of NATS is full: its streams take more memory or disk than the server gives them, and refuse new "
        "messages",
        cure="raise max_file_store or max_memory_store below jetstream in its configuration, or set limits for the streams",
        source="NATS documentation, JetStream configuration",
        turns_away=True,
    ),
    Failure(
        name="kafka-advertised",
        mark="advertised",
        pattern=r"advertised\.listeners listener names must be equal to or a subset of the ones defined in listeners"
        r"|There must be at least one advertised listener",
        cause="the addresses that Kafka tells its clients do not fit those at which it listens: a name of "
        "KAFKA_ADVERTISED_LISTENERS is none of KAFKA_LISTENERS, or only the listener of the controller is left",
        cure="give KAFKA_LISTENERS and KAFKA_ADVERTISED_LISTENERS the same names, without that of the controller in the second "
        "(with KAFKA_CFG_ in Bitnami's image), such as PLAINTEXT://:9092 and PLAINTEXT://kafka:9092",
        source="Kafka's own message",
    ),
)
