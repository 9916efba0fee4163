"""Complaints about calls of other programs: names, ports, silence."""

import re

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import NEVER, Failure

_MANY = "many programs"

_NAME = r"[\w-]+(?:\.[\w-]+)*"

_UNRESOLVED = rf"""(?x)
        lookup\ (?P<host_go>{_NAME})\.?(?:\ on\ \S+)?:\ (?:no\ such\ host
            |server\ misbehaving|i/o\ timeout|Temporary)
        | getaddrinfo\ (?:ENOTFOUND|EAI_AGAIN)\ (?P<host_node>{_NAME})
        | UnknownHostException:\ (?P<host_java>{_NAME})
        | could\ not\ translate\ host\ name\ \\?\"(?P<host_postgres>{_NAME})\\?\"
        | Could\ not\ resolve\ host:\ (?P<host_curl>{_NAME})
        | getaddrinfo\ for\ (?P<host_php>{_NAME})\ failed
        | (?:failed|unable|could\ not|couldn't|cannot|can't)\ (?:to\ )?resolve\ (?:the\ )?
            (?:host(?:[ ]?name)?\ |address\ |name\ |server\ )?['\"`]?
            (?P<host_resolved>(?!host\b|service\ for\ type\b|name\b|address\b|the\b|config|dependen|module|place
                |import|plugin|(?:a|aaaa|mx|srv|txt)\ record){_NAME})['\"`]?(?=$|[:;,.)\ ])
        | \bunable\ to\ resolve\ host\ address\ ‘(?P<host_wget>{_NAME})’
        | \b(?:unknown|no\ such)\ (?:(?:mysql\ )?server\ )?host(?:\ name)?:?\ ['\"`]?
            (?P<host_unknown>(?!is\b|or\b){_NAME})
        | (?<![/\w.-])['\"`]?(?P<host_lost>(?!\d+:|rejected:){_NAME})['\"`]?(?::\d+)?:?\ host(?:[ ]?name)?\ not\ found
        | host(?:[ ]?name)?\ not\ found:?\ ['\"`](?P<host_quoted>{_NAME})['\"`]
        | no\ address\ associated\ with\ (?:host)?name:?\ ['\"`]?(?P<host_associated>{_NAME})
        | bad\ address\ '(?P<host_busybox>{_NAME})
        | Temporary\ failure\ resolving\ '(?P<host_apt>{_NAME})
        | (?<![/\w.-])(?P<host_nginx>{_NAME})\ could\ not\ be\ resolved\ \(\d+:\ Host\ not
        | \bserver\ on\ '(?P<host_pymysql>{_NAME})'\ \(\[Errno\ -[235]\]
        | \bgetaddrinfo\ failed:[^\n]{{0,60}}\[\w{{2,9}}://(?P<host_predis>{_NAME}):\d
        | \bgetaddrinfo\ for\ host\ \"(?P<host_netcat>{_NAME})\"
        | \bName\ (?:or\ service\ not\ known|does\ not\ resolve)\ \((?P<host_dotnet>{_NAME}):\d
        | \btcp\ connect\ \((?P<host_elixir>{_NAME}):\d+\):\ non-existing\ domain
        | \bBackend\ host\ '"(?P<host_varnish>{_NAME})"'\ could\ not\ be\ resolved
        | \b(?P<host_first>{_NAME}):\d+\b.{{0,20}}(?:Name\ or\ service\ not\ known
            |Temporary\ failure\ in\ name|No\ address\ associated)
"""
"""A name that no DNS server knows, as libraries of many languages say it."""
_OUTSIDE = LazyPattern(
    r"""
    ^(?!
        (?:
              api | app | backend | broker | cache | database | db | elasticsearch | kafka
            | mariadb | memcached | minio | mongo(?:db)? | mysql | nats | postgres(?:ql)?
            | queue | rabbitmq | redis | server | web | zookeeper
          )\.(?!com$|io$|net$|org$)[a-z]{2,24}$
      ).*\.(?!
        (?:
              arpa | cluster | corp | docker | home | internal | intranet | jitsi | lab
            | lan | local | localdomain | svc | test
          )$
      )[a-z]{2,24}$
    """,
    re.VERBOSE,
)
"""A name of the internet: its last label is none of those that networks give themselves.

`redis.app` is what a compose file calls a neighbour: a service with another word."""

_MULTICAST = LazyPattern(r"^[^.]+\.local$")
"""Names that devices give themselves at home. Longer ones are of a domain, as svc.cluster.local."""

_ELSEWHERE = r"(?!localhost\b|127\.|::1\b)"
"""A place that is not the container itself."""

_NO_SOURCE_FILE = r"(?![\w.-]{1,200}\.(?:c|cc|cpp|cs|ex|go|java|[cm]?js|lua|php|pl|py|rb|rs|tsx?):)"
"""A place in the code is not a server."""

PEERS = (
    Failure(
        name="multicast-name-unresolved",
        mark=".local",
        pattern=_UNRESOLVED,
        about=_MULTICAST,
        cause="the program calls {host}, and names in .local are asked by multicast (mDNS), which does not leave a "
        "bridge network of Docker",
        cure="give the program the address of that device or a name in DNS, or run the container in the host's network",
        source="ESPHome's and Home Assistant's documentation",
    ),
    Failure(
        name="outside-name-unresolved",
        mark="",
        pattern=_UNRESOLVED,
        about=_OUTSIDE,
        cause="the program calls {host}, a name of the internet, and no DNS server that its container asks gives an "
        "address",
        cure="see whether the host itself finds it with getent hosts {host}: if not, the host's DNS or its way out is "
        "broken; else that of the containers is, and diagnose check dns says where",
        source=_MANY,
        may_pass=True,
    ),
    Failure(
        name="name-unresolved",
        mark="",
        pattern=_UNRESOLVED,
        cause="the program calls {host}, and that name does not resolve in its container",
        cure="see that a container of that name runs on the same network, "
        "or correct the name in the program's settings",
        source=_MANY,
        may_pass=True,
    ),
    Failure(
        name="some-name-unresolved",
        mark="",
        pattern=r"""(?x)
            Temporary\ failure\ in\ name\ resolution  # glibc, as Python repeats it
            | Name\ or\ service\ not\ known
            | nodename\ nor\ servname\ provided
            | bad\ address  # busybox
            | \bEAI_AGAIN\b(?!\ \w+\.)(?=\ undefined)
            | \bDNS\ resolution\ (?:is\ )?(?:currently\ )?(?:not\ available|unavailable)\b
            | \bNo\ resolvable\ bootstrap\ urls\b  # Kafka
            | \bUnable\ to\ connect\ \(Lookup\ error\.\)  # Mosquitto
        """,
        cause="the program calls a name that does not resolve in its container, and does not say which",
        cure="look for the name in the program's settings, and see that a container of that name runs "
        "on the same network",
        source=_MANY,
        may_pass=True,
    ),
    Failure(
        name="peer-refused",
        mark=("refused", "111", "connect call failed", "connect(2)"),
        pattern=rf"""(?x)
            \bserver\ on\ '(?P<peer_mysql>{_ELSEWHERE}[\w.-]+(?::\d{{2,5}})?)'\ \((?:\[Errno\ )?111\b
            | \bhost:(?P<peer_mariadb>{_ELSEWHERE}[\w.-]+),\ port:\d.{{0,40}}connection\ refused
            | \(host=(?P<peer_addressed>{_ELSEWHERE}[\w.-]+)\)\(port=\d.{{0,60}}connection\ refused
            | \bTried\ connecting\ to\ \[\('(?P<peer_cassandra>{_ELSEWHERE}[\w.:-]+)',[^\n]{{0,60}}connection\ refused
            | \bConnect\ call\ failed\ \('(?P<peer_asyncio>{_ELSEWHERE}[\w.:-]+)',
            | \bconnect\(2\)\ for\ [\"'](?P<peer_ruby>{_ELSEWHERE}[\w.-]+)[\"']\ port\b
            | \bto\ Redis\ on\ (?P<peer_redis>{_ELSEWHERE}[\w.-]+:\d{{2,5}})\ \(Errno::ECONNREFUSED
            | \bError\ 111\ connecting\ to\ (?P<peer_errno>{_ELSEWHERE}[\w.-]+:\d{{2,5}})\b
            | \bipv[46]:(?P<peer_grpc>{_ELSEWHERE}[\d.]+:\d{{2,5}}):.{{0,60}}connection\ refused
            | \bto\ remote\ host\ \((?P<peer_busybox>{_ELSEWHERE}[\d.]+)\):\ connection\ refused
            | \[(?P<peer_lettuce>{_ELSEWHERE}[\w.-]+)/<unresolved>:\d+\]:\ connection\ refused
            | \bfor\ url\ \(https?://(?P<peer_url>{_ELSEWHERE}[\w.-]+(?::\d{{2,5}})?)[^\n]{{0,300}}connection\ refused
            | \bconnection\ refused[^\n]{{0,40}}\ executing\ [A-Z]{{3,7}}\ https?://(?P<peer_feign>{_ELSEWHERE}[\w.-]+)
            | (?<![\w.:-]){_NO_SOURCE_FILE}(?P<peer>(?:[A-Za-z][\w.-]*|\d+(?:\.\d+){{3}}):\d{{2,5}})\b(?!:\d)
                .{{0,40}}connection\ refused
            | \bdial\ tcp\ (?P<peer_bracketed>\[(?!::1\])[\da-f:]{{2,40}}\]:\d{{2,5}}):\ connect:\ connection\ refused
            | ECONNREFUSED\ (?P<peer_node>\S+:\d{{2,5}})
            | connection\ (?:to\ \S+\ )?refused.{{0,40}}?(?<![\w.:-])
                (?P<peer_behind>{_NO_SOURCE_FILE}[\w.-]+:\d{{2,5}})\b(?!:\d)
            | \bConnection\ to\ (?P<peer_jdbc>[\w.-]+:\d{{2,5}})\ refused\b
            | connection\ to\ server\ at\ \"(?P<peer_postgres>[^\"]+)\".{{0,60}}connection\ refused
            | connection\ refused[;\s]{{1,9}}(?:\(0x\w{{1,9}}/\d{{1,6}}\)\s{{1,9}})?
                is\ the\ server\ running\ on\ host\ \"(?P<peer_libpq>[\w.-]+)\"
            | /dev/tcp/(?P<peer_shell>[\w.-]+/\d{{2,5}}):\ connection\ refused
            | \bfailed\ to\ connect\ to\ (?P<peer_address>[A-Za-z][\w.-]{{0,120}})\ \([\d.:a-f]{{3,45}}\)
                :\ connection\ refused
            | \bfailed\ to\ connect\ to\ (?P<peer_curl>[A-Za-z][\w.-]{{0,120}})\ port\ \d{{1,5}}
                (?:\ after\ \d{{1,9}}\ ms)?:\ connection\ refused
            | \bHTTPS?ConnectionPool\(host='(?P<peer_python>[\w.-]+)'[^\n]{{0,400}}\bconnection\ refused
        """,
        cause="{peer} refuses the connection: nothing listens there yet",
        cure="see whether the program that is called runs, and on which port it listens",
        source=_MANY,
        may_pass=True,
    ),
    Failure(
        name="peer-unreached",
        mark="",
        pattern=r"""(?x)
            (?:can't|cannot|could\ not|unable\ to|failed\ to|couldn't)\ (?:reach|connect|contact
                |dial)\b(?:[^:]|:(?!\d)){0,60}?
                [`'\"(@/\ ](?P<peer>(?!localhost|127\.|ipv[46]:)[A-Za-z][\w.-]*):\d{2,5}\b(?!:\d)
            | \bserver\ on\ '(?P<peer_mysql>(?!localhost\b|127\.)[\w.-]+)(?::\d{2,5})?'\ \(\d{2,3}\b
            | \bNpgsqlException\b.{0,20}\bFailed\ to\ connect\ to\ (?P<peer_npgsql>(?!127\.)[\w.-]+:\d{2,5})
            | \bUnable\ to\ connect\ to\ (?P<peer_lettuce>(?!localhost|127\.)[\w.-]+)/<unresolved>:\d
            | \bUnableToConnect\ on\ (?P<peer_stackexchange>(?!localhost|127\.)[\w.-]+:\d{2,5})
            | \bUnable\ to\ bootstrap\ from\ \[\('(?P<peer_aiokafka>(?!localhost|127\.)[\w.-]+)',
            | \bto\ node\ -?\d+\ \((?P<peer_kafka>(?!localhost\b)[\w.-]+)/[\d.]+:\d{2,5}\)\ could\ not\ be\ est
            | \bto\ node\ -?\d+\ \(/(?P<peer_broker>(?!127\.)[\d.]+:\d{2,5})\)\ could\ not\ be\ established
            | \bfailed\ to\ make\ connection\ to\ backend:\ (?P<peer_apache>(?!httpd-UDS|localhost|127\.)[\w.-]+)
            | \bFail\ connecting\ to\ server\ on\ (?P<peer_milvus>(?!localhost|127\.)[\w.-]+:\d{2,5})
            | \bFailed\ connecting\ to\ (?P<peer_jedis>(?!localhost|127\.)[\w.-]+:\d{2,5})
            | (?i:fail\w*|unable|could\ not|can(?:no|')t)\ (?:to\ )?connect\ to\ (?:all\ )?addresses.{0,60}
                \bipv[46]:(?P<peer_grpc>(?!127\.)[\d.]+:\d{2,5})
            | \bFailed\ to\ connect\ to\ (?P<peer_curl>(?!localhost|127\.)[A-Za-z][\w.-]{0,120})\ port\ \d{1,5}
                (?:\ after\ \d{1,9}\ ms)?:\ Couldn't\ connect\ to\ server
            | (?<![\w./-])(?P<peer_named>[a-z][\w-]*-[\w-]+)\ is\ not\ reachable\b
            | ^(?P<peer_postgres>(?!localhost|127\.)[\w.-]{1,120}:\d{2,5})\ -\ no\ response$  # pg_isready
            | (?:\bis\ running\ |server\ )at\ `(?P<peer_prisma>(?!localhost|127\.)[\w.-]+)`:`\d+`
        """,
        cause="the program does not reach {peer}",
        cure="see whether the program that is called runs, is on the same network, and on which port "
        "it listens",
        source=_MANY,
        may_pass=True,
    ),
    Failure(
        name="database-unreachable",
        mark="",
        pattern=r"""(?x)
            # a database that has answered, or that is a file
            ^(?!.{0,600}\b(?:code:\ \d+,\ message:|sqlite|database\ file\b|lease\ database))
            (?!.{0,600}\b(?:apply|migrat\w{1,5}|schema)\b).*?  # and takes statements
            (?:failed|unable|could\ not|cannot|can't|couldn't)\ (?:to\ )?(?:obtain
                |get|connect|open|establish|acquire|reach).{0,30}(?<![/.])\b(?:jdbc
                |database|db|postgres\w*|mysql|mariadb|mongo\w*|redis
                |sql)\b(?!\ file)(?!.{0,200}\brequested\ by\ the\ login\b)
            | \bdatabase\ not\ reachable\b | \bCould\ not\ get\ a\ resource\ from\ the\ pool\b  # Jedis
            | \bNo\ primary\ server\ is\ available\ in\ cluster\b | \bMongoSocketOpenException\b
            | ServerSelectionError:\ Server\ selection\ timed\ out\ after\ \d
            | \bA\ timeout\ occurred\ after\ \d+ms\ selecting\ a\ server\b
            | \bNo\ suitable\ servers\ found\b.{0,60}\bserverSelection
            | \bCommunications\ link\ failure\b | \bError\ establishing\ a\ database\ connection\b
            | \bnetwork-related\ or\ instance-specific\ error\ occurred\ while\ establishing\ a\ connection
        """,
        cause="the program does not reach its database",
        cure="see that the database's container runs, is on the same network, and has the name that "
        "the program is given",
        source=_MANY,
        may_pass=True,
        look="database",
    ),
    Failure(
        name="no-peer-available",
        mark="",
        pattern=r"""(?x)
            \bno\ servers\ available\ for\ connection\b  # NATS
            | \bNoBrokersAvailable\b | \bclient\ has\ run\ out\ of\ available\ brokers\b  # Kafka
            | \bAll\ broker\ connections\ are\ down\b
            | \bto\ node\ -?\d+\ could\ not\ be\ established\.\ Broker\ may\ not\ be\ available\b
            | \bBrokerUnreachableException\b | \bTCPConnectionFailedForAllHosts\b  # RabbitMQ
            | \bNone\ of\ the\ specified\ endpoints\ were\ reachable\b
            | \bNo\ alive\ nodes\ found\ in\ your\ cluster\b | \bThere\ are\ no\ living\ connections\b  # Elasticsearch
            | \bNo\ Available\ connections\b | \bAll\ connection\ attempts\ failed\b
            | \bCannot\ execute\ request\ on\ any\ known\ server\b  # Eureka
            | \bCan't\ contact\ LDAP\ server\b | \bconnect\ to\ any\ of\ the\ configured\ \w+\ hosts\b
            | \bCould\ not\ reach\ any\ contact\ point\b  # Cassandra
            | \bCould\ not\ connect\ to\ a\ Chroma\ server\b | \bORA-12541\b  # Oracle
            | \bAll\ host\(s\)\ tried\ for\ query\ failed\b  # Cassandra
        """,
        cause="the program reaches none of the servers that it is given",
        cure="compare the hosts and ports in its settings with the containers that run",
        source="the clients' own messages",
        may_pass=True,
    ),
    Failure(
        name="some-peer-refused",
        mark="refused",
        # what follows a colon is the reason of the one that has answered
        pattern=r"^(?!.{0,400}(?:\d{1,3}\.){3}\d).{0,400}(?:connection refused(?!: [a-z]|(?:,| -) (?:bad|not) )"
        r"|ECONNREFUSED)",
        cause="what the program calls refuses the connection, and the line does not say what that is",
        cure="compare the hosts and ports in its settings with the containers that run",
        source=_MANY,
        may_pass=True,
    ),
    Failure(
        name="some-peer-silent",
        of_running=NEVER,
        mark="",
        pattern=r"""(?x)
            \bcontext\ deadline\ exceeded\b(?!\ \(Client\.Timeout) | \bdial\ (?:tcp|udp):\ i/o\ timeout\b
            | ^nats:\ timeout$ | \betcdserver:\ request\ timed\ out\b | \bconnect\ ETIMEDOUT$
            | \bSocketException\ \(110\)
            | ^failed:\ Connection\ timed\ out\.$  # wget
            | \[2002\]\ (?:Connection|Operation)\ timed\ out\b | \bConnectTimeout:\ timed\ out\b
        """,
        cause="what the program calls at its start does not answer in time, and the line does not say what "
        "that is",
        cure="compare the hosts and ports in its settings with the containers that run; the lines above "
        "may name it",
        source="Go's, PHP's and httpx' own messages; milvus-io/milvus#34319",
        may_pass=True,
    ),
    Failure(
        name="connection-cut",
        mark=("econnreset", "socket hang up", "connection reset", "connectionreset"),
        pattern=r"\bread ECONNRESET\b|^Error: socket hang up\b|\bSocketException: Connection reset$"
        r"|\bConnectionResetError: \[Errno 104\]",
        cause="what the program calls ended the connection in the middle: it was stopped or started again, expects "
        "something else at that port (TLS or none), or a proxy or firewall between them cut it",
        cure="read the log of what it calls, at that time; compare port and scheme in the address with what is served "
        "there",
        source="ECONNRESET of Linux",
        of_running=NEVER,
        may_pass=True,
    ),
    Failure(
        name="cluster-silent",
        mark="",
        pattern=r"unable to gossip with any|no seeds? (?:node )?(?:answered|reachable)",
        cause="no other node of the cluster answers",
        cure="see that the nodes that the settings name as seeds run and are on the same network",
        source="Cassandra's own message",
        may_pass=True,
    ),
    Failure(
        name="peer-timeout",
        mark="",
        pattern=r"""(?x)
            timeout\ occurred\ after\ waiting\ (?P<seconds>\d+)\ seconds\ for\ (?P<peer>\S+)
            | timed?\ ?out\ waiting\ for\ (?P<peer_waited>[\w.-]+:\d+)
            | \bdial\ tcp\ (?P<peer_dialled>[\w.:\[\]-]{1,100}:\d{2,5}):
                \ (?:connect:\ connection|i/o)\ time(?:d\ )?out\b
            | \bconnection\ (?:\#\d+\ )?to\ (?:\w+://)?(?P<peer_called>[\w.-]+:\d{2,5})\ timed\ out
            | \bconnection\ to\ server\ at\ \"(?P<peer_libpq>[^\"\n]{1,200})\"[^\n]{0,60}\ failed:
                \ (?:timeout\ expired|connection\ timed\ out)
            | \bcould\ not\ connect\ to\ server:\ Connection\ timed\ out\b[^\n]{0,60}
                \bIs\ the\ server\ running\ on\ host\ \"(?P<peer_libpq_older>[^\"\n]{1,200})\"
            | \bconnect\ ETIMEDOUT\ (?P<peer_node>[\w.:-]{2,60}:\d{2,5})\b
            | \bHTTPS?ConnectionPool\(host='(?P<peer_python>[\w.-]{1,200})'[^\n]{0,400}\btimed\ out\b
            | \bTimeout\ connecting\ to\ \[(?P<peer_elastic>[\w./:-]+)\]
        """,
        cause="what the program waits for did not answer in time: {peer}",
        cure="see that it runs, is on the same network, and has the name that the program is given",
        source=_MANY,
        may_pass=True,
    ),
)
