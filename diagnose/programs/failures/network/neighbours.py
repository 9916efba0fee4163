"""Errors of programs that do not reach localhost, other containers, or the engine."""

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import Failure, Recognised
from diagnose.programs.failures.remedies import TrustedProxy

_LOOPBACK = "container.loopback-peer"
_OPTION = "container.option-missing"
_API = "container.client-api-too-new"

NEIGHBOURS = (
    Failure(
        name="mosquitto-local",
        mark="local only mode",
        pattern=r"Starting in local only mode",
        cause="Mosquitto takes only clients in its own container, "
        "because the configuration that it has read names no listener",
        cure="write `listener 1883` into mosquitto.conf, "
        "with a password_file or with `allow_anonymous true`",
        source="eclipse-mosquitto/mosquitto#2970",
    ),
    Failure(
        name="proxy-untrusted",
        mark="proxy",
        pattern=r"""(?x)
            request\ from\ a\ reverse\ proxy\ was\ received\ from\ (?P<address>[\da-f.:]+),\ but
            | X-Forwarded-For\ header\ from\ an?\ untrusted\ proxy\ (?P<address_header>[\da-f.:]+)
        """,
        cause="the program refuses every request that comes through the proxy {address}, "
        "which it does not trust",
        cure="add that address or its network to trusted_proxies, with use_x_forwarded_for: true, "
        "under http: in configuration.yaml; then restart the container",
        source="home-assistant/core#52636",
        turns_away=True,
        remedy=TrustedProxy(
            LazyPattern(r"(?:^|/)(?:home-assistant|homeassistant|hassio)\b"),
            folder="/config",
            file="configuration.yaml",
        ),
    ),
    Failure(
        name="loopback-upstream",
        mark="while connecting to upstream",
        pattern=r"connection refused\) while connecting to upstream\b.{0,400}\bupstream: \"\w{2,8}://(?:127\.0\.0\.1|localhost"
        r"|\[::1\]):(?P<port>\d{2,5})\b",
        cause="the web server passes its requests on to localhost:{port}, which is its own container, and nothing "
        "listens there",
        cure="where the image starts the program at port {port} itself, its log says why that "
        "one is not running; else name the container that has it instead of localhost",
        source="nginx' own message",
        confirmed_by=_LOOPBACK,
    ),
    Failure(
        name="loopback-refused",
        mark="",
        pattern=r"""(?xm)
            # who asked a web server, and for which page, is not what it calls itself
            ^(?=.*(?:ECONNREFUSED|connection\ (?:to\ \S{1,200}\ )?refused))
            (?>(?:refe?rr?er|origin)\W{1,8}https?://\S+|.)*?(?<!host:\ \")
            (?:127\.0\.0\.1|\[?::1\]?|localhost)[\"']?:(?!(?!33060|5000\d|5005\d)(?:3[3-9]\d{3}|[45]\d{4}|60\d{3}))(?P<port>\d{2,5})\b
            | Can't\ reach\ database\ server\ at\ `(?:localhost|127\.0\.0\.1)`:`(?P<port_prisma>\d+)
            # asyncio
            | (?:ConnectionRefusedError:.{0,60}|\[Errno\ 111\]\ Connect\ call\ failed\ )
                \('(?:127\.0\.0\.1|localhost|::1)',\ (?P<port_python>\d{2,5})
            | \bError\ 111\ connecting\ to\ (?:127\.0\.0\.1|localhost):(?P<port_redis>\d{2,5})
            | connect\(2\)\ for\ ["'](?:127\.0\.0\.1|localhost|::1)["']\ port\ (?P<port_ruby>\d{2,5})
            # MariaDB's driver for Java
            | \bhost[:=](?:127\.0\.0\.1|localhost)\)?,?\ ?\(?port[:=](?P<port_mariadb>\d{2,5})\b.{0,60}connection\ refused
            | \[(?:127\.0\.0\.1|localhost)/<unresolved>:(?P<port_lettuce>\d{2,5})\]:\ connection\ refused
            # Go, where the address has no host
            | \bdial\ tcp\ :(?P<port_hostless>\d{2,5}):\ connect:\ connection\ refused
        """,
        cause="the program calls localhost:{port}, which is the container itself, and nothing listens there",
        cure="give it the other container's name instead of localhost",
        confirmed_by=_LOOPBACK,
    ),
    Failure(
        name="loopback-without-ipv6",
        mark=("assign requested address", "eaddrnotavail", "errno 99", "error 99", "not available"),
        # of 127.0.0.1 the same error means that no local port is left
        pattern=r"""(?x)
            \bError\ 99\ connecting\ to\ (?:localhost|::1):(?P<port>\d{2,5})\b
            | \bdial\ tcp\ \[::1\]:(?P<port_go>\d{2,5}):\ connect:\ cannot\ assign\ requested\ address
            | \bconnect\ EADDRNOTAVAIL\ ::1:(?P<port_node>\d{2,5})\b
            | \blocalhost:(?P<port_mongo>\d{2,5}):\ \[Errno\ 99\]
            | \bCannot\ assign\ requested\ address\ \(localhost:(?P<port_net>\d{2,5})\)
            | \bCannot\ assign\ requested\ address\ \[::1\]:(?P<port_socket>\d{2,5})\b
            | \bCannot\ assign\ requested\ address:\ localhost/\[?(?:0:){7}1\]?:(?P<port_netty>\d{2,5})\b
            | \bserver\ at\ "localhost"\ \(::1\),\ port\ (?P<port_libpq>\d{2,5})\ failed:
                \ (?:Cannot\ assign\ requested\ address|Address\ not\ available)
            | \bserver:\ Cannot\ assign\ requested\ address[;\s]*Is\ the\ server\ running\ on
                \ host\ "localhost"\ \(::1\).{0,60}\ port\ (?P<port_old>\d{2,5})\b
            | \bCannot\ assign\ requested\ address\ -\ connect\(2\)\ for\ ["'](?:localhost|::1)["']
                \ port\ (?P<port_ruby>\d{2,5})\b
            | \bHTTPConnectionPool\(host='localhost',\ port=(?!(?:3[3-9]|[45]\d|60)\d{3}\))(?P<port_urllib>\d{2,5})\)
                .{0,400}Errno\ 99\b
        """,
        cause="the program calls localhost:{port}, which is the container itself, and finds no server there: "
        "it has no IPv6 address ::1",
        cure="give it the name of the container that it means instead of localhost, "
        "or 127.0.0.1 where the server is in its own container",
        source="the kernel's own words (EADDRNOTAVAIL)",
        confirmed_by=_LOOPBACK,
    ),
    Failure(
        name="loopback-postgres",
        mark="refused",
        pattern=r"connection to server at \"(?:localhost|127\.0\.0\.1)\"[^,]*, port (?P<port>\d+) failed: Connection refused"
        r"|connect to server: Connection refused[;\s]*Is the server running on host \"(?:localhost|127\.0\.0\.1)\".{0,80}port (?P<port_old>\d+)",
        cause="the program calls localhost:{port}, which is the container itself, and nothing listens there",
        cure="give it the other container's name instead of localhost",
        confirmed_by=_LOOPBACK,
    ),
    Failure(
        name="loopback-bootstrap",
        mark=("could not be established", "unable to bootstrap"),
        # before a broker has said which address to call, its number is below zero
        pattern=r"to node -\d+ \((?:localhost)?/(?:127\.0\.0\.1|\[?(?:0:){7}1\]?):(?P<port>\d+)\) could not be established"
        r"|\bUnable to bootstrap from \[\('(?:localhost|127\.0\.0\.1)', (?P<port_python>\d{2,5})",
        cause="the program calls a broker at localhost:{port}, which is the container itself, and nothing listens there",
        cure="give it the broker's container name instead of localhost",
        source="Kafka's clients' own messages",
        confirmed_by=_LOOPBACK,
    ),
    Failure(
        name="loopback-kafka",
        mark="could not be established",
        pattern=r"to node \d+ \((?:localhost)?/(?:127\.0\.0\.1|\[?(?:0:){7}1\]?):(?P<port>\d+)\) could not be established",
        cause="the broker tells its clients to call localhost:{port}, which is the client's own container",
        cure="give the broker its own name in advertised.listeners",
        confirmed_by=_LOOPBACK,
    ),
    Failure(
        name="loopback-unreached",
        mark="",
        pattern=r"""(?x)
            # a port that systems give by chance is of a process that the program has started itself
            \b(?:could\ ?n(?:o|')?t|can(?:'t|\ ?not)|unable\ to|failed\ to)\ (?:be\ )?(?:reach|connect|contact)(?:ed)?\b
                (?:(?!\w:\d|\b(?:listening|open\ http|origin|referr?er|see\ http|serving|visit)\b)[^\n]){0,100}?
                (?:localhost|127\.0\.0\.1|\[::1\]):(?!(?!33060|5000\d|5005\d)(?:3[3-9]\d{3}|[45]\d{4}|60\d{3}))(?P<port>\d{2,5})(?![\d:])
            | UnableToConnect\ on\ (?:localhost|127\.0\.0\.1):(?P<port_stackexchange>\d{2,5})
            | Failed\ connecting\ to\ (?:localhost|127\.0\.0\.1):(?P<port_jedis>\d{2,5})
            | Unable\ to\ connect\ to\ (?:localhost|127\.0\.0\.1)/<unresolved>:(?P<port_lettuce>\d{2,5})
            | server\ on\ '(?:localhost|127\.0\.0\.1):(?P<port_mysql>\d{2,5})'\ \((?:\[Errno\ )?\d{2,3}\b
            | HTTPConnectionPool\(host='(?:localhost|127\.0\.0\.1)',\ port=(?P<port_urllib>\d{2,5})\)
                .{0,400}(?:refused|Errno\ 111)
        """,
        cause="the program calls localhost:{port}, which is the container itself, and gets no answer there",
        cure="give it the name of the container that it means, or host.docker.internal for the host, "
        "instead of localhost",
        source="itsToggle/plex_debrid#52",
        confirmed_by=_LOOPBACK,
    ),
    Failure(
        name="mysql-socket-unserved",
        mark=("can't connect to local m", "can't connect to local server"),
        pattern=r"Can't connect to local (?:(?:MySQL|MariaDB) )?server through socket '(?P<socket>[^'\n]{1,200})' \(111",
        cause="the database server of this container's own does not answer at {socket}: it is not up yet, or has ended, "
        "and its socket file is left",
        cure="look at the server's own log; a start script that calls the server before it is up has to wait for it",
        source="Painted-Fox/docker-mariadb#4",
        may_pass=True,
        look="data",
    ),
    Failure(
        name="mysql-socket",
        mark=("can't connect to local m", "can't connect to local server"),
        pattern=r"Can't connect to local (?:(?:MySQL|MariaDB) )?server through socket",
        cause="the program calls localhost, which is the container itself, through a socket file that is not there",
        cure="give it the database container's name instead of localhost",
        confirmed_by=_LOOPBACK,
        needs=("3306",),
    ),
    Failure(
        name="mysql-at-localhost",
        mark="server on '",
        pattern=r"Can't connect to (?:MySQL |MariaDB )?server on '(?:localhost|127\.0\.0\.1)' \((?:\[Errno )?1\d\d\b"
        # without IPv6
        r"|Can't connect to (?:MySQL |MariaDB )?server on 'localhost' \((?:\[Errno )?99\b",
        cause="the program calls the database at localhost, which is the container itself",
        cure="give it the database container's name instead of localhost",
        source="MySQL's and MariaDB's clients' own messages",
        confirmed_by=_LOOPBACK,
        needs=("3306",),
    ),
    Failure(
        name="php-mysql-socket",
        mark="no such file or directory",
        pattern=r"(?:\[2002\]|\(2002\)|\(HY000/2002\):) No such file or directory",
        cause="the program calls the database at localhost, which is the container itself",
        cure="give it the database container's name instead of localhost",
        confirmed_by=_LOOPBACK,
        needs=("3306",),
    ),
    Failure(
        name="nginx-hosts-file-unread",
        mark="could not be resolved (",
        pattern=r"\b(?P<name>(?:host|gateway)\.docker\.internal) could not be resolved \(\d+: ",
        cause="nginx asks DNS servers for {name}, because it stands behind a variable: it reads no hosts file then",
        cure="write the address of {name}, or the name without a variable, into proxy_pass",
        source="NginxProxyManager/nginx-proxy-manager#5344",
        confirmed_by="dns.hosts-file-unread",
    ),
    Failure(
        name="host-gateway",
        mark="host.docker.internal",
        pattern=r"(?m)^(?=.*host\.docker\.internal)(?=.*(?:not known|ENOTFOUND|EAI_AGAIN|no such host|could not (?:translate|resolve)|unknown ?host|bad address|getaddrinfo|resolve))",
        cause="host.docker.internal has no address here: on Linux a container has to be given it",
        cure="recreate it with --add-host=host.docker.internal:host-gateway",
        confirmed_by=_OPTION,
        needs=("--add-host=host.docker.internal:host-gateway",),
    ),
    Failure(
        name="api-too-new",
        mark="is too new. maximum supported api version",
        pattern=r"client version (?P<client>[\d.]+) is too new\. Maximum supported API version is (?P<most>[\d.]+)",
        cause="the program uses Docker API {client}, but the engine that it calls supports only up to {most}",
        cure="set DOCKER_API_VERSION={most}, or upgrade that engine",
        source="nicholas-fedor/watchtower#87",
        confirmed_by=_API,
    ),
    Failure(
        name="api-too-old",
        mark="is too old. minimum supported api version",
        pattern=r"client version (?P<client>[\d.]+) is too old\. Minimum supported API version is (?P<least>[\d.]+)",
        cause="the program uses Docker API {client}, but the engine that it calls requires at least {least}",
        cure="upgrade the program's image; until then set DOCKER_API_VERSION={least}",
        source="containrrr/watchtower#2126",
        confirmed_by="daemon.client-api-too-old",
    ),
    Failure(
        name="nginx-upstream",
        mark="host not found in upstream",
        pattern=r"host not found in upstream \"(?P<host>[^\":]+)",
        cause="nginx knows no address of {host}: no running container on its networks has that name",
        cure="start {host} first, or put both on one network",
        source="NoFxAiOS/nofx#82",
        may_pass=True,
    ),
    Failure(
        name="nginx-upstream-plain",
        mark="wrong version number",
        pattern=r"wrong version number.{0,40}while SSL handshaking to upstream.*upstream: \"https://(?P<place>[^/\"]+)",
        cause="nginx speaks TLS to {place}, which answers in plain HTTP: each request ends with 502",
        cure="write http:// instead of https:// before that place in proxy_pass, or name the port on "
        "which it serves TLS; then load the configuration: docker kill -s HUP",
        turns_away=True,
    ),
    Failure(
        name="certificate-time",
        mark=("certificate", "current time", "not yet valid"),
        pattern=r"certificate (?:has expired or )?is not yet valid(?!.{0,60} is after)|CERTIFICATE_VERIFY_FAILED.{0,40}not yet valid|current time \S+ is before",
        cause="a certificate is not valid yet by this clock, which may be wrong",
        cure="compare the host's clock: timedatectl, or date -u beside another machine",
        look="machine",
    ),
    Failure(
        name="docker-socket",
        mark=("docker", "server api version"),
        pattern=r"""(?x)
              permission\ denied\ while\ trying\ to\ connect\ to\ the\ Docker[ ]
                (?:daemon\ socket|API)
            | dial\ unix\ /var/run/docker\.sock:\ connect:\ permission\ denied
            | \b(?:EACCES|permission\ denied)\b.{0,40}/run/docker\.sock\b
            | /run/docker\.sock\b.{0,40}\b(?:EACCES|permission\ denied)
            | \bError\ while\ fetching\ server\ API\ version:.{0,40}Permission\ ?(?:denied|Error)
        """,
        cause="the program's user may not open the engine's socket",
        cure="recreate it with --group-add of the group that owns /var/run/docker.sock",
        source="jenkinsci/docker#263",
        confirmed_by="container.mount-forbidden",
    ),
    Failure(
        name="rabbit-alarm",
        mark="resource limit alarm set",
        pattern=r"\b(?P<what>memory|disk) resource limit alarm set on node\b",
        cause="RabbitMQ takes no messages until its alarm clears: its {what} is short, by its own limit",
        cure="look at the disk of its data folder and at the container's memory limit; disk_free_limit and "
        "vm_memory_high_watermark of rabbitmq.conf set where the alarm begins",
        source="RabbitMQ documentation, memory and disk alarms",
        turns_away=True,
    ),
)


def on_host_network(failure: Recognised) -> Recognised:
    """The failure with its meaning for a container that has the host's network, where it is a
    refused call to localhost; any other failure unchanged."""
    if failure.confirmed_by != _LOOPBACK or "port" not in failure.values:
        return failure
    row = msgspec.structs.replace(
        failure.failure,
        cause="the program calls localhost:{port}, which is the host here, for the container has the "
        "host's network, and nothing of the host listens there",
        cure="publish that port of the container that it means, or start the program of the host",
    )
    return msgspec.structs.replace(failure, failure=row)
