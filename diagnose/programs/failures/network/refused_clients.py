"""Errors with which servers refuse a client, in the words of the server."""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import NEVER, Failure
from diagnose.programs.failures.remedies import Parameter

_OF_CALLERS = LazyPattern(r"\bTLS handshake error\b")
"""Words of a server about clients that call it without TLS."""
_OF_ACCEPTED = LazyPattern(
    r"(?i)\baccept|\bclient\b ?[:=,]|\bhandshaking\b|\bpeer\b|\bfailed to authenticate https connection\b"
)
"""The same in the words of OpenSSL and Kestrel, by servers of mail and of the web."""
_OF_A_CALL = LazyPattern(r"\b(?:Get|Post|Put|Head|Patch|Delete) \\{0,3}\"")

REFUSED_CLIENTS = (
    Failure(
        name="mysql-blocked",
        mark="because of many connection errors",
        pattern=r"Host '(?P<host>[^']{1,100})' is blocked because of many connection errors",
        cause="the database blocks {host}: too many connections from there ended before a login, as those of a "
        "health check that only opens the port, or of a scanner",
        cure="run mysqladmin flush-hosts in the database's container, and let the health check log in (mysqladmin ping)",
        source="MySQL documentation, host cache",
        look="database",
    ),
    Failure(
        name="mysql-zone",
        mark="more than one time zone",
        pattern=r"server time zone value '(?P<zone>[^']{1,60})' is unrecognized or represents more than one time zone",
        cause="Java's driver does not know the time zone that the database names, {zone}",
        cure="add connectionTimeZone=UTC (older drivers: serverTimezone=UTC) to the address of the database",
        source="MySQL Connector/J's own message",
        remedy=Parameter("jdbc:m", "serverTimezone=UTC"),
        look="database",
    ),
    Failure(
        name="mysql-packet",
        mark=("max_allowed_packet", "packet for query is too large"),
        pattern=r"(?:Got a packet bigger than|larger than).{0,80}max_allowed_packet|\bPacket for query is too large\b",
        cause="the program sends the database more at once than its max_allowed_packet allows",
        cure="start the database with --max-allowed-packet=256M, or let the program send less at once",
        source="MySQL documentation, packet too large",
        of_running=NEVER,
        look="database",
    ),
    Failure(
        name="mysql-password-kind",
        mark="mysql_native_password",
        pattern=r"Plugin '?mysql_native_password'? is not loaded",
        cause="the user of the database logs in by mysql_native_password, which MySQL 8.4 has switched off and MySQL 9 "
        "does not have",
        cure="run ALTER USER ... IDENTIFIED WITH caching_sha2_password BY a password for that user; until then MySQL "
        "8.4 starts with --mysql-native-password=ON",
        source="MySQL documentation, native pluggable authentication",
        look="database",
    ),
    Failure(
        name="hibernate-unreached",
        mark=("dialectresolutioninfo cannot be null", "determine dialect without jdbc metadata"),
        pattern=r"DialectResolutionInfo cannot be null|Unable to determine Dialect without JDBC metadata",
        cause="the program does not reach its database, or is refused there: Hibernate asks it for its kind, and got no "
        "answer",
        cure="see the lines above this one, and that the database's container runs, is on the same network, and has the "
        "name that the program is given; hibernate.dialect is not what is missing",
        source="Hibernate's own message",
        may_pass=True,
    ),
    Failure(
        name="mssql-database",
        mark="requested by the login",
        pattern=r'Cannot open database "(?P<database>[^"]{1,128})" requested by the login',
        cause="SQL Server has no database {database}, or the user of the program may not use it: its image makes no "
        "database by itself",
        cure="create it with sqlcmd (CREATE DATABASE), or correct the name in the address; the database also needs a "
        "while after the start of its server",
        source="SQL Server's own message, error 4060",
        look="database",
    ),
    Failure(
        name="mssql-certificate",
        mark="certificate chain was issued by an authority that is not trusted",
        pattern=r"certificate chain was issued by an authority that is not trusted",
        cause="the program asks SQL Server for TLS, as its newer drivers do by default, and does not trust the "
        "certificate that the server has made for itself",
        cure="add TrustServerCertificate=True to the connection string, or give the server a certificate that the "
        "program trusts",
        source="Microsoft documentation, SqlClient",
    ),
    Failure(
        name="mongo-login-needed",
        mark="requires authentication",
        pattern=r"\bcommand (?P<command>\w{2,40}) requires authentication",
        cause="the MongoDB that the program calls asks for a login, and the program gives no user and password",
        cure="write them into its address: mongodb://USER:PASSWORD@HOST:27017/DATABASE?authSource=admin",
        source="MongoDB's own message",
        of_running=NEVER,
        look="database",
    ),
    Failure(
        name="elastic-login-needed",
        mark="missing authentication credentials",
        pattern=r"missing authentication credentials for (?:REST request|action)",
        cause="the Elasticsearch or OpenSearch that the program calls asks for a login, as it does by default since "
        "version 8, and the program gives none",
        cure="set user and password (or an API key) in the program's settings",
        source="Elasticsearch's own message",
        look="database",
    ),
    Failure(
        name="amqp-refused",
        mark=("exception (403)", "rabbitmq failed", "authenticationfailure", "access_refused"),
        pattern=r'Exception \(403\) Reason: \\?"(?:username or password not allowed|no access to this vhost)'
        r"|\bAuthentication with RabbitMQ failed|\b(?:Possible)?AuthenticationFailureError\b"
        r"|\bACCESS_REFUSED - Login was refused",
        cause="RabbitMQ refuses the program's user, password or virtual host; guest is let in only from RabbitMQ's own "
        "container, and RABBITMQ_DEFAULT_USER counts only at its first start",
        cure="give the program the user that RabbitMQ has (rabbitmqctl list_users; list_permissions)",
        source="RabbitMQ documentation, access control",
        look="database",
    ),
    Failure(
        name="amqp-vhost",
        mark="vhost",
        pattern=r"\bvhost '?(?P<vhost>[\w/.-]{1,80})'? not found",
        cause="RabbitMQ has no virtual host {vhost}",
        cure="run rabbitmqctl add_vhost {vhost} and set_permissions in its container, or correct the address: a path "
        "of / is written %2f there",
        source="RabbitMQ's own message",
        of_running=NEVER,
        look="database",
    ),
    Failure(
        name="kafka-own-address",
        mark="bootstrap broker",
        pattern=r"Bootstrap broker (?P<broker>(?:localhost|127\.0\.0\.1):\d{1,5})\b.{0,40}disconnected",
        cause="the program calls Kafka at {broker}, which is its own container",
        cure="give it the broker's service name, and set KAFKA_ADVERTISED_LISTENERS of the broker to the same name",
        source="Kafka documentation, listeners",
    ),
    Failure(
        name="no-way-to-ipv6",
        mark=("network is unreachable", "enetunreach", "assign requested address", "eaddrnotavail"),
        pattern=r"(?:dial tcp|connect(?:ing|ion)?(?: to)?|connect\(\))\W{1,6}(?P<address>[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7})"
        r".{0,60}(?:network is unreachable|cannot assign requested address)|\bconnect E(?:NETUNREACH|ADDRNOTAVAIL) (?P<address_node>[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}):\d{1,5}\b",
        cause="the program calls {address}, an address of IPv6, and its container has no way there",
        cure="give the network IPv6 (docker network create --ipv6), or let the program use IPv4: Node.js with "
        "NODE_OPTIONS=--dns-result-order=ipv4first",
        source="Linux documentation, ip; nodejs/node#40537",
        of_running=NEVER,
        goes_on=True,
        look="networks",
    ),
    Failure(
        name="no-way-out",
        mark=("network is unreachable", "enetunreach"),
        pattern=r"""(?x)
              (?:
                    (?P<host>(?:\d{1,3}\.){3}\d{1,3})(?::\d+)?
                  | host='(?P<host_python>[\w.-]{1,100})'[^\n]{0,300}
                )\W{0,4}(?:connect:\ |\[Errno\ 101\]\ )?network\ is\ unreachable
            | ENETUNREACH\ (?P<host_node>(?:\d{1,3}\.){3}\d{1,3})
        """,
        cause="the container has no way to {host}: its network is an internal one, or it has none (--network=none)",
        cure="connect it to a network that is not internal too: docker network connect NETWORK CONTAINER",
        source="Linux documentation, ip",
        of_running=NEVER,
        look="networks",
    ),
    Failure(
        name="mount-inside-refused",
        mark=("mount error(", "mount.nfs: ", "mount: mounting "),
        pattern=r"""(?x)
              mount\ error\((?P<number>\d+)\):\ (?P<why>[\w ]{3,60})
            | mount\.nfs:\ (?P<why_nfs>
                    access\ denied\ by\ server | Operation\ not\ permitted
                  | Connection\ timed\ out | No\ such\ device
                )
            | mount:\ mounting\ (?P<what>\S{1,200})\ on\ \S{1,200}\ failed:[ ]
                (?P<why_busybox>[\w ]{3,60})
        """,
        cause="the program mounts a share by itself, which fails ({why}): a container may not mount without the "
        "capability SYS_ADMIN, or the server refuses",
        cure="let the engine mount it: docker volume create --opt type=nfs (cifs), and give the container that volume",
        source="docker documentation, volumes with NFS and CIFS",
    ),
    Failure(
        name="plain-server",
        mark=(
            "gave http response to https client",
            "first record does not look like a tls handshake",
        ),
        pattern=r"(?:https://(?P<host>[\w.-]{1,100}(?::\d{1,5})?)[^\n]{0,300})?"
        r"(?:server gave HTTP response to HTTPS client|first record does not look like a TLS handshake)",
        cause="the program asks for TLS a server that speaks plain: the address has https or the wrong port",
        cure="write http:// into the address of a server of one's own network, or the port on which it has TLS; of a "
        "mail server, STARTTLS in place of TLS",
        source="Go's own messages",
        unlike=_OF_CALLERS,
        of_running=_OF_A_CALL,
    ),
    Failure(
        name="plain-port",
        mark=(
            "unknown protocol",
            "wrong version number",
            "unexpected tls packet was received",
            "unrecognized ssl message",
            "determine the frame size",
        ),
        pattern=r"SSL23_GET_SERVER_HELLO:unknown protocol|WRONG_VERSION_NUMBER\] wrong version number"
        r"|^GnuTLS: An unexpected TLS packet was received"
        r"|\bstate=error: wrong version number|\bSSLException: Unsupported or unrecognized SSL message"
        r"|\bCannot determine the frame size or a corrupted frame was received"
        r"|ssl3_get_record:wrong version number|\bcurl: \(35\)[^\n]{0,80}:wrong version number",
        cause="the program speaks TLS to a port that answers in plain text: the address has https or the wrong port, or "
        "its name leads to another server, such as the container itself",
        cure="write http:// into the address, or the port on which that server has TLS; getent hosts NAME in the container "
        "shows where the name leads; of a mail server, STARTTLS in place of TLS",
        source="OpenSSL's, Java's and .NET's own messages, nginx-proxy/nginx-proxy#915",
        unlike=_OF_ACCEPTED,
    ),
    Failure(
        name="redis-slots",
        mark="clusterdown",
        pattern=r"\bCLUSTERDOWN (?:Hash slot not served|The cluster is down)",
        cause="the Redis that the program calls runs as a cluster, of which some parts are missing or were never "
        "joined",
        cure="join them with redis-cli --cluster create (fix), or turn off cluster-enabled for a single server",
        source="Redis documentation, scaling",
        look="database",
    ),
    Failure(
        name="mongo-user-elsewhere",
        mark="usernotfound",
        pattern=r"UserNotFound: Could not find user \\?\"(?P<user>[^\"\\]{1,80})\\?\" for db \\?\"(?P<database>[^\"\\]{1,80})",
        cause="a client logs in to MongoDB as {user} of the database {database}, which has no such user: its address lacks "
        "authSource, or the user was never made",
        cure="write ?authSource=admin behind the client's address where the user is one of admin; "
        "MONGO_INITDB_ROOT_USERNAME counts only while the data folder is empty",
        source="MongoDB documentation, connection strings",
        turns_away=True,
        look="database",
    ),
    Failure(
        name="pooler-database",
        mark="no such database: ",
        pattern=r"\bpooler error: no such database: (?P<database>[\w.-]{1,80})|closing because: no such database: (?P<database_closed>[\w.-]{1,80})",
        cause="a client asks PgBouncer for the database {database}, which its section [databases] does not list",
        cure="add {database} there, or a line that begins with * for all",
        source="PgBouncer documentation, configuration",
        turns_away=True,
    ),
    Failure(
        name="oracle-service",
        mark="ora-12514",
        pattern=r"\bORA-12514\b",
        cause="Oracle's listener knows no service of the name that the client asks for: the database is still starting, or "
        "the name is the one of another edition or of the root container",
        cure="wait for DATABASE IS READY TO USE in its log; the service is FREEPDB1 in Free, XEPDB1 in XE",
        source="gvenzl/oci-oracle-xe's documentation",
        turns_away=True,
        may_pass=True,
    ),
)
"""In the order in which a line is compared with them."""
