"""What the clients of databases and brokers say about the end, the refusal or the silence of their
server."""

from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import TypedLike

CLIENT_REPLIES = (
    Failure(
        name="postgres-password-absent",
        mark="password",
        pattern=r"""(?x)
              \bfe_sendauth:\ no\ password\ supplied\b  # libpq
            | \bclient\ password\ must\ be\ a\ string\b  # Node.js
            | \bSCRAM-based\ authentication,\ but\ no\ password\ was\ provided\b  # Java
            | \bNo\ password\ has\ been\ provided\ but\ the\ backend\ requires\ one\b  # .NET
        """,
        cause="the database asks for a password, and the program has none: the variable for it is not set, is empty, or "
        "has another name than the program reads",
        cure="give the program the password of its database user",
        source="libpq's, pg's, pgJDBC's and Npgsql's own messages",
        remedy=TypedLike(r"(?:PG|POSTGRES|DB|DATABASE).*PASS(?:W(?:OR)?D)?$"),
        look="secrets",
    ),
    Failure(
        name="postgres-scram-unknown",
        mark=(
            "authentication type 10",
            "authentication type: 10",
            "scram authentication requires",
            "scram-sha-256",
        ),
        pattern=r"""(?x)
              \b(?:authentication\ type:?\ 10\b.{0,20}\bnot\ supported|unknown\ authentication\ type:?\ 10\b
                |unsupported\ authentication\ type:?\ 10\b)
            | \bSCRAM\ authentication\ requires\ libpq\ version\ 10\b
            | \bunsupported\ authentication\ method\b.{0,30}\bscram-sha-256\b
        """,
        cause="the program's driver is too old for the way in which PostgreSQL 14 and later check passwords "
        "(scram-sha-256)",
        cure="use a newer driver or a newer image of the program; until then start the database on new data with "
        "POSTGRES_HOST_AUTH_METHOD=md5 and POSTGRES_INITDB_ARGS=--auth-host=md5",
        source="PostgreSQL documentation, password authentication; pgJDBC's, Npgsql's and libpq's own messages",
        build="newer",
        look="database",
    ),
    Failure(
        name="postgres-connection-lost",
        mark=(
            "closed the connection unexpectedly",
            "been closed unexpectedly",
            "terminated unexpectedly",
        ),
        pattern=r"""(?x)
              \bserver\ closed\ the\ connection\ unexpectedly\b
            | \bSSL\ connection\ has\ been\ closed\ unexpectedly\b
            | ^(?:Uncaught\ )?Error:\ Connection\ terminated\ unexpectedly\b
        """,
        cause="the database server ended the connection while the program used it: it was stopped, started again or "
        "killed, or what lies between (a pooler, a proxy) cut the connection",
        cure="look at the log of the database at that time, and start the program again once it serves",
        source="libpq's and pg's own messages",
        of_running=NEVER,
        may_pass=True,
        look="database",
    ),
    Failure(
        name="mysql-connection-lost",
        mark=("gone away", "lost connection to "),
        pattern=r"\b(?:MySQL|MariaDB) server has gone away\b|\(2006, 'Server has gone away\b"
        r"|\bLost connection to (?:MySQL |MariaDB )?server (?:at|during)\b",
        cause="the database server ended the connection: it was started again or killed, the connection was idle for "
        "longer than its wait_timeout, or a statement was larger than its max_allowed_packet",
        cure="look at the log of the database at that time; where it ran on, start it with "
        "--max-allowed-packet=256M, or let the program open its connections again before wait_timeout",
        source="MySQL documentation, MySQL server has gone away",
        of_running=NEVER,
        may_pass=True,
        look="database",
    ),
    Failure(
        name="mysql-no-tls",
        mark="ssl is required, but the server does not support it",
        pattern=r"\bSSL is required, but the server does not support it\b",
        cause="the program's client of MariaDB asks for TLS, as those of release 11 and later do, and the database "
        "server has none",
        cure="write skip-ssl below [client] in the client's own settings (or --skip-ssl in its command), or give the "
        "server a certificate",
        source="MariaDB documentation, TLS in clients",
        look="database",
    ),
    Failure(
        name="redis-loading",
        mark="loading the dataset in memory",
        pattern=r"\b(?:Redis|Valkey|KeyDB) is loading the dataset in memory\b",
        cause="the Redis that the program calls still reads its data, as after each of its starts, and answers nothing "
        "until then",
        cure="start the program again once Redis says that it is ready; with depends_on and a health check of redis-cli "
        "ping it waits for that by itself",
        source="Redis' own message",
        of_running=NEVER,
        may_pass=True,
        look="database",
    ),
    Failure(
        name="kafka-silent",
        mark="node assignment",
        pattern=r"\bTimed out waiting for a node assignment\b",
        cause="the program reaches no broker of Kafka: none runs at the addresses that it is given, or the broker tells "
        "its clients another address than one that they reach",
        cure="compare bootstrap.servers of the program and advertised.listeners of the broker with the name of the "
        "broker's container",
        source="Kafka's own message",
        may_pass=True,
    ),
    Failure(
        name="kafka-topic-silent",
        mark="not present in metadata",
        pattern=r"\bTopic (?P<topic>[\w.-]{1,249}) not present in metadata after \d+ ms",
        cause="the program gets nothing about the topic {topic} from Kafka: it does not reach the broker, or the topic "
        "is not there",
        cure="see that the broker runs and says its container's name in advertised.listeners, and list its topics with "
        "kafka-topics.sh --list",
        source="Kafka's own message",
        may_pass=True,
    ),
    Failure(
        name="zookeeper-silent",
        mark="waiting for connection while in state: connecting",
        pattern=r"\bTimed out waiting for connection while in state: CONNECTING\b",
        cause="the program reaches no ZooKeeper at the address that it is given",
        cure="see that ZooKeeper's container runs, is on the same network, and has the name in zookeeper.connect",
        source="Kafka's own message",
        may_pass=True,
    ),
)
